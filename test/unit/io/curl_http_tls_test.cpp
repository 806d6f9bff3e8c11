#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/authority.hpp"
#include "tallyman/io/curl_http.hpp"
#include "unit/io/curl_fixture.hpp"

namespace tallyman {

using test::Authority;
using test::Curl;
using test::TlsServer;
using test::Variable;
using std::chrono_literals::operator""s;

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::shared_ptr<HttpRoute> trusting(const Authority& authority) {
  auto route = std::make_shared<HttpRoute>();
  route->roots = authority.pem("ca.pem");
  return route;
}

std::shared_ptr<HttpRoute> as_client(const Authority& servers, const Authority& clients,
                                     const std::string& name) {
  auto route = trusting(servers);
  route->client_cert = clients.pem(name + ".pem");
  route->client_key = Secret(clients.pem(name + ".key"));
  return route;
}

TransportError failure_of(Curl& curl, const TlsServer& server,
                          std::shared_ptr<const HttpRoute> route = {}) {
  return curl.failure({.url = server.url(), .route = std::move(route)});
}

/// `openssl s_server` for one connection, of an old version of TLS.
class OldServer {
 public:
  explicit OldServer(const std::string& version) {
    m_authority.issue("registry");
    m_server = std::jthread([this, version] { serve(version); });
    m_port = m_listening.get_future().get();
  }

  [[nodiscard]] std::string host() const { return "127.0.0.1:" + m_port; }

 private:
  void serve(const std::string& version) {
    const std::string announced = "ACCEPT 127.0.0.1:";
    bool told = false;
    const Command command{
        .argv = {"openssl", "s_server", "-accept", "127.0.0.1:0", "-www", version, "-key",
                 "registry.key", "-cert", "registry.pem", "-naccept", "1"},
        .directory = m_authority.folder().path(),
        .environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}},
        .timeout = 20s,
        .on_line = [&](std::string_view line) {
          if (!told && line.starts_with(announced)) {
            told = true;
            m_listening.set_value(std::string(line.substr(announced.size())));
          }
        }};
    static_cast<void>(PosixProcess().run(command));
    if (!told) {
      m_listening.set_value("1");  // refuses: the test fails and does not hang
    }
  }

  Authority m_authority;
  std::promise<std::string> m_listening;
  std::string m_port;
  std::jthread m_server;
};

}  // namespace

TEST_CASE("a certificate is trusted by a route's roots, and by nobody else's") {
  Authority acme;
  acme.issue("registry");
  const Authority other("Other Root");
  const TlsServer server(acme, "registry");
  Curl curl;
  for (int round = 0; round < 2; ++round) {  // the second time a good connection is there
    const TransportError alone = failure_of(curl, server);
    CHECK(alone.failure == TransportFailure::certificate);
    CHECK(alone.error.kind == ErrorKind::tls);
    CHECK(alone.error.message == "the certificate of " + server.host() +
                                     " is not trusted: this host does not know the issuer "
                                     "CN=Acme Root,O=Acme of CN=registry");
    CHECK(failure_of(curl, server, trusting(other)).failure == TransportFailure::certificate);
    CHECK(curl.answer({.url = server.url(), .route = trusting(acme)}).body.ends_with(" -"));
    CHECK(curl.answer({.url = server.url(), .verify_tls = false}).body.ends_with(" -"));
  }
}

TEST_CASE("connections are kept for equal routes") {
  Authority acme;
  acme.issue("registry");
  const TlsServer server(acme, "registry");
  Curl curl;
  const auto route = trusting(acme);
  const std::string first = curl.answer({.url = server.url(), .route = route}).body;
  CHECK(curl.answer({.url = server.url(), .route = route}).body == first);
  CHECK(curl.answer({.url = server.url(), .route = trusting(acme)}).body == first);
  CHECK(curl.answer({.url = server.url(), .route = route}).peer == "127.0.0.1");
}

TEST_CASE("the system's roots count beside a route's: of the folder, and of the bundle") {
  Authority acme;
  acme.issue("registry");
  const TlsServer server(acme, "registry");
  const Authority other("Other Root");
  const std::string empty = other.folder().path();
  const std::string bundle =
      other.folder().write("bundle", other.pem("ca.pem") + acme.pem("ca.pem"));
  for (const auto& route : {std::shared_ptr<HttpRoute>(), trusting(other)}) {
    const Variable folder("SSL_CERT_DIR", empty.c_str());
    {
      const Variable file("SSL_CERT_FILE", bundle.c_str());
      Curl curl;
      CHECK(curl.answer({.url = server.url(), .route = route}).status == 200);
    }
    const Variable file("SSL_CERT_FILE", (empty + "/missing").c_str());
    Curl curl;
    CHECK(failure_of(curl, server, route).failure == TransportFailure::certificate);
  }
  // Of a folder OpenSSL reads what is named by the hash of its subject.
  const Result<Exit> hashed = PosixProcess().run(
      {.argv = {"openssl", "rehash", empty}, .environment = {{"PATH", "/usr/bin:/bin"}}});
  REQUIRE((hashed && hashed->ok()));
  const Result<Exit> hashed_acme =
      PosixProcess().run({.argv = {"openssl", "rehash", acme.folder().path()},
                          .environment = {{"PATH", "/usr/bin:/bin"}}});
  REQUIRE((hashed_acme && hashed_acme->ok()));
  const Variable file("SSL_CERT_FILE", (empty + "/missing").c_str());
  for (const bool right : {false, true}) {
    const Variable folder("SSL_CERT_DIR", right ? acme.folder().path().c_str() : empty.c_str());
    Curl curl;
    const HttpResult result = curl.http.fetch({.url = server.url()});
    CHECK(result.has_value() == right);
  }
}

