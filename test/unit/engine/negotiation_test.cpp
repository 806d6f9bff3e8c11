#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "unit/engine/fake_engine.hpp"

using tallyman::ErrorKind;
using tallyman::HttpResponse;
using tallyman::HttpResult;
using tallyman::test::engine_error;
using tallyman::test::FakeEngine;
using tallyman::test::json_answer;
using tallyman::test::line_of;

namespace {

HttpResponse pong(const std::string& api) {
  return {.status = 200, .headers = {{"api-version", api}}, .body = "OK"};
}

}  // namespace

TEST_CASE("the lower of both newest versions is spoken") {
  struct Row {
    const char* theirs;
    const char* spoken;
  };
  for (const Row& row : {Row{"1.41", "1.41"}, Row{"1.45", "1.45"}, Row{"1.47", "1.47"},
                         Row{"1.55", "1.47"}, Row{"2.0", "1.47"}, Row{"1.24", "1.24"}}) {
    CAPTURE(row.theirs);
    FakeEngine fake(row.theirs);
    fake.on("GET /info", "{}");
    const auto info = fake.engine.info();
    REQUIRE(info);
    CHECK(info->api_version == row.spoken);
    CHECK(fake.asked() == std::vector{"GET /v" + std::string(row.spoken) + "/info"});
  }
}

TEST_CASE("the ping goes to the socket, without a version, once for all calls") {
  FakeEngine fake;
  fake.on("GET /info", "{}");
  CHECK(fake.http.requests.empty());
  REQUIRE(fake.engine.info());
  REQUIRE(fake.engine.info());
  REQUIRE(fake.http.requests.size() == 3);
  CHECK(line_of(fake.http.requests[0]) == "HEAD http://docker/_ping");
  CHECK(line_of(fake.http.requests[1]) == "GET http://docker/v1.41/info");
  CHECK(line_of(fake.http.requests[2]) == "GET http://docker/v1.41/info");
  for (const auto& request : fake.http.requests) {
    CHECK(request.unix_socket == "/run/docker.sock");
  }
}

TEST_CASE("an engine that refuses HEAD is asked with GET") {
  for (const long status : {400L, 404L, 405L, 500L}) {
    CAPTURE(status);
    FakeEngine fake;
    fake.ping(HttpResponse{.status = status, .headers = {}, .body = ""}, pong("1.30"))
        .on("GET /info", "{}");
    const auto info = fake.engine.info();
    REQUIRE(info);
    CHECK(info->api_version == "1.30");
    CHECK(line_of(fake.http.requests[1]) == "GET http://docker/_ping");
  }
}

TEST_CASE("an engine that does not say its version gets the oldest one") {
  FakeEngine fake;
  fake.ping(HttpResponse{.status = 200, .headers = {}, .body = ""}).on("GET /info", "{}");
  const auto info = fake.engine.info();
  REQUIRE(info);
  CHECK(info->api_version == "1.24");
}

TEST_CASE("an engine that is too old is refused with both versions") {
  FakeEngine fake("1.23");
  const auto info = fake.engine.info();
  REQUIRE_FALSE(info);
  CHECK(info.error().kind == ErrorKind::protocol);
  CHECK(info.error().message ==
        "the Docker Engine on /run/docker.sock speaks API 1.23 at most, tallyman 1.24 to 1.47");
  CHECK(info.error().remedy == "upgrade the Docker Engine");
  CHECK(fake.asked().empty());
}

TEST_CASE("a version that is none is refused and quoted safely") {
  for (const char* const version :
       {"latest", "1", "1.", ".41", "1.41-rc1", "-1.41", "1.99999999999999999999", "1.4\x1b[31m"}) {
    CAPTURE(version);
    FakeEngine fake(version);
    const auto info = fake.engine.info();
    REQUIRE_FALSE(info);
    CHECK(info.error().kind == ErrorKind::protocol);
    CHECK_FALSE(info.error().message.contains('\x1b'));
    CHECK(info.error().message.starts_with("the Docker Engine on /run/docker.sock names \""));
  }
}

TEST_CASE("a bad answer to the ping names the engine's reason") {
  FakeEngine fake;
  SUBCASE("a plug-in forbids it") {
    fake.ping(engine_error(403, "authorization denied by plugin casbin"),
              engine_error(403, "authorization denied by plugin casbin"));
    const auto info = fake.engine.info();
    REQUIRE_FALSE(info);
    CHECK(info.error().kind == ErrorKind::denied);
    CHECK(info.error().message ==
          "the Docker Engine on /run/docker.sock could not answer a ping: authorization denied by "
          "plugin casbin");
  }
  SUBCASE("it is unwell") {
    fake.ping(HttpResponse{.status = 500, .headers = {}, .body = ""},
              HttpResponse{.status = 500, .headers = {}, .body = ""});
    const auto info = fake.engine.info();
    REQUIRE_FALSE(info);
    CHECK(info.error().kind == ErrorKind::transient);
    CHECK(info.error().message.ends_with("HTTP status 500 without a message"));
  }
}

