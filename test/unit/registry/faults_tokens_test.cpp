#include <atomic>
#include <string>
#include <vector>

#include "unit/registry/faults.hpp"

namespace tallyman::test {
namespace {

ScriptedAnswer challenge(const std::string& realm = "/token") {
  return {401, {{"WWW-Authenticate", "Bearer realm=\"" + realm + "\",service=\"s\""}}};
}
bool asks_for_token(const RecordedRequest& request) {
  return request.target.starts_with("/token");
}
ScriptedAnswer json(const std::string& body, int status = 200) {
  return {status, {{"Content-Type", "application/json"}}, body};
}
ScriptedAnswer token(const std::string& more = {}) {
  return json("{\"token\":\"" + k_token + "\"" + more + "}");
}

/// The token server's answer is the fault.
void check_token_faults(const std::vector<Fault>& faults, bool with_credential) {
  for (const Fault& fault : faults) {
    CAPTURE(fault.name);
    ScriptedServer server([&](const RecordedRequest& request) {
      return asks_for_token(request) ? fault.answer : challenge();
    });
    Loopback loopback;
    if (with_credential) {
      loopback.plain_with_credential(server.host());
    } else {
      loopback.plain(server.host());
    }
    const std::string image = server.host() + "/shop/api:1";
    check_fault(loopback.resolve(image), fault.expected, server.host(), image);
    for (const RecordedRequest& request : server.requests()) {
      CHECK(request.header("authorization") ==
            (with_credential && asks_for_token(request) ? k_basic : ""));
    }
  }
}

TEST_CASE("faults: token servers that answer nonsense") {
  const auto is = [](const std::string& message) { return Expected{ErrorKind::protocol, message}; };
  const Expected no_json = is("the token server HOST did not answer with a JSON object");
  const Expected no_token = is("the answer of the token server HOST has no token");
  const Expected not_ascii = is("the token of the token server HOST is not plain ASCII");
  check_token_faults(
      {
          {"nothing", {200}, no_json},
          {"a page", {200, {{"Content-Type", "text/html"}}, "<html>log in</html>"}, no_json},
          {"a list", json("[\"token\"]"), no_json},
          {"a string", json("\"token\""), no_json},
          {"half of it", json(R"({"token":"s3cr3t-half)"), no_json},
          {"nested a hundred thousand levels", json(std::string(60'000, '[')), no_json},
          {"an empty object", json("{}"), no_token},
          {"an empty token", json(R"({"token":""})"), no_token},
          {"two empty tokens", json(R"({"token":"","access_token":""})"), no_token},
          {"a token of null", json(R"({"token":null})"), no_token},
          {"a token that is a number", json(R"({"token":5})"), no_token},
          {"a token that is a list", json(R"({"token":["s3cr3t"]})"), no_token},
          {"an error as 200", json(R"({"errors":[{"code":"DENIED"}]})"), no_token},
          {"a token with a line break", json(R"({"token":"s3cr3t\r\nX-Forged: y"})"), not_ascii},
          {"a token with a blank", json(R"({"token":"s3cr3t x"})"), not_ascii},
          {"a token with a NUL", json(R"({"token":"s3cr3t\u0000x"})"), not_ascii},
          {"a token in UTF-8", json(R"({"token":"s3cr3t-\u00e4"})"), not_ascii},
          {"100 KB", json("{\"token\":\"" + std::string(100'000, 'x') + "\"}"),
           is("HOST answers with more than 65536 bytes")},
          {"100 MB",
           ScriptedAnswer::flood("HTTP/1.1 200 OK\r\n\r\n", std::string(1U << 20U, ' '), 100),
           is("HOST answers with more than 65536 bytes")},
          {"cut",
           ScriptedAnswer::bytes({"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"tok"}),
           {ErrorKind::transient, "HOST ended the connection within its answer"}},
          {"closed",
           ScriptedAnswer::bytes({}),
           {ErrorKind::transient, "the token server of HOST: HOST ended the connection"}},
          {"reset",
           ScriptedAnswer::reset_after({}),
           {ErrorKind::transient, "the token server of HOST: HOST ended the connection"}},
          {"SSH", ScriptedAnswer::bytes({"SSH-2.0-OpenSSH\r\n\r\n"}),
           is("the token server of HOST: HOST does not speak HTTP")},
      },
      false);
}

TEST_CASE("faults: token servers that refuse") {
  const Expected anonymous{ErrorKind::auth, "HOST refuses anonymous access (", "docker login HOST"};
  const Expected rejected{ErrorKind::auth, "HOST rejected the credential of robot$shop+pull from ",
                          "renew"};
  std::vector<Fault> both = {
      {"404",
       {404},
       {ErrorKind::not_found,
        "HOST has no token service at the place that the registry names (404)"}},
      {"429",
       {429, {{"Retry-After", "60"}}},
       {ErrorKind::rate_limited, "HOST limits the rate of requests (429)"}},
      {"400, as Harbor to a wrong service",
       {400},
       {ErrorKind::protocol, "HOST answered 400 for token service"}},
      {"500", {500}, {ErrorKind::transient, "HOST answered 500 for token service"}},
      {"503", {503}, {ErrorKind::transient, "HOST answered 503 for token service"}},
      {"204", {204}, {ErrorKind::protocol, "HOST answered 204 for token service"}},
      {"201",
       {201, {}, R"({"token":"x"})"},
       {ErrorKind::protocol, "HOST answered 201 for token service"}},
      {"a redirect to a file",
       {302, {{"Location", "file:///etc/passwd"}}},
       {ErrorKind::protocol, "HOST redirects (302) to something that is no http or https URL"}},
      {"a redirect to http elsewhere",
       {302, {{"Location", "http://auth.test/token"}}},
       {ErrorKind::protocol, "a token server without encryption"}},
      {"a redirect to a link-local address",
       {302, {{"Location", "https://169.254.169.254/token"}}},
       {ErrorKind::protocol, "169.254.169.254"}},
      {"redirects for ever",
       {302, {{"Location", "/token?again"}}},
       {ErrorKind::protocol, "HOST redirects more than 5 times"}},
  };
  check_token_faults(both, false);
  check_token_faults(both, true);
  check_token_faults({{"401", {401}, anonymous},
                      {"401 with a challenge of its own", challenge("/token2"), anonymous},
                      {"403", {403}, anonymous},
                      {"401 with words",
                       json(R"({"details":"incorrect username"})", 401),
                       {ErrorKind::auth, "(401: \"incorrect username\")"}}},
                     false);
  check_token_faults({{"401", {401}, rejected},
                      {"401 with a challenge of its own", challenge("/token2"), rejected},
                      {"403", {403}, rejected},
                      {"403 that repeats our password",
                       json(R"({"message":"s3cr3t-password is wrong"})", 403), rejected}},
                     true);
}

struct Use {
  std::string name;
  ScriptedAnswer answer;
  ScriptedAnswer with_token;
  Expected expected;
  std::size_t requests;
};

TEST_CASE("faults: tokens that open nothing") {
  for (const Use& use : std::vector<Use>{
           {"401 with the same challenge",
            token(),
            challenge(),
            {ErrorKind::denied, "HOST gives robot$shop+pull from ", "check that shop/api exists"},
            3},
           {"insufficient_scope",
            token(),
            {401, {{"WWW-Authenticate", R"(Bearer realm="/token",error="insufficient_scope")"}}},
            {ErrorKind::denied, "no right to pull shop/api (401)"},
            3},
           {"403",
            token(),
            json(R"({"errors":[{"message":"permission_denied: read_package"}]})", 403),
            {ErrorKind::denied, "(403: \"permission_denied: read_package\")"},
            4},
           {"404", token(), {404}, {ErrorKind::not_found, "asked as robot$shop+pull"}, 4},
           {"an empty challenge, as Harbor to an unknown project",
            token(),
            {401, {{"WWW-Authenticate", ""}}},
            {ErrorKind::denied, "no right to pull shop/api (401)"},
            3},
           {"Basic, as Harbor to a token without rights",
            token(),
            {401, {{"WWW-Authenticate", R"(Basic realm="harbor")"}}},
            {ErrorKind::denied, "no right to pull shop/api (401)"},
            3},
       }) {
    CAPTURE(use.name);
    ScriptedServer server([&](const RecordedRequest& request) {
      return asks_for_token(request)                                  ? use.answer
             : request.header("authorization") == "Bearer " + k_token ? use.with_token
                                                                      : challenge();
    });
    Loopback loopback;
    loopback.plain_with_credential(server.host());
    const std::string image = server.host() + "/shop/api:1";
    check_fault(loopback.resolve(image), use.expected, server.host(), image);
    CHECK(server.requests().size() == use.requests);
    for (const RecordedRequest& request : server.requests()) {
      CHECK((request.header("authorization") != k_basic || asks_for_token(request)));
    }
  }
}

TEST_CASE("faults: lifetimes that are nonsense neither break anything nor loop") {
  for (const std::string more :
       {R"(,"expires_in":0)", R"(,"expires_in":-1)", R"(,"expires_in":1e300)",
        R"(,"expires_in":9223372036854775807)", R"(,"expires_in":18446744073709551615)",
        R"(,"expires_in":"60")", R"(,"expires_in":null)", R"(,"expires_in":{})",
        R"(,"expires_in":60,"issued_at":"2001-01-01T00:00:00Z")", R"(,"issued_at":"tomorrow")",
        R"(,"issued_at":5)", R"(,"access_token":null)", R"(,"refresh_token":"x")"}) {
    CAPTURE(more);
    ScriptedServer server([&](const RecordedRequest& request) {
      return asks_for_token(request)                                  ? token(more)
             : request.header("authorization") == "Bearer " + k_token ? good_tag()
                                                                      : challenge();
    });
    Loopback loopback;
    loopback.plain(server.host());
    CHECK(loopback.resolve(server.host() + "/shop/api:1").has_value());
    CHECK(server.requests().size() == 3);
    CHECK(loopback.resolve(server.host() + "/shop/api:1").has_value());
    CHECK(server.requests().size() == 4);  // the token is good for a moment
  }
}

TEST_CASE("faults: a token that has expired by the time it is used is asked for once more") {
  std::atomic<int> tokens = 0;
  ScriptedServer server([&](const RecordedRequest& request) {
    if (asks_for_token(request)) {
      return json("{\"token\":\"" + k_token + std::to_string(++tokens) + "\"}");
    }
    const std::string wanted = "Bearer " + k_token + std::to_string(tokens);
    const bool good = request.header("authorization") == wanted;
    return good ? good_tag() : challenge();
  });
  Loopback loopback;
  loopback.plain(server.host());
  const std::string image = server.host() + "/shop/api:1";
  CHECK(loopback.resolve(image).has_value());
  tokens = 5;  // what we hold opens nothing any more
  CHECK(loopback.resolve(image).has_value());
  CHECK(tokens == 6);
  loopback.world.clock.running += std::chrono::hours(25);  // and now we know that it is over
  CHECK(loopback.resolve(image).has_value());
  CHECK(tokens == 7);
}

TEST_CASE("faults: the token server fails for one tick only") {
  std::atomic<bool> down = true;
  ScriptedServer server([&](const RecordedRequest& request) {
    if (asks_for_token(request)) {
      return down ? ScriptedAnswer{503} : token();
    }
    return request.header("authorization").empty() ? challenge() : good_tag();
  });
  Loopback loopback;
  loopback.plain(server.host());
  const std::string image = server.host() + "/shop/api:1";
  check_fault(loopback.resolve(image), {ErrorKind::transient, "HOST answered 503"}, server.host(),
              image);
  down = false;
  CHECK(loopback.resolve(image).has_value());
}

}  // namespace
}  // namespace tallyman::test
