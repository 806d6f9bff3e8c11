#include "../src/io/proxy.hpp"

#include <memory>
#include <string>
#include <vector>

#include "support/temp_folder.hpp"
#include "tallyman/io/encoding.hpp"
#include "unit/io/curl_fixture.hpp"

namespace tallyman {

using test::Curl;
using test::RecordedRequest;
using test::ScriptedAnswer;
using test::ScriptedServer;
using test::Variable;

namespace {

/// None of this machine's own variables, while it lives.
struct NoVariables {
  Variable a{"http_proxy", ""}, b{"HTTP_PROXY", ""}, c{"https_proxy", ""}, d{"HTTPS_PROXY", ""},
      e{"all_proxy", ""}, f{"ALL_PROXY", ""}, g{"no_proxy", ""}, h{"NO_PROXY", ""};
};

/// "http://proxy.lan:3128 $HTTPS_PROXY", or "" for none.
std::string choice(const std::string& url) {
  const auto proxy = proxy_for({.url = url});
  return proxy ? proxy->name + " " + proxy->source : "";
}

std::shared_ptr<HttpRoute> by(const std::string& proxy) {
  auto route = std::make_shared<HttpRoute>();
  route->proxy = proxy;
  route->proxy_source = "proxy of [registry.\"harbor.lan\"]";
  return route;
}

ScriptedServer::Script always(const ScriptedAnswer& answer) {
  return [answer](const RecordedRequest&) { return answer; };
}

/// Of a request through `proxy`, whose URL has a password.
TransportError failure_through(const std::string& host, const std::string& url,
                               const std::string& login = "robot:s3cr3t@") {
  Curl curl;
  const TransportError error = curl.failure({.url = url, .route = by("http://" + login + host)});
  CHECK_FALSE(error.error.message.contains("s3cr3t"));
  CHECK_FALSE(error.error.remedy.contains("s3cr3t"));
  return error;
}

const std::string k_source = " (proxy of [registry.\"harbor.lan\"])";

}  // namespace

TEST_CASE("the proxy of a request is the variable's of its scheme, in both cases") {
  struct Row {
    const char* variable;
    std::string http, https;
  };
  for (const Row& row : {
           Row{"http_proxy", "http://p.lan:3128 $http_proxy", ""},
           Row{"HTTP_PROXY", "http://p.lan:3128 $HTTP_PROXY", ""},
           Row{"https_proxy", "", "http://p.lan:3128 $https_proxy"},
           Row{"HTTPS_PROXY", "", "http://p.lan:3128 $HTTPS_PROXY"},
           Row{"all_proxy", "http://p.lan:3128 $all_proxy", "http://p.lan:3128 $all_proxy"},
           Row{"ALL_PROXY", "http://p.lan:3128 $ALL_PROXY", "http://p.lan:3128 $ALL_PROXY"},
       }) {
    CAPTURE(row.variable);
    const NoVariables none;
    CHECK(choice("https://ghcr.io/v2/").empty());
    const Variable set(row.variable, "http://user:s3cr3t@p.lan:3128/");
    CHECK(choice("http://harbor.lan/v2/") == row.http);
    CHECK(choice("https://harbor.lan/v2/") == row.https);
    CHECK(choice("https://127.0.0.1:5000/v2/").empty());
    CHECK(choice("http://localhost:5000/v2/").empty());
    CHECK(choice("https://[::1]:5000/v2/").empty());
    CHECK_FALSE(proxy_for({.url = "http://docker/_ping", .unix_socket = "/run/docker.sock"}));
    const Variable exempt("NO_PROXY", "other.lan, .harbor.lan");
    CHECK(choice("http://harbor.lan/v2/").empty());
    CHECK(choice("https://harbor.lan/v2/").empty());
  }
}

TEST_CASE("scheme and port of a proxy may be left out") {
  const NoVariables none;
  for (const auto& [url, name] : std::vector<std::pair<std::string, std::string>>{
           {"p.lan:3128", "http://p.lan:3128"},
           {"p.lan", "http://p.lan:80"},
           {"https://p.lan", "https://p.lan:443"},
           {"socks5h://p.lan", "socks5h://p.lan:1080"},
           {"http://[fd00::1]:3128", "http://[fd00::1]:3128"},
           {"http://p.lan:99999", "(no valid URL)"}}) {
    const Variable set("https_proxy", url.c_str());
    CHECK(choice("https://ghcr.io/") == name + " $https_proxy");
  }
}

TEST_CASE("a route's proxy counts, whatever the variables say") {
  const NoVariables none;
  const Variable set("https_proxy", "http://p.lan:3128");
  const Variable exempt("no_proxy", "harbor.lan");
  const auto proxy = proxy_for({.url = "https://harbor.lan/", .route = by("http://q.lan:1")});
  REQUIRE(proxy);
  CHECK(proxy->name == "http://q.lan:1");
  CHECK_FALSE(proxy_for({.url = "https://ghcr.io/", .route = by("")}));
}

TEST_CASE("no_proxy as docker reads it") {
  struct Row {
    const char* list;
    const char* host;
    const char* port;
    bool exempt;
  };
  for (const Row& row : {
           Row{"", "harbor.lan", "443", false},
           Row{"*", "harbor.lan", "443", true},
           Row{"a.lan,*", "harbor.lan", "443", true},
           Row{"harbor.lan", "harbor.lan", "443", true},
           Row{"HARBOR.lan", "harbor.LAN", "443", true},
           Row{"harbor.lan", "my.harbor.lan", "443", true},
           Row{"harbor.lan", "myharbor.lan", "443", false},
           Row{".lan", "harbor.lan", "443", true},
           Row{"*.lan", "harbor.lan", "443", true},
           Row{"*.lan", "harbor.plan", "443", false},
           Row{"harbor.lan:5000", "harbor.lan", "5000", true},
           Row{"harbor.lan:5000", "harbor.lan", "443", false},
           Row{"a.lan b.lan", "b.lan", "443", true},
           Row{" a.lan , b.lan ", "b.lan", "443", true},
           Row{"10.0.0.5", "10.0.0.5", "80", true},
           Row{"10.0.0.5:80", "10.0.0.5", "80", true},
           Row{"10.0.0.5", "10.0.0.50", "80", false},
           Row{"10.0.0.0/8", "10.1.2.3", "80", true},
           Row{"10.0.0.0/8", "11.1.2.3", "80", false},
           Row{"10.0.0.0/33", "10.0.0.0", "80", false},
           Row{"172.16.0.0/12", "172.31.255.255", "80", true},
           Row{"172.16.0.0/12", "172.32.0.0", "80", false},
           Row{"0.0.0.5", "10.0.0.5", "80", false},
           Row{"fd00::1", "[fd00::1]", "443", true},
           Row{"[fd00::1]", "[fd00::1]", "443", true},
           Row{"[fd00::1]:5000", "[fd00::1]", "5000", true},
           Row{"[fd00::1]:5000", "[fd00::1]", "443", false},
           Row{"fd00::/8", "[fd12::1]", "443", true},
           Row{"fd00::/8", "[fe80::1]", "443", false},
           Row{".", "harbor.lan", "443", false},
           Row{",,", "harbor.lan", "443", false},
       }) {
    CAPTURE(row.list);
    CAPTURE(row.host);
    CHECK(is_exempt(row.list, row.host, row.port) == row.exempt);
  }
}

TEST_CASE("a request goes through its proxy, with user and password") {
  const ScriptedServer proxy(
      [](const RecordedRequest& request) -> ScriptedAnswer { return {.body = request.target}; });
  Curl curl;
  const NoVariables none;
  const Variable variable("HTTP_PROXY", ("http://robot:pw@" + proxy.host()).c_str());
  const HttpResponse response = curl.get("http://registry.invalid/v2/");
  CHECK(response.body == "http://registry.invalid/v2/");
  CHECK(response.peer.empty());
  CHECK(proxy.requests().at(0).header("proxy-authorization") ==
        "Basic " + base64_encode("robot:pw"));
}

TEST_CASE("the engine's socket is never behind a proxy") {
  const test::TempFolder folder;
  const std::string socket = folder / "engine.sock";
  const ScriptedServer server(socket, always({.body = "engine"}));
  Curl curl;
  const NoVariables none;
  const Variable proxy("http_proxy", "http://127.0.0.1:1");
  const Variable all("ALL_PROXY", "http://127.0.0.1:1");
  CHECK(curl.answer({.url = "http://docker/_ping", .unix_socket = socket}).body == "engine");
}

TEST_CASE("a proxy that refuses is named, where it stands too, and never its password") {
  struct Row {
    int status;
    std::string login;
    ErrorKind kind;
    std::string words, remedy;
  };
  for (const Row& row : {
           Row{403, "", ErrorKind::denied, "refuses the way (403)",
               "have the proxy allow CONNECT to registry.invalid:443"},
           Row{407, "", ErrorKind::auth, "wants a login (407)",
               "put user and password in proxy of"},
           Row{407, "robot:s3cr3t@", ErrorKind::auth, "rejects our user name and password (407)",
               "correct user and password in proxy of"},
           Row{401, "robot:s3cr3t@", ErrorKind::auth, "rejects our user name and password (401)",
               "correct user and password in proxy of"},
           Row{502, "", ErrorKind::transient, "answers 502", "correct proxy of"},
       }) {
    CAPTURE(row.status);
    const ScriptedServer proxy(always({.status = row.status}));
    const TransportError error =
        failure_through(proxy.host(), "https://registry.invalid/", row.login);
    CHECK(error.failure == TransportFailure::proxy);
    CHECK(error.error.kind == row.kind);
    CHECK(error.error.message == "the proxy http://" + proxy.host() + k_source + " " + row.words +
                                     ", on the way to registry.invalid:443");
    CHECK_MESSAGE(error.error.remedy.contains(row.remedy), error.error.remedy);
    CHECK(proxy.requests().at(0).method == "CONNECT");
  }
}

TEST_CASE("without a tunnel a proxy's 407 is the proxy's, too") {
  const ScriptedServer proxy(always({.status = 407}));
  const TransportError error = failure_through(proxy.host(), "http://registry.invalid/");
  CHECK(error.failure == TransportFailure::proxy);
  CHECK(error.error.kind == ErrorKind::auth);
}

TEST_CASE("a proxy that is not there is not taken for the registry") {
  std::string gone;
  {
    const ScriptedServer proxy(always({}));
    gone = proxy.host();
  }
  const TransportError refused = failure_through(gone, "https://registry.invalid/");
  CHECK(refused.failure == TransportFailure::proxy);
  CHECK(refused.error.kind == ErrorKind::transient);
  CHECK(refused.error.message == "the proxy http://" + gone + k_source +
                                     " refused the connection, on the way to "
                                     "registry.invalid:443");
  const std::string nowhere = std::string(70, 'x') + ".invalid:3128";
  const TransportError unknown = failure_through(nowhere, "https://127.0.0.1/");
  CHECK(unknown.failure == TransportFailure::proxy);
  CHECK(unknown.error.message == "the proxy http://" + nowhere + k_source +
                                     " cannot be resolved, on the way to 127.0.0.1:443");
  const ScriptedServer silent(always(ScriptedAnswer::never()));
  Curl curl;
  const TransportError slow = curl.failure({.url = "https://registry.invalid/",
                                            .route = by("http://" + silent.host()),
                                            .connect_timeout = std::chrono::milliseconds(200)});
  CHECK(slow.failure == TransportFailure::proxy);
  CHECK(slow.error.message.contains("gave no connection in time"));
}

}  // namespace tallyman
