#include <doctest/doctest.h>

#include "unit/deploy/gate_bench.hpp"

using namespace tallyman;
using namespace tallyman::test;
using namespace std::chrono_literals;

namespace {

HttpResult refused() {
  return std::unexpected(TransportError{
      TransportFailure::connect, {ErrorKind::transient, "127.0.0.1:3000 refused the connection"}});
}

Result<void> no_connection() {
  return fail(ErrorKind::transient, "127.0.0.1:5432: connection refused");
}

}  // namespace

TEST_CASE("a URL is asked as a probe, not as an API") {
  GateBench bench;
  bench.settings.http = {k_url};
  CHECK(bench.look() == "");
  REQUIRE(bench.http.requests.size() == 1);
  const HttpRequest& request = bench.http.requests[0];
  CHECK(line_of(request) == "GET http://127.0.0.1:3000/health");
  CHECK_FALSE(request.verify_tls);
  CHECK(request.timeout == 5s);
  CHECK(request.connect_timeout == 5s);
  CHECK(request.stall_timeout == 5s);
  CHECK(request.max_body <= 64 * 1024);
  REQUIRE(static_cast<bool>(request.on_body));
  CHECK(request.on_body("a long page"));
}

TEST_CASE("which statuses are good") {
  struct Row {
    std::optional<int> wanted;
    long status;
    std::string_view verdict;
  };
  const std::vector<Row> rows = {
      {std::nullopt, 200, ""},
      {std::nullopt, 204, ""},
      {std::nullopt, 302, ""},
      {std::nullopt, 399, ""},
      {std::nullopt, 199, "http://127.0.0.1:3000/health answered 199 (expected 200 to 399)"},
      {std::nullopt, 400, "http://127.0.0.1:3000/health answered 400 (expected 200 to 399)"},
      {std::nullopt, 503, "http://127.0.0.1:3000/health answered 503 (expected 200 to 399)"},
      {401, 401, ""},
      {200, 204, "http://127.0.0.1:3000/health answered 204 (expected 200)"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.status);
    GateBench bench;
    bench.settings.http = {k_url};
    bench.settings.http_status = row.wanted;
    bench.answer = HttpResponse{.status = row.status};
    CHECK(bench.look() == row.verdict);
  }
}

TEST_CASE("the query of a URL is in no message") {
  GateBench bench;
  bench.settings.http = {"http://127.0.0.1:3000/health?token=s3cret#x"};
  bench.answer = HttpResponse{.status = 404};
  CHECK(bench.look() == "http://127.0.0.1:3000/health answered 404 (expected 200 to 399)");
  CHECK(bench.http.requests.at(0).url == "http://127.0.0.1:3000/health?token=s3cret#x");
  bench.answer = refused();
  CHECK(bench.look() == "http://127.0.0.1:3000/health: 127.0.0.1:3000 refused the connection");
}

TEST_CASE("an address is connected to") {
  GateBench bench;
  bench.settings.tcp = {k_address, "[::1]:80"};
  bench.settings.settle = 0s;
  CHECK(bench.wait() == "");
  CHECK(bench.connections == std::vector<std::pair<std::string, std::chrono::milliseconds>>{
                                 {k_address, 5s}, {"[::1]:80", 5s}});
  CHECK(bench.steps.at(0).text == "127.0.0.1:5432 accepts, [::1]:80 accepts");
  bench.connection = no_connection();
  CHECK(bench.look() == "127.0.0.1:5432: connection refused");
  CHECK(bench.connections.size() == 3);
}

TEST_CASE("a command gets its environment and nothing else, and five seconds") {
  GateBench bench;
  bench.settings.command = {"wget", "-q", "http://127.0.0.1/"};
  bench.settings.settle = 0s;
  bench.process.prints("wget", "fine\n");
  CHECK(bench.wait() == "");
  REQUIRE(bench.process.commands.size() == 1);
  CHECK(bench.process.commands[0].argv == bench.settings.command);
  CHECK(bench.process.commands[0].timeout == 5s);
  CHECK(bench.process.commands[0].environment ==
        std::map<std::string, std::string>{{"PATH", "/usr/bin"}});
  CHECK(bench.steps.at(0).text == "`wget …` exit status 0");
}

TEST_CASE("how a command can fail") {
  struct Row {
    Result<Exit> exit;
    std::string verdict;
  };
  const std::string prefix = "health command `wget …` ";
  const std::string long_line(150, 'x');
  const std::vector<Row> rows = {
      {Exit{.code = 1}, prefix + "ended with exit status 1"},
      {Exit{.code = 1, .out = "first\nlast \n\n"}, prefix + "ended with exit status 1: last"},
      {Exit{.code = 4, .out = "out", .err = "a\nbad \x1b[0m\n"},
       prefix + "ended with exit status 4: bad \\x1b[0m"},
      {Exit{.code = 4, .out = "out", .err = " \n"}, prefix + "ended with exit status 4: out"},
      {Exit{.code = 1, .err = long_line + "ä" + long_line},
       prefix + "ended with exit status 1: " + long_line + "ä" + std::string(48, 'x') + "…"},
      {Exit{.code = 1, .err = std::string(199, 'x') + "äx"},
       prefix + "ended with exit status 1: " + std::string(199, 'x') + "…"},
      {Exit{.signal = 9}, prefix + "was killed by signal 9"},
      {Exit{.signal = 15, .timed_out = true, .out = "waiting"},
       prefix + "timed out after 5.0 s: waiting"},
      {Exit{.code = 0, .timed_out = true}, prefix + "timed out after 5.0 s"},
      {fail(ErrorKind::process, "wget: not found in PATH /usr/bin"),
       "health command `wget …`: wget: not found in PATH /usr/bin"},
  };
  for (const Row& row : rows) {
    GateBench bench;
    bench.settings.command = {"wget", "-q"};
    bench.process.on("wget", row.exit);
    CHECK(bench.look() == row.verdict);
    CHECK(bench.kind == ErrorKind::process);
    CHECK(bench.culprit == "");
  }
}

