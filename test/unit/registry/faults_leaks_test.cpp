#include <string>
#include <vector>

#include "support/tls_wire.hpp"
#include "unit/registry/faults.hpp"

/// The leak rules, each shown by what the servers received.
namespace tallyman::test {
namespace {

ScriptedAnswer bearer_challenge(const std::string& realm) {
  return {401, {{"WWW-Authenticate", "Bearer realm=\"" + realm + "\",service=\"s\""}}};
}
ScriptedAnswer basic_challenge() {
  return {401, {{"WWW-Authenticate", "Basic realm=\"x\""}}};
}

/// The Authorization of every request, "" for none.
std::vector<std::string> received(const ScriptedServer& server) {
  std::vector<std::string> all;
  for (const RecordedRequest& request : server.requests()) {
    all.push_back(request.header("authorization"));
    CHECK(request.header("cookie").empty());
  }
  return all;
}
using Received = std::vector<std::string>;

/// Gives out k_token for the credential, and answers `then` to who brings it.
ScriptedServer::Script registry_with(ScriptedAnswer then) {
  return [then = std::move(then)](const RecordedRequest& request) -> ScriptedAnswer {
    const std::string authorization = request.header("authorization");
    if (request.target.starts_with("/token")) {
      return authorization == k_basic ? ScriptedAnswer{200, {}, "{\"token\":\"" + k_token + "\"}"}
                                      : ScriptedAnswer{401};
    }
    return authorization == "Bearer " + k_token ? then : bearer_challenge("/token");
  };
}

TEST_CASE("leaks: nothing is sent before it is asked for, and Basic only to the token server") {
  ScriptedServer server(registry_with(good_tag()));
  Loopback loopback;
  loopback.plain_with_credential(server.host());
  CHECK(loopback.resolve(server.host() + "/a:1").has_value());
  CHECK(loopback.resolve(server.host() + "/a:2").has_value());
  CHECK(received(server) == Received{"", k_basic, "Bearer " + k_token, "Bearer " + k_token});
}

TEST_CASE("leaks: Basic goes to the registry where that asks for it, and to nobody else") {
  ScriptedServer asking([](const RecordedRequest& request) {
    return request.header("authorization") == k_basic ? good_tag() : basic_challenge();
  });
  ScriptedServer other([](const RecordedRequest&) { return basic_challenge(); });
  Loopback loopback;
  loopback.plain_with_credential(asking.host());
  loopback.plain(other.host());
  CHECK(loopback.resolve(asking.host() + "/a:1").has_value());
  CHECK_FALSE(loopback.resolve(other.host() + "/a:1").has_value());
  CHECK(received(asking) == Received{"", k_basic});
  CHECK(received(other) == Received{""});
}

TEST_CASE("leaks: a token goes to its issuer only, not to where that redirects") {
  // Another port and another name are other origins.
  for (const bool by_name : {false, true}) {
    CAPTURE(by_name);
    ScriptedServer target([](const RecordedRequest&) { return good_tag(); });
    const std::string port = target.host().substr(target.host().find(':'));
    const std::string place = (by_name ? "localhost" : "127.0.0.1") + port;
    ScriptedServer server(registry_with({307, {{"Location", "http://" + place + "/x"}}}));
    Loopback loopback;
    loopback.plain_with_credential(server.host());
    CHECK(loopback.resolve(server.host() + "/a:1").has_value());
    CHECK(received(server) == Received{"", k_basic, "Bearer " + k_token});
    CHECK(received(target) == Received{""});
  }
}

TEST_CASE("leaks: where a registry redirects to gets no credential, whatever it asks for") {
  for (const bool basic : {true, false}) {
    CAPTURE(basic);
    ScriptedServer target([&](const RecordedRequest&) {
      return basic ? basic_challenge() : bearer_challenge("/token");
    });
    ScriptedServer server(registry_with({307, {{"Location", target.url("/v2/a/manifests/1")}}}));
    Loopback loopback;
    loopback.plain_with_credential(server.host());
    const std::string image = server.host() + "/a:1";
    check_fault(loopback.resolve(image),
                {ErrorKind::auth, target.host() + ", where HOST redirects to"}, server.host(),
                image);
    for (const std::string& authorization : received(target)) {
      CHECK(authorization.empty());
    }
  }
}

TEST_CASE("leaks: Basic is not carried over a redirect to another origin") {
  ScriptedServer target([](const RecordedRequest&) { return good_tag(); });
  ScriptedServer server([&](const RecordedRequest& request) -> ScriptedAnswer {
    if (request.header("authorization") != k_basic) {
      return basic_challenge();
    }
    return {308, {{"Location", target.url("/x")}}};
  });
  Loopback loopback;
  loopback.plain_with_credential(server.host());
  CHECK(loopback.resolve(server.host() + "/a:1").has_value());
  CHECK(received(server) == Received{"", k_basic});
  CHECK(received(target) == Received{""});
}

TEST_CASE("leaks: a token server elsewhere without encryption receives nothing at all") {
  ScriptedServer thief([](const RecordedRequest&) { return ScriptedAnswer{200}; });
  const std::string image = "/a:1";
  SUBCASE("named by the registry") {
    ScriptedServer server(
        [&](const RecordedRequest&) { return bearer_challenge(thief.url("/token")); });
    Loopback loopback;
    loopback.plain_with_credential(server.host());
    check_fault(loopback.resolve(server.host() + image),
                {ErrorKind::protocol, "names a token server without encryption"}, server.host(),
                server.host() + image);
  }
  SUBCASE("where the token server redirects to") {
    ScriptedServer server([&](const RecordedRequest& request) -> ScriptedAnswer {
      return request.target.starts_with("/token")
                 ? ScriptedAnswer{307, {{"Location", thief.url("/token")}}}
                 : bearer_challenge("/token");
    });
    Loopback loopback;
    loopback.plain_with_credential(server.host());
    check_fault(loopback.resolve(server.host() + image),
                {ErrorKind::protocol, "a token server without encryption"}, server.host(),
                server.host() + image);
  }
  CHECK(thief.connections() == 0);
}

TEST_CASE("leaks: nothing secret over http after a fall-back from https") {
  ScriptedServer server([](const RecordedRequest&) { return basic_challenge(); });
  Loopback loopback;
  loopback.plain_with_credential(server.host());
  loopback.world.settings[server.host()].plain_http = false;
  const std::string image = server.host() + "/a:1";
  SUBCASE("that the engine's list allows") {
    loopback.world.insecure.cidrs = {"127.0.0.0/8"};
    check_fault(loopback.resolve(image),
                {ErrorKind::auth, "was withheld: the engine lists the registry as insecure",
                 "plain_http = true"},
                server.host(), image);
  }
  SUBCASE("that only finds out what is there") {
    check_fault(loopback.resolve(image),
                {ErrorKind::tls, "but answers http on", "plain_http = true"}, server.host(), image);
  }
  CHECK(received(server) == Received{""});
}

TEST_CASE("leaks: nothing secret over https that nobody vouches for") {
  const Certified identity = make_certificate();
  ScriptedServer server(TlsWire::maker({&identity}),
                        [](const RecordedRequest&) { return basic_challenge(); });
  Loopback loopback;
  loopback.plain_with_credential(server.host());
  loopback.world.settings[server.host()].plain_http = false;
  const std::string image = server.host() + "/a:1";
  SUBCASE("not listed: nothing is sent") {
    check_fault(loopback.resolve(image), {ErrorKind::tls, "the certificate of HOST is not trusted"},
                server.host(), image);
    CHECK(received(server).empty());
  }
  SUBCASE("listed: asked, but without the credential") {
    loopback.world.insecure.hosts = {server.host()};
    check_fault(loopback.resolve(image),
                {ErrorKind::auth, "https with a certificate that is not trusted"}, server.host(),
                image);
    CHECK(received(server) == Received{""});
  }
}

TEST_CASE("leaks: cookies are not kept") {
  ScriptedServer server([](const RecordedRequest&) {
    ScriptedAnswer answer = good_tag();
    answer.headers.emplace_back("Set-Cookie", "sid=1; Path=/");
    return answer;
  });
  Loopback loopback;
  loopback.plain(server.host());
  CHECK(loopback.resolve(server.host() + "/a:1").has_value());
  CHECK(loopback.resolve(server.host() + "/a:2").has_value());
  CHECK(received(server) == Received{"", ""});
}

}  // namespace
}  // namespace tallyman::test
