#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "unit/engine/pulling.hpp"
#include "unit/engine/recordings_20_10.hpp"

using std::string_literals::operator""s;
using tallyman::Error;
using tallyman::ErrorKind;
using tallyman::Platform;
using tallyman::TransportFailure;
using tallyman::test::answer_pull;
using tallyman::test::engine_error;
using tallyman::test::FakeEngine;
using tallyman::test::json_answer;
using tallyman::test::k_pulled_digest;
using tallyman::test::podman_ping;
using tallyman::test::pull;
using tallyman::test::pull_stream;
using tallyman::test::pulled;
using tallyman::test::robot;
using tallyman::test::transport;

namespace {

std::string quoted(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    json += c == '"' ? "\\\"" : std::string(1, c);
  }
  return json + "\"";
}

/// The same text as an HTTP error and as an error within the stream must be the same error.
Error pull_error(std::string_view text, bool anonymous,
                 std::string_view repository = "harbor.lan/shop/web", bool podman = false) {
  const auto reference = pulled(repository);
  const auto credential = anonymous ? std::nullopt : std::optional(robot());
  std::vector<Error> errors;
  for (const auto& answer :
       {json_answer("{\"message\":" + quoted(text) + "}", 500),
        json_answer("{\"status\":\"Pulling from shop/web\",\"id\":\"x\"}\r\n{\"errorDetail\":{"
                    "\"message\":" +
                    quoted(text) + "},\"error\":" + quoted(text) + "}\r\n"),
        json_answer("{\"error\":" + quoted(text) + "}")}) {
    tallyman::test::FakeHttp http([&answer, podman](const tallyman::HttpRequest& request) {
      if (request.url.ends_with("/_ping")) {
        return podman ? podman_ping()
                      : tallyman::HttpResponse{.status = 200, .headers = {{"api-version", "1.41"}}};
      }
      return answer;
    });
    tallyman::DockerEngine engine(http, http, "/run/docker.sock");
    const auto bytes = engine.pull(reference, {}, credential, {});
    REQUIRE_FALSE(bytes);
    errors.push_back(bytes.error());
  }
  CHECK(errors[0].kind == errors[1].kind);
  CHECK(errors[0].message == errors[1].message);
  CHECK(errors[0].remedy == errors[1].remedy);
  CHECK(errors[0].message == errors[2].message);
  return errors[0];
}

}  // namespace

