#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "tallyman/io/encoding.hpp"
#include "unit/engine/pulling.hpp"
#include "unit/engine/recordings_20_10.hpp"
#include "unit/engine/recordings_26_1.hpp"
#include "unit/engine/recordings_26_1_containerd.hpp"

using tallyman::Credential;
using tallyman::CredentialKind;
using tallyman::ErrorKind;
using tallyman::HttpResponse;
using tallyman::ImageReference;
using tallyman::Platform;
using tallyman::PullProgress;
using tallyman::test::answer_pull;
using tallyman::test::FakeEngine;
using tallyman::test::header_of;
using tallyman::test::json_answer;
using tallyman::test::k_pulled_digest;
using tallyman::test::podman_ping;
using tallyman::test::pull;
using tallyman::test::pull_stream;
using tallyman::test::pulled;
using tallyman::test::robot;

namespace {

const std::string k_last_words = fmt::format(
    "{{\"status\":\"Digest: {0}\"}}\r\n"
    "{{\"status\":\"Status: Downloaded newer image for harbor.lan/shop/web@{0}\"}}\r\n",
    k_pulled_digest);

std::string decoded(std::string base64url) {
  std::ranges::replace(base64url, '-', '+');
  std::ranges::replace(base64url, '_', '/');
  return tallyman::base64_decode(base64url).value_or("not base64");
}

}  // namespace

TEST_CASE("real pulls end well, and report the bytes of the layers that were fetched") {
  struct Row {
    std::string_view stream;
    std::int64_t bytes;
  };
  for (const Row& row : {Row{tallyman::test::k_engine20_pull, 1'093'854 + 3'001'272},
                         Row{tallyman::test::k_engine26_pull, 1'093'854 + 3'001'272},
                         // the small layer came in before the store looked
                         Row{tallyman::test::k_containerd26_pull, 3'001'272}}) {
    FakeEngine fake;
    answer_pull(fake, json_answer(row.stream));
    const auto result = pull(fake.engine);
    REQUIRE(result.bytes);
    CHECK(*result.bytes == row.bytes);
    REQUIRE_FALSE(result.progress.empty());
    CHECK(result.progress.back().current == row.bytes);
    CHECK(result.progress.back().total == row.bytes);
    CHECK(std::ranges::is_sorted(result.progress, {}, &PullProgress::current));
    CHECK(std::ranges::is_sorted(result.progress, {}, &PullProgress::total));
  }
}

TEST_CASE("layers that are there already count nothing") {
  const auto bytes = pull_stream(
      R"({"status":"Already exists","progressDetail":{},"id":"48a080c3bc0d"}
         {"status":"Pull complete","progressDetail":{},"id":"48a080c3bc0d"})" +
      k_last_words);
  REQUIRE(bytes);
  CHECK(*bytes == 0);
}

TEST_CASE("a pull of what is there already is a success of no bytes") {
  const auto bytes = pull_stream(fmt::format(
      "{{\"status\":\"Pulling from shop/web\",\"id\":\"x\"}}{{\"status\":\"Digest: {0}\"}}"
      "{{\"status\":\"Status: Image is up to date for harbor.lan/shop/web@{0}\"}}",
      k_pulled_digest));
  REQUIRE(bytes);
  CHECK(*bytes == 0);
}

TEST_CASE("progress is the sum over the layers, and unpacking is none") {
  FakeEngine fake;
  answer_pull(fake,
              json_answer(
                  R"({"status":"Downloading","progressDetail":{"current":10,"total":100},"id":"a"}
    {"status":"Downloading","progressDetail":{"current":5,"total":50},"id":"b"}
    {"status":"Extracting","progressDetail":{"current":7,"total":100},"id":"a"}
    {"status":"Waiting","progressDetail":{},"id":"c"}
    {"status":"Download complete","progressDetail":{},"id":"b"}
    {"status":"Pulling layer fs","progressDetail":{"current":1,"total":4},"id":"c"}
    {"status":"Download complete","progressDetail":{},"id":"a"}
    {"status":"Pull complete","progressDetail":{"current":1,"units":"s"},"id":"a"}
    {"status":"Downloading","progressDetail":{"current":9},"id":"d"}
    {"status":"Downloading","progressDetail":{"current":3},"id":""})" +
                  k_last_words));
  const auto result = pull(fake.engine);
  std::vector<std::pair<std::int64_t, std::int64_t>> seen;
  seen.reserve(result.progress.size());
  for (const PullProgress& now : result.progress) {
    seen.emplace_back(now.current, now.total);
  }
  CHECK(seen == decltype(seen){{10, 100}, {15, 150}, {60, 150}, {61, 154}, {151, 154}, {160, 163}});
}

