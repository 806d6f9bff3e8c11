#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "unit/engine/fake_engine.hpp"

using tallyman::ErrorKind;
using tallyman::HttpResponse;
using tallyman::TransportFailure;
using tallyman::test::engine_error;
using tallyman::test::FakeEngine;
using tallyman::test::transport;

namespace {

std::string observe_error(std::string_view containers, std::string_view images) {
  FakeEngine fake;
  fake.lists(containers, images);
  const auto host = fake.engine.observe();
  REQUIRE_FALSE(host);
  CHECK(host.error().kind == ErrorKind::protocol);
  return host.error().message;
}

}  // namespace

TEST_CASE("a list that cannot be understood names the field") {
  struct Row {
    const char* body;
    const char* trouble;
  };
  for (const Row& row : {
           Row{"", "the Docker Engine's answer, the list of containers, is not JSON"},
           Row{"[{]", "the Docker Engine's answer, the list of containers, is not JSON"},
           Row{"[{\"Id\":\"\xff\"}]",
               "the Docker Engine's answer, the list of containers, is not JSON"},
           Row{"<html>", "the Docker Engine's answer, the list of containers, is not JSON"},
           Row{"{}", "field (all of it) is a JSON object instead of an array"},
           Row{"[7]", "field [0] is a JSON number instead of an object"},
           Row{"[{}]", "field [0].Id is missing"},
           Row{R"([{"Id":""}])", "field [0].Id is missing"},
           Row{R"([{"Id":"a","Image":"x"},{"Id":7}])",
               "field [1].Id is a JSON number instead of a text"},
           Row{R"([{"Id":"a","Names":"/web"}])",
               "field [0].Names is a JSON string instead of an array of texts"},
           Row{R"([{"Id":"a","Names":["/web",{}]}])",
               "field [0].Names[1] is a JSON object instead of a text"},
           Row{R"([{"Id":"a","Labels":["a=b"]}])",
               "field [0].Labels is a JSON array instead of an object of texts"},
           Row{R"([{"Id":"a","Labels":{"a":1}}])",
               "field [0].Labels.a is a JSON number instead of a text"},
           Row{R"([{"Id":"a","State":{"Status":"running"}}])",
               "field [0].State is a JSON object instead of a text"},
           Row{R"([{"Id":"a","Created":1.5}])",
               "field [0].Created is a JSON number instead of an integer of 64 bits"},
           Row{R"([{"Id":"a","Created":18446744073709551615}])",
               "field [0].Created is a JSON number instead of an integer of 64 bits"},
           Row{R"([{"Id":"a","Created":9223372036854775807}])", "field [0].Created is no time"},
           Row{R"([{"Id":"a","Created":"yesterday"}])", "field [0].Created is no time"},
       }) {
    CAPTURE(row.body);
    const std::string message = observe_error(row.body, "[]");
    CAPTURE(message);
    CHECK(message.contains("the list of containers"));
    CHECK(message.ends_with(row.trouble));
  }
  CHECK(observe_error("[]", R"([{"Id":"a","RepoTags":{}}])") ==
        "the Docker Engine's answer, the list of images: field [0].RepoTags is a JSON object "
        "instead of an array of texts");
  CHECK(observe_error("[]", R"([{"RepoTags":null}])").ends_with("field [0].Id is missing"));
  CHECK(observe_error("[]", R"([{"Id":"a","Size":"big"}])")
            .ends_with("field [0].Size is a JSON string instead of an integer of 64 bits"));
}

