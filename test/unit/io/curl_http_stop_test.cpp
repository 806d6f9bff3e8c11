#include <atomic>
#include <csignal>

#include "tallyman/io/curl_http.hpp"
#include "unit/io/curl_fixture.hpp"
#include "unit/io/signals.hpp"

namespace tallyman {

using test::Curl;
using test::RecordedRequest;
using test::ScriptedAnswer;
using test::ScriptedServer;
using test::SignalsRestored;

TEST_CASE("a stop ends what is under way and what waits") {
  const SignalsRestored restored;
  const Stop stop = Stop::on_signals();
  const pthread_t main_thread = ::pthread_self();
  std::atomic<int> asked = 0;
  const ScriptedServer server([&](const RecordedRequest&) {
    if (++asked == 3) {
      ::pthread_kill(main_thread, SIGTERM);
    }
    return ScriptedAnswer::never();
  });
  const Curl environment;
  CurlHttp http(stop, "test");
  int cancelled = 0;
  int late = 0;
  const auto is_cancelled = [](const HttpResult& result) {
    return !result && result.error().failure == TransportFailure::cancelled &&
           result.error().error.kind == ErrorKind::cancelled;
  };
  for (int i = 0; i < 40; ++i) {
    http.send({.url = server.url("/")}, [&, i](HttpResult result) {
      cancelled += is_cancelled(result) ? 1 : 0;
      if (i == 0) {
        http.send({.url = server.url("/late")},
                  [&](HttpResult second) { late += is_cancelled(second) ? 1 : 0; });
      }
    });
  }
  http.run();
  CHECK(cancelled == 40);
  CHECK(late == 1);

  SUBCASE("and what comes after it") {
    const HttpResult after = http.fetch({.url = server.url("/")});
    CHECK(is_cancelled(after));
    CHECK(after.error().error.message == "asked to stop while asking " + server.host());
  }
}

TEST_CASE("a CurlHttp may go with requests still waiting") {
  const ScriptedServer server([](const RecordedRequest&) { return ScriptedAnswer{}; });
  const Curl environment;
  const Stop stop;
  CurlHttp http(stop, "test");
  http.send({.url = server.url("/")}, [](HttpResult) { FAIL("called"); });
  CHECK(server.connections() == 0);
}

}  // namespace tallyman
