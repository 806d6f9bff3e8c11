#include <doctest/doctest.h>

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "unit/engine/fake_engine.hpp"

using std::string_literals::operator""s;
using tallyman::ErrorKind;
using tallyman::HttpRequest;
using tallyman::HttpResponse;
using tallyman::HttpResult;
using tallyman::test::engine_error;
using tallyman::test::FakeEngine;

namespace {

constexpr const char* k_framed = "application/vnd.docker.multiplexed-stream";
constexpr const char* k_raw = "application/vnd.docker.raw-stream";
constexpr std::size_t k_mebibyte = std::size_t{1024} * 1024;

const std::string k_line = "GET /containers/web/logs?stdout=1&stderr=1&tail=50";

std::string frame(int stream, std::string_view text) {
  std::string bytes{static_cast<char>(stream), 0, 0, 0};
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    bytes += static_cast<char>(text.size() >> shift & 0xFFU);
  }
  return bytes + std::string(text);
}

HttpResponse log_answer(std::string body, const std::string& content_type) {
  HttpResponse answer{.status = 200, .headers = {}, .body = std::move(body)};
  if (!content_type.empty()) {
    answer.headers.emplace_back("content-type", content_type);
  }
  return answer;
}

std::string logs_of(FakeEngine& fake) {
  const auto logs = fake.engine.logs("web", 50);
  REQUIRE_MESSAGE(logs.has_value(), (logs ? "" : logs.error().message));
  return *logs;
}

std::string framed_logs(const std::string& body) {
  FakeEngine fake("1.45");
  fake.on(k_line, log_answer(body, k_framed));
  return logs_of(fake);
}

/// As 20.10 sent them, and 26.1 in another order.
const std::string k_recorded =
    "\x01\0\0\0\0\0\0\x05"
    "out1\n"
    "\x01\0\0\0\0\0\0\x08"
    "gr\xC3\xBC\xC3\x9F"
    "e\n"
    "\x02\0\0\0\0\0\0\x05"
    "err1\n"s;

}  // namespace

TEST_CASE("an engine from API 1.42 on tells frames from raw output") {
  CHECK(framed_logs(k_recorded) == "out1\ngrüße\nerr1\n");
  FakeEngine fake("1.45");
  fake.on(k_line, log_answer("out1\r\nerr1\r\n", k_raw));
  CHECK(logs_of(fake) == "out1\r\nerr1\r\n");
  CHECK(fake.asked() ==
        std::vector<std::string>{"GET /v1.45/containers/web/logs?stdout=1&stderr=1&tail=50"});
}

TEST_CASE("before API 1.42 the container is asked whether it has a TTY") {
  for (const char* const type : {"", k_raw, "application/octet-stream"}) {
    CAPTURE(type);
    FakeEngine fake("1.41");
    fake.on(k_line, log_answer(k_recorded, type));
    fake.on("GET /containers/web/json", R"({"Id":"a","Config":{"Tty":false}})");
    CHECK(logs_of(fake) == "out1\ngrüße\nerr1\n");
    fake.on(k_line, log_answer("out1\r\nerr1\r\n", type));
    fake.on("GET /containers/web/json", R"({"Id":"a","Config":{"Tty":true}})");
    CHECK(logs_of(fake) == "out1\r\nerr1\r\n");
  }
}

TEST_CASE("a container that cannot be asked has no logs that can be read") {
  FakeEngine fake("1.41");
  fake.on(k_line, log_answer(k_recorded, ""));
  const auto gone = fake.engine.logs("web", 50);
  REQUIRE_FALSE(gone);
  CHECK(gone.error().kind == ErrorKind::not_found);
  fake.on("GET /containers/web/json", R"({"Id":"a","Config":{"Tty":"no"}})");
  const auto odd = fake.engine.logs("web", 50);
  REQUIRE_FALSE(odd);
  CHECK(
      odd.error().message.ends_with("field Config.Tty is a JSON string instead of true or false"));
}