TEST_CASE("senseless numbers neither overflow nor count backwards") {
  const auto bytes = pull_stream(
      R"({"status":"Downloading","progressDetail":{"current":-5,"total":-1},"id":"a"}
         {"status":"Downloading","progressDetail":{"current":9223372036854775807},"id":"b"}
         {"status":"Downloading","progressDetail":{"current":9223372036854775807},"id":"c"})" +
      k_last_words);
  REQUIRE(bytes);
  CHECK(*bytes > 0);
}

TEST_CASE("nobody needs to listen to the progress") {
  FakeEngine fake;
  answer_pull(fake, json_answer(tallyman::test::k_engine20_pull));
  CHECK(fake.engine.pull(pulled(), {}, std::nullopt, nullptr));
}

TEST_CASE("objects may share lines, span lines and hold brackets in texts") {
  const std::string words = fmt::format(
      "{{\"status\":\"Digest: {0}\"}}{{\n\"status\"\t:\r\n\"Status: done\"}}", k_pulled_digest);
  CHECK(pull_stream(R"({"status":"}{\"][","id":"\\"})" + words));
  CHECK(pull_stream("\r\n\r\n  " + words + "\n\n"));
}

TEST_CASE("a pull is by digest, from the full repository, and never ends by the clock") {
  FakeEngine fake;
  fake.on("GET /version", R"({"Os":"linux","Arch":"amd64"})");
  fake.on("POST /images/create?fromImage=docker.io%2Flibrary%2Fnginx&tag=sha256%3A" +
              std::string(k_pulled_digest.substr(7)),
          json_answer(k_last_words));
  CHECK(fake.engine.pull(pulled("nginx:1.25"), Platform{"linux", "amd64"}, std::nullopt, {}));
  const auto& request = fake.http.requests.back();
  CHECK(request.timeout.count() == 0);
  CHECK(request.stall_timeout == std::chrono::minutes(10));
  CHECK(header_of(request, "X-Registry-Auth").empty());
}

TEST_CASE("a pull without a digest is a bug and asks for nothing") {
  FakeEngine fake;
  const auto reference = ImageReference::parse("harbor.lan/shop/web:stable");
  REQUIRE(reference);
  const auto bytes = fake.engine.pull(*reference, {}, std::nullopt, {});
  REQUIRE_FALSE(bytes);
  CHECK(bytes.error().kind == ErrorKind::bug);
  CHECK(fake.http.requests.empty());
}

TEST_CASE("the credential goes along as base64url with padding") {
  FakeEngine fake;
  answer_pull(fake, json_answer(k_last_words));
  REQUIRE(pull(fake.engine, robot()).bytes);
  const std::string header = header_of(fake.http.requests.back(), "X-Registry-Auth");
  CHECK(header.size() % 4 == 0);
  CHECK(header.find_first_of("+/") == std::string::npos);
  CHECK(header.find_first_of("-_") != std::string::npos);
  CHECK(decoded(header) ==
        R"({"password":"p~~?>w","serveraddress":"harbor.lan","username":"robot$shop+pull"})");
  for (std::size_t i = 0; i + 1 < fake.http.requests.size(); ++i) {
    CHECK(fake.http.requests[i].headers.empty());
  }
}

TEST_CASE("tokens go along in the engine's own form") {
  struct Row {
    CredentialKind kind;
    std::string expected;
  };
  for (const Row& row : {Row{CredentialKind::identity_token,
                             R"({"identitytoken":"p~~?>w","serveraddress":"harbor.lan"})"},
                         Row{CredentialKind::registry_token,
                             R"({"registrytoken":"p~~?>w","serveraddress":"harbor.lan"})"}}) {
    FakeEngine fake;
    answer_pull(fake, json_answer(k_last_words));
    Credential credential = robot();
    credential.kind = row.kind;
    REQUIRE(pull(fake.engine, credential).bytes);
    CHECK(decoded(header_of(fake.http.requests.back(), "X-Registry-Auth")) == row.expected);
  }
}