TEST_CASE("an answer that is nested without end is refused before it is parsed") {
  std::string deep = R"([{"Id":"a","Image":"nginx","Mounts":)";
  CHECK(observe_error(deep + std::string(100'000, '['), "[]").ends_with("is nested too deep"));
  // brackets within texts do not count
  deep = R"([{"Id":"a","Image":"nginx","Command":"\")" + std::string(100, '[') + R"("}])";
  FakeEngine fake;
  fake.lists(deep, "[]");
  CHECK(fake.engine.observe());
}

TEST_CASE("the inspect of a listed container that cannot be understood is an error, too") {
  FakeEngine fake;
  fake.lists(R"([{"Id":"a1","Image":"sha256:1"}])", "[]");
  fake.on("GET /containers/a1/json", R"({"Id":"a1","Config":{"Image":1}})");
  const auto host = fake.engine.observe();
  REQUIRE_FALSE(host);
  CHECK(host.error().message ==
        "the Docker Engine's answer, the inspect of a container: field Config.Image is a JSON "
        "number instead of a text");
}

TEST_CASE("what the engine refuses has a kind and the engine's words") {
  struct Row {
    long status;
    std::string_view body;
    ErrorKind kind;
    const char* words;
  };
  for (const Row& row : {
           Row{400, R"({"message":"bad parameter"})", ErrorKind::protocol, "bad parameter"},
           Row{401, R"({"message":"who are you"})", ErrorKind::auth, "who are you"},
           Row{403, R"({"message":"authorization denied by plugin x: no"})", ErrorKind::denied,
               "authorization denied by plugin x: no"},
           Row{404, R"({"message":"page not found"})", ErrorKind::not_found, "page not found"},
           Row{409, R"({"message":"busy"})", ErrorKind::transient, "busy"},
           Row{429, R"({"message":"slow down"})", ErrorKind::rate_limited, "slow down"},
           Row{500, R"({"cause":"c","message":"podman's reason","response":500})",
               ErrorKind::transient, "podman's reason"},
           Row{503, "", ErrorKind::transient, "HTTP status 503 without a message"},
           Row{500, "plain text\r\nof two lines.\n", ErrorKind::transient,
               "plain text of two lines"},
           Row{500, R"({"message":7})", ErrorKind::transient, R"({"message":7})"},
           Row{500, R"({"message":"red \u001b[31m"})", ErrorKind::transient, "red \\x1b[31m"},
           Row{301, "", ErrorKind::protocol, "HTTP status 301 without a message"},
       }) {
    CAPTURE(row.status);
    CAPTURE(row.body);
    FakeEngine fake;
    fake.on("GET /info",
            HttpResponse{.status = row.status, .headers = {}, .body = std::string(row.body)});
    const auto info = fake.engine.info();
    REQUIRE_FALSE(info);
    CHECK(info.error().kind == row.kind);
    CHECK(info.error().message ==
          "the Docker Engine could not describe itself: " + std::string(row.words));
  }
}

TEST_CASE("a long text of the engine is cut between characters") {
  FakeEngine fake;
  std::string text = std::string(999, 'x');
  for (int i = 0; i < 100; ++i) {
    text += "ä";
  }
  fake.on("GET /info", HttpResponse{.status = 500, .headers = {}, .body = text});
  const auto info = fake.engine.info();
  REQUIRE_FALSE(info);
  CHECK(info.error().message.ends_with(std::string(999, 'x') + "…"));
}

TEST_CASE("no answer at all") {
  struct Row {
    TransportFailure failure;
    ErrorKind kind;
    const char* message;
    const char* remedy;
  };
  for (const Row& row : {
           Row{TransportFailure::connect, ErrorKind::transient,
               "no Docker Engine listens on /run/docker.sock",
               "start it (systemctl start docker), or set host under [engine] in tallyman.toml"},
           Row{TransportFailure::denied, ErrorKind::denied,
               "no permission on /run/docker.sock, the Docker Engine's socket",
               "run as root or as a member of the docker group"},
           Row{TransportFailure::timeout, ErrorKind::transient,
               "the Docker Engine on /run/docker.sock took too long to describe itself",
               "see: journalctl -u docker"},
           Row{TransportFailure::cut, ErrorKind::transient,
               "the Docker Engine on /run/docker.sock hung up when asked to describe itself",
               "see: journalctl -u docker"},
           Row{TransportFailure::cancelled, ErrorKind::cancelled,
               "stopped while the Docker Engine was asked to describe itself", ""},
           Row{TransportFailure::too_large, ErrorKind::protocol,
               "the Docker Engine on /run/docker.sock answered more than 64 MiB when asked to "
               "describe itself",
               ""},
           Row{TransportFailure::other, ErrorKind::transient,
               "the Docker Engine on /run/docker.sock could not describe itself: docker: it did "
               "not work",
               ""},
       }) {
    CAPTURE(row.message);
    FakeEngine fake;
    fake.on("GET /info", transport(row.failure));
    const auto info = fake.engine.info();
    REQUIRE_FALSE(info);
    CHECK(info.error().kind == row.kind);
    CHECK(info.error().message == row.message);
    CHECK(info.error().remedy == row.remedy);
  }
}

TEST_CASE("without an engine nothing but the ping is tried, and each call tries anew") {
  FakeEngine fake;
  fake.ping(transport(TransportFailure::connect)).on("GET /info", "{}");
  CHECK_FALSE(fake.engine.observe());
  REQUIRE(fake.http.requests.size() == 1);
  fake.ping(HttpResponse{.status = 200, .headers = {{"api-version", "1.41"}}, .body = ""});
  CHECK(fake.engine.info());
}

TEST_CASE("one failed list fails the observation") {
  FakeEngine fake;
  fake.lists("[]", "[]");
  SUBCASE("containers") {
    fake.on("GET /containers/json?all=1", transport(TransportFailure::timeout));
    const auto host = fake.engine.observe();
    REQUIRE_FALSE(host);
    CHECK(host.error().message.ends_with("took too long to list the containers"));
  }
  SUBCASE("images") {
    fake.on("GET /images/json", engine_error(500, "disk on fire"));
    const auto host = fake.engine.observe();
    REQUIRE_FALSE(host);
    CHECK(host.error().message == "the Docker Engine could not list the images: disk on fire");
  }
}
