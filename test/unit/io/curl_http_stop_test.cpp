#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <thread>

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

TEST_CASE("what is watched is told once, beside the requests, and may ask more") {
  const ScriptedServer server([](const RecordedRequest&) { return ScriptedAnswer{}; });
  const Curl environment;
  const Stop stop;
  CurlHttp http(stop, "test");
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const Fd read_end(ends[0]);
  const Fd write_end(ends[1]);
  int ready = 0;
  int answered = 0;
  http.watch(read_end.get(), [&] {
    ++ready;
    http.send({.url = server.url("/2")}, [&](HttpResult result) { answered += result ? 1 : 0; });
  });
  http.send({.url = server.url("/1")}, [&](HttpResult result) {  // it was not held up
    answered += result ? 1 : 0;
    CHECK(ready == 0);
    CHECK(::write(write_end.get(), "x", 1) == 1);
  });
  http.run();
  CHECK(ready == 1);
  CHECK(answered == 2);
  http.run();
  CHECK(ready == 1);
}

TEST_CASE("a stop does not end what is watched, and is not forgotten after it") {
  const SignalsRestored restored;
  const Stop stop = Stop::on_signals();
  const Curl environment;
  CurlHttp http(stop, "test");
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  ::pthread_kill(::pthread_self(), SIGTERM);
  std::jthread writer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    write_end = Fd();
  });
  int cancelled = 0;
  http.watch(read_end.get(), [&] {
    http.send({.url = "http://127.0.0.1:1/"}, [&](HttpResult result) {
      cancelled += !result && result.error().failure == TransportFailure::cancelled ? 1 : 0;
    });
  });
  http.run();
  CHECK(cancelled == 1);
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