TEST_CASE("what is wrong with a certificate is said") {
  Authority acme;
  acme.issue("old", "IP:127.0.0.1", "2020-03-01 00:00:00");
  acme.issue("early", "IP:127.0.0.1", "2090-03-01 00:00:00");
  acme.issue("elsewhere", "DNS:harbor.lan,DNS:*.acme.lan,IP:10.0.0.5");
  struct Row {
    std::string name, message, remedy;
  };
  for (const Row& row : std::vector<Row>{
           {"old", " (CN=old, issued by CN=Acme Root,O=Acme) expired on 2020-03-02T00:00:0",
            "renew it"},
           {"early",
            " (CN=early, issued by CN=Acme Root,O=Acme) is not valid before 2090-03-01T00:00:0",
            "clock"},
           {"elsewhere",
            " is for another host: harbor.lan, *.acme.lan, 10.0.0.5 (issued by CN=Acme "
            "Root,O=Acme)",
            "have one made for 127.0.0.1"}}) {
    CAPTURE(row.name);
    const TlsServer server(acme, row.name);
    Curl curl;
    const TransportError error = failure_of(curl, server, trusting(acme));
    CHECK(error.failure == TransportFailure::certificate);
    CHECK(error.error.kind == ErrorKind::tls);
    CHECK_MESSAGE(
        error.error.message.starts_with("the certificate of " + server.host() + row.message),
        error.error.message);
    CHECK_MESSAGE(has(error.error.remedy, row.remedy), error.error.remedy);
    CHECK(curl.answer({.url = server.url(), .verify_tls = false}).status == 200);
  }
}

TEST_CASE("one that signed itself is not trusted, unless it is among the roots") {
  const Authority self("127.0.0.1");
  const TlsServer server(self, "ca");
  Curl curl;
  const TransportError error = failure_of(curl, server);
  CHECK(error.failure == TransportFailure::certificate);
  CHECK(error.error.message == "the certificate of " + server.host() +
                                   " is not trusted: it is a self-signed certificate "
                                   "(CN=127.0.0.1,O=Acme)");
  CHECK(error.error.remedy.empty());
}

TEST_CASE("a client certificate goes where it is meant to, and connections do not mix them up") {
  Authority acme;
  acme.issue("registry");
  Authority clients("Client Root");
  clients.issue("alice");
  clients.issue("bob");
  const TlsServer server(acme, "registry", clients.file("ca.pem"), true);
  Curl curl;
  struct Row {
    std::shared_ptr<const HttpRoute> route;
    std::string name;
  };
  const std::vector<Row> rows = {{as_client(acme, clients, "alice"), " alice"},
                                 {as_client(acme, clients, "bob"), " bob"},
                                 {trusting(acme), " -"}};
  int answers = 0;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 30; ++i) {  // side by side
      const Row& row = rows[static_cast<std::size_t>(i) % rows.size()];
      curl.http.send({.url = server.url(), .route = row.route},
                     [&answers, name = row.name](HttpResult result) {
                       REQUIRE_MESSAGE(result, (result ? "" : result.error().error.message));
                       CHECK_MESSAGE(result->body.ends_with(name), result->body);
                       ++answers;
                     });
    }
    curl.http.run();
  }
  CHECK(answers == 60);
  // Nothing of us goes to whom we do not verify.
  CHECK(curl.answer({.url = server.url(), .verify_tls = false, .route = rows[0].route})
            .body.ends_with(" -"));
}

TEST_CASE(
    "a client certificate that is wanted and missing, or not taken, is a failure of its own") {
  Authority acme;
  acme.issue("registry");
  Authority clients("Client Root");
  clients.issue("alice");
  Authority strangers("Stranger");
  strangers.issue("mallory");
  const TlsServer server(acme, "registry", clients.file("ca.pem"));
  Curl curl;
  const TransportError missing = failure_of(curl, server, trusting(acme));
  CHECK(missing.failure == TransportFailure::client_certificate);
  CHECK(missing.error.kind == ErrorKind::tls);
  CHECK(missing.error.message == server.host() + " wants a client certificate, and there is none");
  const TransportError refused = failure_of(curl, server, as_client(acme, strangers, "mallory"));
  // The alert can be overtaken by the end of the connection.
  CHECK((refused.failure == TransportFailure::client_certificate ||
         refused.failure == TransportFailure::cut));
  CHECK_MESSAGE(has(refused.error.message, " does not take our client certificate"),
                refused.error.message);
  CHECK(has(refused.error.message, server.host()));
  CHECK(curl.answer({.url = server.url(), .route = as_client(acme, clients, "alice")})
            .body.ends_with(" alice"));
}

TEST_CASE("TLS below 1.2 is refused") {
  const OldServer server("-tls1_1");
  Curl curl;
  const TransportError error =
      curl.failure({.url = "https://" + server.host() + "/", .verify_tls = false});
  CHECK(error.failure == TransportFailure::tls);
  CHECK(error.error.kind == ErrorKind::tls);
  CHECK(error.error.message.starts_with("the TLS handshake with " + server.host() + " failed: "));
}

}  // namespace tallyman