TEST_CASE("docker.io has an address of its own in the credential") {
  FakeEngine fake;
  fake.on("POST /images/create?fromImage=docker.io%2Facme%2Fweb&tag=sha256%3A" +
              std::string(k_pulled_digest.substr(7)),
          json_answer(k_last_words));
  REQUIRE(fake.engine.pull(pulled("acme/web"), {}, robot(), {}));
  CHECK(decoded(header_of(fake.http.requests.back(), "X-Registry-Auth"))
            .contains(R"("serveraddress":"https://index.docker.io/v1/")"));
}

TEST_CASE("the platform is said only where the engine would choose another one") {
  struct Row {
    const char* version;
    Platform wanted;
    const char* parameter;
  };
  const auto host = [](const char* arch) {
    return fmt::format(R"({{"Os":"linux","Arch":"{}"}})", arch);
  };
  const std::string amd64 = host("amd64");
  const std::string arm64 = host("arm64");
  const std::string arm = host("arm");
  for (const Row& row :
       {Row{amd64.c_str(), {"linux", "amd64"}, ""},
        Row{amd64.c_str(), {"linux", "arm64"}, "&platform=linux%2Farm64"},
        Row{amd64.c_str(), {"linux", "arm64", "v8"}, "&platform=linux%2Farm64"},
        Row{amd64.c_str(), {"linux", "amd64", "v3"}, "&platform=linux%2Famd64%2Fv3"},
        Row{amd64.c_str(), {"", ""}, ""}, Row{amd64.c_str(), {"linux", ""}, ""},
        Row{arm64.c_str(), {"linux", "arm64", "v8"}, ""},
        Row{arm64.c_str(), {"linux", "amd64"}, "&platform=linux%2Famd64"},
        Row{arm.c_str(), {"linux", "arm", "v7"}, ""},
        Row{arm.c_str(), {"linux", "arm", "v6"}, "&platform=linux%2Farm%2Fv6"},
        Row{"{}", {"linux", "amd64"}, "&platform=linux%2Famd64"}}) {
    CAPTURE(row.version);
    CAPTURE(row.wanted.architecture);
    CAPTURE(row.wanted.variant);
    FakeEngine fake;
    fake.on("GET /version", row.version);
    fake.on(std::string(tallyman::test::k_pull_line) + row.parameter, json_answer(k_last_words));
    CHECK(fake.engine.pull(pulled(), row.wanted, std::nullopt, {}));
  }
}

TEST_CASE("the engine is asked once for its platform") {
  FakeEngine fake;
  answer_pull(fake, json_answer(k_last_words));
  REQUIRE(pull(fake.engine).bytes);
  REQUIRE(pull(fake.engine).bytes);
  CHECK(std::ranges::count(fake.asked(), "GET /v1.41/version") == 1);
}

TEST_CASE("an engine that cannot choose a platform pulls only its own") {
  FakeEngine fake("1.31");
  answer_pull(fake, json_answer(k_last_words));
  CHECK(pull(fake.engine).bytes);
  const auto other = fake.engine.pull(pulled(), Platform{"linux", "s390x"}, std::nullopt, {});
  REQUIRE_FALSE(other);
  CHECK(other.error().kind == ErrorKind::protocol);
  CHECK(other.error().message ==
        "before the pull of " + pulled().str() +
            ": the Docker Engine on /run/docker.sock speaks API 1.31 and cannot pull for "
            "linux/s390x, only for linux/amd64");
}

TEST_CASE("podman's pull ends without a last word") {
  const auto podman_pull = [](std::string_view stream) {
    FakeEngine fake;
    fake.ping(podman_ping());
    answer_pull(fake, json_answer(stream));
    return pull(fake.engine).bytes;
  };
  constexpr std::string_view k_stream =
      "{\"status\":\"Pulling fs layer\",\"progressDetail\":{},\"id\":\"48a080c3bc0d\"}\n"
      "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":1093854,\"total\":1093854},"
      "\"progress\":\"1.094MB\",\"id\":\"48a080c3bc0d\"}\n"
      "{\"status\":\"Download complete\",\"progressDetail\":{},\"id\":\"48a080c3bc0d\"}\n"
      "{\"status\":\"Download complete\",\"progressDetail\":{},\"id\":\"9cc18c8a8511\"}\n";
  const auto bytes = podman_pull(k_stream);
  REQUIRE(bytes);
  CHECK(*bytes == 1'093'854);
  CHECK_FALSE(podman_pull(k_stream.substr(0, k_stream.find('\n', 100))));
  CHECK_FALSE(podman_pull(""));
  CHECK_FALSE(pull_stream(k_stream));  // docker always has one
}