TEST_CASE("no logs, and none asked for") {
  CHECK(framed_logs("").empty());
  FakeEngine fake("1.45");
  fake.on("GET /containers/web/logs?stdout=1&stderr=1&tail=0", log_answer("", k_framed));
  CHECK(fake.engine.logs("web", 0) == "");
  CHECK(fake.engine.logs("web", -1) == "");  // which to the engine would be all
}

TEST_CASE("frames are read wherever the pieces of the stream end") {
  for (std::size_t size = 1; size < k_recorded.size(); ++size) {
    struct InPieces final : tallyman::Http {
      void send(HttpRequest request, Done done) override {
        if (request.url.ends_with("/_ping")) {
          HttpResponse pong{.status = 200, .headers = {{"api-version", "1.45"}}, .body = ""};
          done(std::move(pong));
          return;
        }
        for (std::size_t at = 0; at < k_recorded.size(); at += piece) {
          CHECK(request.on_body(std::string_view(k_recorded).substr(at, piece)));
        }
        done(log_answer("", k_framed));
      }
      void watch(int, std::move_only_function<void()>) override {}
      void run() override {}
      std::size_t piece = 0;
    } http;
    http.piece = size;
    tallyman::DockerEngine engine(http, http, "/run/docker.sock");
    CHECK(engine.logs("web", 50) == "out1\ngrüße\nerr1\n");
  }
}

TEST_CASE("broken frames: what can be read is read") {
  const std::string good = frame(1, "good\n");
  CHECK(framed_logs(good + "\x01\0\0"s) == "good\n");                        // within a header
  CHECK(framed_logs(good + frame(2, "cut\n").substr(0, 10)) == "good\ncu");  // within a frame
  CHECK(framed_logs(good + frame(1, "") + frame(3, "engine\n")) == "good\nengine\n");
  CHECK(framed_logs(good + "no frame at all\n") == "good\nno frame at all\n");
  CHECK(framed_logs(good + "\x01\0\x01\0\0\0\0\x02"
                           "ab"s) ==
        "good\n\x01\0\x01\0\0\0\0\x02"
        "ab"s);
  CHECK(framed_logs("\x01\0\0\0\xFF\xFF\xFF\xFF"
                    "endless\n"s) == "endless\n");
}

TEST_CASE("of long logs the end is kept, from a line's start on") {
  std::string text;
  std::string framed;
  for (int i = 0; text.size() < 5 * k_mebibyte; ++i) {
    const std::string line = fmt::format("line {} {}\n", i, std::string(1000, 'x'));
    text += line;
    framed += frame(1, line);
  }
  FakeEngine raw("1.45");
  raw.on(k_line, log_answer(text, k_raw));
  for (const std::string& logs : {framed_logs(framed), logs_of(raw)}) {
    CHECK(logs.size() <= k_mebibyte);
    CHECK(logs.size() > k_mebibyte - 2000);
    CHECK(logs.starts_with("line "));
    CHECK(text.ends_with(logs));
  }
}

TEST_CASE("one line that is too long is cut") {
  const std::string line(3 * k_mebibyte, 'x');
  CHECK(framed_logs(frame(1, line)) == line.substr(0, k_mebibyte));
  CHECK(framed_logs(frame(1, line + "\n")) == line.substr(0, k_mebibyte - 1) + "\n");
}

TEST_CASE("logs of a container that is not there") {
  FakeEngine fake;
  fake.on(k_line, engine_error(404, "No such container: web"));
  const auto logs = fake.engine.logs("web", 50);
  REQUIRE_FALSE(logs);
  CHECK(logs.error().kind == ErrorKind::not_found);
  CHECK(logs.error().message ==
        "the Docker Engine could not show the logs of container web: No such container: web");
  CHECK_FALSE(fake.engine.logs("a/../b", 50));
  CHECK(fake.asked().size() == 1);
}