TEST_CASE("the reason of a failed pull is read from the engine's text") {
  struct Row {
    const char* text;
    ErrorKind anonymous;
    ErrorKind with_credential;
  };
  // What 20.10.24, 26.1.5 and 26.1.5 with the containerd store said, and what registries are known
  // to say.
  for (const Row& row : {
           Row{"manifest for harbor.lan/shop/web@sha256:00 not found: manifest unknown: manifest "
               "unknown",
               ErrorKind::not_found, ErrorKind::not_found},
           Row{"failed to resolve reference \"harbor.lan/shop/web@sha256:00\": "
               "harbor.lan/shop/web@sha256:00: not found",
               ErrorKind::not_found, ErrorKind::not_found},
           Row{"no matching manifest for linux/s390x in the manifest list entries",
               ErrorKind::not_found, ErrorKind::not_found},
           Row{"no match for platform in manifest: not found", ErrorKind::not_found,
               ErrorKind::not_found},
           Row{"image with reference harbor.lan/shop/web@sha256:00 was found but does not match "
               "the specified platform: wanted linux/arm64, actual: linux/amd64",
               ErrorKind::not_found, ErrorKind::not_found},
           Row{"Get \"http://harbor.lan/v2/shop/web/manifests/sha256:00\": no basic auth "
               "credentials",
               ErrorKind::auth, ErrorKind::auth},
           Row{"unauthorized: authentication required", ErrorKind::auth, ErrorKind::auth},
           Row{"unexpected status from HEAD request to http://harbor.lan/v2/shop/web/manifests/"
               "sha256:00: 401 Unauthorized",
               ErrorKind::auth, ErrorKind::auth},
           Row{"failed to resolve reference \"harbor.lan/shop/web@sha256:00\": pull access "
               "denied, repository does not exist or may require authorization: authorization "
               "failed: no basic auth credentials",
               ErrorKind::auth, ErrorKind::auth},
           Row{"Get \"https://registry-1.docker.io/v2/\": unauthorized: incorrect username or "
               "password",
               ErrorKind::auth, ErrorKind::auth},
           Row{"pull access denied for shop/web, repository does not exist or may require 'docker "
               "login': denied: requested access to the resource is denied",
               ErrorKind::auth, ErrorKind::denied},
           Row{"pull access denied, repository does not exist or may require authorization: "
               "server message: insufficient_scope: authorization failed",
               ErrorKind::auth, ErrorKind::denied},
           Row{"denied: permission_denied: read_package", ErrorKind::auth, ErrorKind::denied},
           Row{"unexpected status from HEAD request to https://harbor.lan/v2/: 403 Forbidden",
               ErrorKind::auth, ErrorKind::denied},
           Row{"toomanyrequests: You have reached your pull rate limit.", ErrorKind::rate_limited,
               ErrorKind::rate_limited},
           Row{"unexpected status from GET request to https://h/v2/: 429 Too Many Requests",
               ErrorKind::rate_limited, ErrorKind::rate_limited},
           Row{"too_many_request: please slow down", ErrorKind::rate_limited,
               ErrorKind::rate_limited},
           Row{"Get \"https://harbor.lan/v2/\": http: server gave HTTP response to HTTPS client",
               ErrorKind::tls, ErrorKind::tls},
           Row{"Get \"https://harbor.lan/v2/\": x509: certificate signed by unknown authority",
               ErrorKind::tls, ErrorKind::tls},
           Row{"Get \"https://harbor.lan/v2/\": tls: failed to verify certificate: x509: "
               "certificate has expired or is not yet valid",
               ErrorKind::tls, ErrorKind::tls},
           Row{"remote error: tls: handshake failure", ErrorKind::tls, ErrorKind::tls},
           Row{"write /var/lib/docker/tmp/GetImageBlob1: no space left on device", ErrorKind::io,
               ErrorKind::io},
           Row{"failed to register layer: Error processing tar file(exit status 1): write /a: no "
               "space left on device",
               ErrorKind::io, ErrorKind::io},
           Row{"Cannot overwrite digest sha256:38cd", ErrorKind::io, ErrorKind::io},
           Row{"open /var/lib/docker/tmp/GetImageBlob1: permission denied", ErrorKind::io,
               ErrorKind::io},
           Row{"Get \"https://harbor.lan/v2/\": dial tcp 10.0.0.1:443: connect: connection refused",
               ErrorKind::transient, ErrorKind::transient},
           Row{"Get \"https://harbor.lan/v2/\": dial tcp: lookup harbor.lan on 10.0.0.53:53: no "
               "such host",
               ErrorKind::transient, ErrorKind::transient},
           Row{"Get \"https://harbor.lan/v2/\": net/http: TLS handshake timeout",
               ErrorKind::transient, ErrorKind::transient},
           Row{"context canceled", ErrorKind::transient, ErrorKind::transient},
           Row{"unexpected EOF", ErrorKind::transient, ErrorKind::transient},
           Row{"received unexpected HTTP status: 503 Service Unavailable", ErrorKind::transient,
               ErrorKind::transient},
       }) {
    CAPTURE(row.text);
    CHECK(pull_error(row.text, true).kind == row.anonymous);
    CHECK(pull_error(row.text, false).kind == row.with_credential);
  }
}

TEST_CASE("the message names the image and the engine's reason") {
  CHECK(pull_error("unauthorized: authentication required", false).message ==
        "the Docker Engine could not pull harbor.lan/shop/web@" + std::string(k_pulled_digest) +
            ": unauthorized: authentication required");
}

TEST_CASE("the message names the platform where that matters") {
  const auto message = [](const char* text, const Platform& platform) {
    FakeEngine fake("1.31");  // too old to be told a platform
    answer_pull(fake, engine_error(404, text));
    const auto bytes = fake.engine.pull(pulled(), platform, std::nullopt, {});
    REQUIRE_FALSE(bytes);
    return bytes.error().message;
  };
  CHECK(message("no match for platform in manifest: not found", {"linux", "amd64"}) ==
        "the Docker Engine could not pull " + pulled().str() +
            " for linux/amd64: no match for platform in manifest: not found");
  CHECK(message("manifest unknown", {"linux", "amd64"}) ==
        "the Docker Engine could not pull " + pulled().str() + ": manifest unknown");
  CHECK(message("no match for platform in manifest: not found", {}) ==
        "the Docker Engine could not pull " + pulled().str() +
            ": no match for platform in manifest: not found");
}

