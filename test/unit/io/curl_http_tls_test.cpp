#include <sys/stat.h>

#include <chrono>
#include <future>
#include <string>
#include <thread>

#include "support/temp_folder.hpp"
#include "tallyman/io/curl_http.hpp"
#include "tallyman/io/process.hpp"
#include "unit/io/curl_fixture.hpp"

namespace tallyman {

using test::Curl;
using test::TempFolder;
using std::chrono_literals::operator""s;

namespace {

const char* const k_path = "/usr/local/bin:/usr/bin:/bin";

/// `openssl s_server -www` for one connection, with a certificate that nobody trusts.
class TlsServer {
 public:
  explicit TlsServer(const std::string& version = "-tls1_3") {
    const Command make_certificate{
        .argv = {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost", "-addext",
                 "subjectAltName=DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem"},
        .directory = m_folder.path(),
        .environment = {{"PATH", k_path}}};
    const Result<Exit> made = PosixProcess().run(make_certificate);
    REQUIRE_MESSAGE((made && made->ok()), "apt-get install openssl");
    m_server = std::jthread([this, version] { serve(version); });
    m_port = m_listening.get_future().get();
  }

  [[nodiscard]] std::string host() const { return "127.0.0.1:" + m_port; }

 private:
  void serve(const std::string& version) {
    const std::string announced = "ACCEPT 127.0.0.1:";
    bool told = false;
    const Command command{.argv = {"openssl", "s_server", "-accept", "127.0.0.1:0", "-www", version,
                                   "-key", "key.pem", "-cert", "cert.pem", "-naccept", "1"},
                          .directory = m_folder.path(),
                          .environment = {{"PATH", k_path}},
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

  TempFolder m_folder;
  std::promise<std::string> m_listening;
  std::string m_port;
  std::jthread m_server;
};

}  // namespace

TEST_CASE("a certificate that nobody signed is not trusted") {
  const TlsServer server;
  Curl curl;
  const TransportError error = curl.failure({.url = "https://" + server.host() + "/"});
  CHECK(error.failure == TransportFailure::certificate);
  CHECK(error.error.kind == ErrorKind::tls);
  CHECK(error.error.message == "the certificate of " + server.host() +
                                   " is not trusted: SSL certificate problem: self-signed "
                                   "certificate");
}

TEST_CASE("without verify_tls any certificate will do, for another host too") {
  const TlsServer server;
  Curl curl;
  const HttpResponse response =
      curl.answer({.url = "https://" + server.host() + "/", .verify_tls = false});
  CHECK(response.status == 200);
  CHECK(response.body.find("s_server") != std::string::npos);
}

TEST_CASE("TLS below 1.2 is refused") {
  const TlsServer server("-tls1_1");
  Curl curl;
  const TransportError error =
      curl.failure({.url = "https://" + server.host() + "/", .verify_tls = false});
  CHECK(error.failure == TransportFailure::tls);
  CHECK(error.error.kind == ErrorKind::tls);
  CHECK(error.error.message.starts_with("the TLS handshake with " + server.host() + " failed: "));
}

}  // namespace tallyman