TEST_CASE("a command without arguments") {
  GateBench bench;
  bench.settings.command = {"/usr/local/bin/is-shop-up"};
  bench.process.on("is-shop-up", Exit{.code = 2});
  CHECK(bench.look() == "health command `/usr/local/bin/is-shop-up` ended with exit status 2");
}

TEST_CASE("a probe that fails is tried again until the timeout, and told with its time") {
  GateBench http;
  http.settings.http = {k_url};
  http.answer = HttpResponse{.status = 503};
  CHECK(http.wait() == "http://127.0.0.1:3000/health answered 503 (expected 200 to 399) for 90 s");
  CHECK(http.kind == ErrorKind::process);
  CHECK(http.culprit == "");
  CHECK(http.passed() == 90s);
  CHECK(http.http.requests.size() == 181);
  CHECK(http.progressed.size() == 90);
  CHECK(http.progressed.front() == "health: http://127.0.0.1:3000/health 503");
  CHECK(http.steps.empty());

  GateBench tcp;
  tcp.settings.tcp = {k_address};
  tcp.settings.timeout = 5min;
  tcp.connection = no_connection();
  CHECK(tcp.wait() == "127.0.0.1:5432: connection refused for 300 s");

  GateBench command;
  command.settings.command = {"wget", "-q"};
  command.settings.timeout = 1s;
  command.process.on("wget", Exit{.code = 1, .err = "wget: refused\n"});
  CHECK(command.wait() ==
        "health command `wget …` ended with exit status 1 for 1 s: wget: refused");
}

TEST_CASE("a probe is tried once the containers are healthy, and only that time is told") {
  GateBench bench;
  bench.web().health = Health::starting;
  bench.settings.http = {k_url};
  bench.answer = refused();
  bench.after(60s, [&] { bench.web().health = Health::healthy; });
  CHECK(bench.wait() ==
        "http://127.0.0.1:3000/health: 127.0.0.1:3000 refused the connection for 30 s");
  CHECK(bench.passed() == 90s);
  CHECK(bench.http.requests.size() == 61);
  CHECK(bench.progressed.back() == "health: 1/1 healthy, http://127.0.0.1:3000/health no answer");
}

TEST_CASE("the time of one probe is not that of another") {
  GateBench bench;
  bench.settings.http = {k_url};
  bench.settings.tcp = {k_address};
  bench.answer = refused();
  bench.connection = no_connection();
  bench.after(70s, [&] { bench.answer = HttpResponse{.status = 204}; });
  CHECK(bench.wait() == "127.0.0.1:5432: connection refused for 20 s");
}

TEST_CASE("a probe that passes within the timeout is good") {
  GateBench bench;
  bench.settings.http = {k_url};
  bench.answer = refused();
  bench.after(4s, [&] { bench.answer = HttpResponse{.status = 503}; });
  bench.after(8s, [&] { bench.answer = HttpResponse{.status = 200}; });
  CHECK(bench.wait() == "");
  CHECK(bench.passed() == 18s);
  REQUIRE(bench.steps.size() == 2);
  CHECK(bench.steps[0].text == "http://127.0.0.1:3000/health 200");
  CHECK(bench.steps[0].took == 8s);
}

TEST_CASE("the settling starts anew when a probe fails within it") {
  GateBench bench;
  bench.settings.http = {k_url};
  bench.after(9s, [&] { bench.answer = HttpResponse{.status = 503}; });
  bench.after(20s, [&] { bench.answer = HttpResponse{.status = 200}; });
  CHECK(bench.wait() == "");
  CHECK(bench.passed() == 30s);
  REQUIRE(bench.steps.size() == 2);  // each is told once
  CHECK(bench.steps[0].took == 0ms);
  CHECK(bench.steps[1].name == "settle");
  CHECK(bench.steps[1].took == 30s);
}

TEST_CASE("a probe that fails in the settling after the timeout is not waited for") {
  GateBench bench;
  bench.settings.timeout = 20s;
  bench.settings.http = {k_url};
  bench.answer = HttpResponse{.status = 503};
  bench.after(15s, [&] { bench.answer = HttpResponse{.status = 200}; });
  bench.after(23s, [&] { bench.answer = HttpResponse{.status = 500}; });
  CHECK(bench.wait() == "http://127.0.0.1:3000/health answered 500 (expected 200 to 399)");
  CHECK(bench.passed() == 23s);
  CHECK(bench.steps.size() == 1);
}

TEST_CASE("a crash is a verdict while a probe is waited for") {
  GateBench bench;
  bench.settings.http = {k_url};
  bench.answer = refused();
  bench.after(3s, [&] {
    bench.web().status = ContainerStatus::exited;
    bench.web().exit_code = 1;
  });
  CHECK(bench.wait() == "shop-web-1 exited with status 1");
  CHECK(bench.passed() == 3s);
  CHECK(bench.culprit == "id-of-shop-web-1");
}

TEST_CASE("probes without containers") {
  GateBench bench(0);
  bench.settings.tcp = {k_address};
  bench.settings.settle = 1s;
  CHECK(bench.wait() == "");
  CHECK(bench.steps.at(0).text == "127.0.0.1:5432 accepts");
}