TEST_CASE("a reason within the names of the image is none") {
  for (const char* const repository :
       {"harbor.lan/denied/unauthorized", "denied.lan:5000/not-found", "forbidden.lan/a",
        "acme/x509-denied"}) {
    CAPTURE(repository);
    const auto reference = pulled(repository);
    for (const std::string& text :
         {"Get \"https://" + reference.domain() + "/v2/\": dial tcp: lookup " +
              reference.domain().substr(0, reference.domain().find(':')) +
              " on 10.0.0.53:53: server misbehaving",
          "failed to resolve reference \"" + reference.str() + "\": failed to do request: Head \"" +
              "https://" + reference.domain() + "/v2/" + reference.path() + "/manifests/x\": EOF",
          "error pulling image configuration for " + reference.path() + ": unexpected EOF"}) {
      CAPTURE(text);
      if (reference.path().contains('/') || !text.starts_with("error")) {
        CHECK(pull_error(text, false, repository).kind == ErrorKind::transient);
      }
    }
  }
}

TEST_CASE("on Podman it is Podman's files that are named") {
  struct Row {
    const char* text;
    std::vector<std::string_view> words;
  };
  for (const Row& row : {
           Row{"http: server gave HTTP response to HTTPS client",
               {"[[registry]]", "location = \"harbor.lan:8080\"", "insecure = true",
                "/etc/containers/registries.conf", "systemctl restart podman"}},
           Row{"x509: certificate signed by unknown authority",
               {"/etc/containers/certs.d/harbor.lan:8080/ca.crt"}},
           Row{"remote error: tls: certificate required",
               {"/etc/containers/certs.d/harbor.lan:8080/client.cert and client.key"}},
           Row{"proxyconnect tcp: dial tcp 10.0.0.9:3128: connect: connection refused",
               {"/etc/systemd/system/podman.service.d/", "systemctl restart podman"}},
           Row{"dial tcp: lookup harbor.lan on 10.0.0.53:53: no such host",
               {"getent hosts harbor.lan", "podman.service.d"}},
           Row{"dial tcp 10.0.0.1:443: i/o timeout", {"podman.service.d"}},
           Row{"unauthorized: authentication required", {"podman login harbor.lan:8080"}},
           Row{"write /var/tmp/x: no space left on device", {"podman system df"}},
       }) {
    CAPTURE(row.text);
    const Error error = pull_error(row.text, true, "harbor.lan:8080/web", true);
    CHECK(error.message.starts_with("Podman could not pull harbor.lan:8080/web"));
    for (const std::string_view word : row.words) {
      CHECK_MESSAGE(error.remedy.contains(word), error.remedy);
    }
    CHECK_FALSE(error.remedy.contains("docker"));
  }
}