namespace {

/// Says 1.45 in the ping, but takes only one version, and counts how often it was asked.
struct Stubborn {
  std::string accepted;
  HttpResponse refusal;
  std::vector<std::string> lines = {};
  tallyman::test::FakeHttp http{[this](const tallyman::HttpRequest& request) -> HttpResult {
    if (request.url.ends_with("/_ping")) {
      return pong("1.45");
    }
    lines.push_back(line_of(request));
    return request.url.contains("/v" + accepted + "/") ? json_answer("[]") : refusal;
  }};
  tallyman::DockerEngine engine{http, http, "/run/docker.sock"};
};

}  // namespace

TEST_CASE("an engine that wants another version gets it, and keeps it") {
  struct Row {
    const char* accepted;
    HttpResponse refusal;
  };
  const std::vector<Row> rows{
      {"1.41", engine_error(400,
                            "client version 1.45 is too new. Maximum supported API version "
                            "is 1.41")},
      {"1.46", engine_error(400,
                            "client version 1.45 is too old. Minimum supported API version "
                            "is 1.46, please upgrade your client to a newer version")},
      {"1.46",
       {.status = 400,
        .headers = {{"content-type", "text/plain; charset=utf-8"}},
        .body = "client version 1.45 is too old. Minimum supported API version is 1.46, "
                "please upgrade your client to a newer version\n"}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.accepted);
    Stubborn stubborn{.accepted = row.accepted, .refusal = row.refusal};
    REQUIRE(stubborn.engine.observe());
    const std::string base = "GET http://docker/v" + std::string(row.accepted);
    CHECK(stubborn.lines ==
          std::vector<std::string>{"GET http://docker/v1.45/containers/json?all=1",
                                   "GET http://docker/v1.45/images/json",
                                   base + "/containers/json?all=1", base + "/images/json"});
    REQUIRE(stubborn.engine.observe());
    CHECK(stubborn.lines.size() == 6);
    CHECK(stubborn.lines.back() == base + "/images/json");
  }
}

TEST_CASE("an engine that never agrees is asked twice and no more") {
  Stubborn stubborn{.accepted = "none",
                    .refusal = engine_error(400,
                                            "client version 1.45 is too new. Maximum "
                                            "supported API version is 1.41")};
  const auto host = stubborn.engine.observe();
  REQUIRE_FALSE(host);
  CHECK(host.error().kind == ErrorKind::protocol);
  CHECK(host.error().message.contains("too new"));
  CHECK(stubborn.lines.size() == 4);
}

TEST_CASE("an engine that wants a version beyond ours is refused with both") {
  struct Row {
    const char* wanted;
    const char* remedy;
  };
  for (const Row& row :
       {Row{"1.48", "upgrade tallyman"}, Row{"1.12", "upgrade the Docker Engine"}}) {
    CAPTURE(row.wanted);
    Stubborn stubborn{.accepted = "none",
                      .refusal = engine_error(400,
                                              "client version 1.45 is too old. Minimum "
                                              "supported API version is " +
                                                  std::string(row.wanted) + ", please upgrade")};
    const auto info = stubborn.engine.info();
    REQUIRE_FALSE(info);
    CHECK(info.error().kind == ErrorKind::protocol);
    CHECK(info.error().message == "the Docker Engine on /run/docker.sock wants API " +
                                      std::string(row.wanted) + ", tallyman speaks 1.24 to 1.47");
    CHECK(info.error().remedy == row.remedy);
    CHECK(stubborn.lines.size() == 1);
  }
}

TEST_CASE("a 400 for another reason is no reason to ask again") {
  Stubborn stubborn{.accepted = "none",
                    .refusal = engine_error(400, "the Maximum supported API version is a riddle")};
  REQUIRE_FALSE(stubborn.engine.info());
  CHECK(stubborn.lines.size() == 1);
}

TEST_CASE("only the pull goes through the Http that a stop ends, and agrees on a version there") {
  const auto answer = [](const tallyman::HttpRequest& request) -> HttpResult {
    if (request.url.ends_with("/_ping")) {
      return pong("1.41");
    }
    return request.url.ends_with("/version")
               ? json_answer(R"({"Os":"linux","Arch":"amd64"})")
               : json_answer(R"({"status":"Status: Image is up to date"})");
  };
  tallyman::test::FakeHttp http(answer);
  tallyman::test::FakeHttp pull_http(answer);
  tallyman::DockerEngine engine(http, pull_http, "/run/docker.sock");
  const auto reference = tallyman::ImageReference::parse("web@sha256:" + std::string(64, 'd'));
  REQUIRE(reference);
  REQUIRE(engine.pull(*reference, {"linux", "amd64"}, std::nullopt, {}));
  REQUIRE(http.requests.size() == 2);
  CHECK(line_of(http.requests[0]) == "HEAD http://docker/_ping");
  CHECK(line_of(http.requests[1]) == "GET http://docker/v1.41/version");
  REQUIRE(pull_http.requests.size() == 2);
  CHECK(line_of(pull_http.requests[0]) == "HEAD http://docker/_ping");
  CHECK(line_of(pull_http.requests[1]).starts_with("POST http://docker/v1.41/images/create?"));
  CHECK(pull_http.requests[1].unix_socket == "/run/docker.sock");
}