TEST_CASE("known causes come with what to do about them") {
  const auto insecure = [](const std::string& domain) {
    return "dockerd does not list " + domain +
           " as insecure: if it is meant to speak plain http, add \"" + domain +
           "\" to \"insecure-registries\" in /etc/docker/daemon.json, then: systemctl reload "
           "docker";
  };
  const char* const refused =
      "Get \"https://h/v2/\": dial tcp 10.77.0.1:443: connect: connection "
      "refused";
  CHECK(pull_error("http: server gave HTTP response to HTTPS client", true, "harbor.lan:8080/web")
            .remedy == insecure("harbor.lan:8080"));
  CHECK(pull_error(refused, true).remedy == insecure("harbor.lan"));
  CHECK(pull_error(refused, true, "nginx").remedy.empty());
  CHECK(pull_error("dial tcp 10.77.0.1:5000: connect: connection refused", true,
                   "harbor.lan:5000/web")
            .remedy.empty());
  CHECK(pull_error("x509: certificate signed by unknown authority", true, "harbor.lan:8443/web")
            .remedy ==
        "dockerd does not know the registry's authority: put its certificate into "
        "/etc/docker/certs.d/harbor.lan:8443/ca.crt; no reload is needed");
  const std::string drop_in = "/etc/systemd/system/docker.service.d/http-proxy.conf";
  struct Way {
    const char* text;
    std::string words;
    ErrorKind kind;
  };
  for (const Way& way : {
           Way{"Get \"https://harbor.lan/v2/\": remote error: tls: bad certificate",
               "/etc/docker/certs.d/harbor.lan/client.cert and client.key", ErrorKind::tls},
           Way{"Get \"https://harbor.lan/v2/\": remote error: tls: certificate required",
               "/etc/docker/certs.d/harbor.lan/client.cert and client.key", ErrorKind::tls},
           Way{"error parsing HTTP 400 response body: invalid character '<' looking for beginning "
               "of "
               "value: \"<html>\\r\\n<head><title>400 No required SSL certificate was "
               "sent</title></head>\"",
               "/etc/docker/certs.d/harbor.lan/client.cert and client.key", ErrorKind::tls},
           Way{"missing key c.key for client certificate c.cert. CA certificates must use the "
               "extension .crt",
               "dockerd needs both", ErrorKind::tls},
           Way{"Get \"https://harbor.lan/v2/\": proxyconnect tcp: dial tcp 10.0.0.9:3128: connect: "
               "connection refused",
               drop_in, ErrorKind::transient},
           Way{"Get \"https://harbor.lan/v2/\": Proxy Authentication Required", drop_in,
               ErrorKind::transient},
           Way{"Get \"https://harbor.lan/v2/\": dial tcp: lookup harbor.lan on 10.0.0.53:53: no "
               "such "
               "host",
               "getent hosts harbor.lan", ErrorKind::transient},
           Way{"Get \"https://harbor.lan/v2/\": dial tcp: lookup harbor.lan on 10.0.0.53:53: read "
               "udp 10.0.0.1:4->10.0.0.53:53: i/o timeout",
               "getent hosts harbor.lan", ErrorKind::transient},
           Way{"Get \"https://harbor.lan/v2/\": dial tcp 10.0.0.1:443: i/o timeout", drop_in,
               ErrorKind::transient},
           Way{"Get \"https://harbor.lan/v2/\": dial tcp 10.0.0.1:443: connect: no route to host",
               drop_in, ErrorKind::transient},
           Way{"Get \"https://harbor.lan/v2/\": net/http: request canceled while waiting for "
               "connection (Client.Timeout exceeded while awaiting headers)",
               drop_in, ErrorKind::transient},
       }) {
    CAPTURE(way.text);
    const Error error = pull_error(way.text, true);
    CHECK_MESSAGE(error.remedy.contains(way.words), error.remedy);
    CHECK(error.kind == way.kind);
  }
  CHECK(pull_error("x509: certificate has expired", true).remedy.empty());
  CHECK(pull_error("unauthorized: authentication required", true).remedy ==
        "the pull was anonymous: set username and password_file under [registry.\"harbor.lan\"] in "
        "tallyman.toml, or: docker login harbor.lan");
  CHECK(pull_error("toomanyrequests: rate limit", true, "nginx").remedy ==
        "the pull was anonymous: set username and password_file under [registry.\"docker.io\"] in "
        "tallyman.toml, or: docker login");
  CHECK(pull_error("toomanyrequests: rate limit", false).remedy.empty());
  CHECK(pull_error("unauthorized: authentication required", false).remedy ==
        "check the user name and password of [registry.\"harbor.lan\"]");
  CHECK(pull_error("denied: requested access to the resource is denied", false).remedy ==
        "let robot$shop+pull (of [registry.\"harbor.lan\"]) pull harbor.lan/shop/web");
  CHECK(pull_error("write /x: no space left on device", true).remedy ==
        "make room where the engine keeps its images; docker system df shows what uses it");
  CHECK(pull_error("cannot overwrite digest sha256:38cd", true).remedy ==
        "this host has it for another platform: docker image rm harbor.lan/shop/web@" +
            std::string(k_pulled_digest));
  CHECK(pull_error("unexpected EOF", false).remedy.empty());
}

TEST_CASE("no secret comes back in a message, whatever the engine says") {
  const Error error = pull_error("cannot log in as robot$shop+pull:p~~?>w at harbor.lan", false);
  CHECK_FALSE(error.message.contains("p~~?>w"));
  CHECK_FALSE(error.remedy.contains("p~~?>w"));
}

TEST_CASE("where the text says nothing the status decides") {
  struct Row {
    long status;
    ErrorKind kind;
  };
  for (const Row& row :
       {Row{400, ErrorKind::protocol}, Row{401, ErrorKind::auth}, Row{403, ErrorKind::denied},
        Row{404, ErrorKind::not_found}, Row{429, ErrorKind::rate_limited},
        Row{500, ErrorKind::transient}, Row{302, ErrorKind::transient}}) {
    CAPTURE(row.status);
    FakeEngine fake;
    answer_pull(fake, engine_error(row.status, "no reason given"));
    const auto result = pull(fake.engine, robot());
    REQUIRE_FALSE(result.bytes);
    CHECK(result.bytes.error().kind == row.kind);
    CHECK(result.bytes.error().message.ends_with(": no reason given"));
  }
  const auto in_band = pull_stream(R"({"errorDetail":{"code":401,"message":"go away"}})");
  REQUIRE_FALSE(in_band);
  CHECK(in_band.error().kind == ErrorKind::auth);
}

TEST_CASE("an error counts even after the words of success") {
  const auto bytes =
      pull_stream(std::string(tallyman::test::k_engine20_pull) +
                  R"({"error":"wanted linux/arm64, does not match the specified platform"})");
  REQUIRE_FALSE(bytes);
  CHECK(bytes.error().kind == ErrorKind::not_found);
}

TEST_CASE("the first error is the one that is told") {
  const auto bytes =
      pull_stream(R"({"error":"no space left on device"}{"error":"context canceled"})");
  REQUIRE_FALSE(bytes);
  CHECK(bytes.error().kind == ErrorKind::io);
}

TEST_CASE("a stream that ends early is transient") {
  const std::string whole(tallyman::test::k_engine20_pull);
  for (const std::string& stream :
       {std::string(), whole.substr(0, whole.find("{\"status\":\"Digest")),
        whole.substr(0, whole.find("{\"status\":\"Status: ")), whole.substr(0, whole.size() - 3),
        whole + R"({"error":"no sp)"}) {
    CAPTURE(stream.size());
    const auto bytes = pull_stream(stream);
    REQUIRE_FALSE(bytes);
    CHECK(bytes.error().kind == ErrorKind::transient);
    CHECK(bytes.error().message == "the pull of harbor.lan/shop/web@" +
                                       std::string(k_pulled_digest) +
                                       " ended early: the Docker Engine never said that it was "
                                       "done");
  }
}

TEST_CASE("a stream that makes no sense is a protocol error") {
  for (const std::string& stream :
       {"OK"s, "[]"s, "[{\"status\":\"Status: x\"}]"s, "\"Status: x\""s, "{}}"s, "{]"s,
        "{\"status\":7}"s, "{\"status\":\"Status: x\",}"s, "null"s, "{\"errorDetail\":\"x\"}"s,
        "{\"progressDetail\":[],\"status\":\"Downloading\",\"id\":\"a\"}"s,
        std::string(100'000, '{'), "{\"status\":\"" + std::string(1'100'000, 'x')}) {
    CAPTURE(stream.substr(0, 60));
    const auto bytes = pull_stream(stream);
    REQUIRE_FALSE(bytes);
    CHECK(bytes.error().kind == ErrorKind::protocol);
    CHECK(bytes.error().message.starts_with(
        "the Docker Engine's progress of the pull of harbor.lan/shop/web@sha256:"));
  }
}

TEST_CASE("an object of just under 1 MiB is taken") {
  CHECK(pull_stream("{\"status\":\"" + std::string(1'000'000, 'x') + "\"}" +
                    std::string(tallyman::test::k_engine20_pull)));
}

TEST_CASE("an engine that pulled something else is not believed") {
  const auto bytes = pull_stream(
      R"({"status":"Digest: sha256:0000"}{"status":"Status: Downloaded newer image for x"})");
  REQUIRE_FALSE(bytes);
  CHECK(bytes.error().kind == ErrorKind::protocol);
  CHECK(bytes.error().message ==
        "the Docker Engine pulled sha256:0000 when asked for " + pulled().str());
}

TEST_CASE("no answer to the pull") {
  struct Row {
    TransportFailure failure;
    ErrorKind kind;
  };
  for (const Row& row : {Row{TransportFailure::cut, ErrorKind::transient},
                         Row{TransportFailure::timeout, ErrorKind::transient},
                         Row{TransportFailure::connect, ErrorKind::transient},
                         Row{TransportFailure::cancelled, ErrorKind::cancelled}}) {
    FakeEngine fake;
    answer_pull(fake, transport(row.failure));
    const auto result = pull(fake.engine);
    REQUIRE_FALSE(result.bytes);
    CHECK(result.bytes.error().kind == row.kind);
  }
}
