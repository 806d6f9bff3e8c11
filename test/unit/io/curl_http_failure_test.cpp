#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/temp_folder.hpp"
#include "tallyman/io/curl_http.hpp"
#include "unit/io/curl_fixture.hpp"
#include "unit/io/users.hpp"

namespace tallyman {

using test::Curl;
using test::RecordedRequest;
using test::ScriptedAnswer;
using test::ScriptedServer;
using test::TempFolder;
using test::WithoutRoot;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

namespace {

ScriptedServer::Script always(const ScriptedAnswer& answer) {
  return [answer](const RecordedRequest&) { return answer; };
}

void check(const TransportError& error, TransportFailure failure, ErrorKind kind,
           const std::string& message) {
  CHECK(error.failure == failure);
  CHECK(error.error.kind == kind);
  CHECK(error.error.message == message);
}

enum class Deaf {
  refusing,  ///< bound, but nobody listens
  silent,    ///< takes connections and never says a word
  full,      ///< has a full backlog
};

/// A port of this host that nobody serves.
class DeafPort {
 public:
  explicit DeafPort(Deaf how) : m_socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    m_address.sin_family = AF_INET;
    m_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof m_address;
    if (::bind(m_socket.get(), generic(), size) != 0 ||
        ::getsockname(m_socket.get(), generic(), &size) != 0) {
      throw std::runtime_error("bind");
    }
    ::fcntl(m_socket.get(), F_SETFL, O_NONBLOCK);
    if (how != Deaf::refusing) {
      ::listen(m_socket.get(), how == Deaf::full ? 0 : 64);
    }
    for (int i = 0; how == Deaf::full && i < 4; ++i) {
      m_queued.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      ::connect(m_queued.back().get(), generic(), size);
    }
  }
  [[nodiscard]] std::string host() const {
    return "127.0.0.1:" + std::to_string(ntohs(m_address.sin_port));
  }
  /// How many connected since the last question.
  [[nodiscard]] int connections() const {
    int count = 0;
    while (Fd(::accept4(m_socket.get(), nullptr, nullptr, SOCK_CLOEXEC)).valid()) {
      ++count;
    }
    return count;
  }

 private:
  sockaddr* generic() { return static_cast<sockaddr*>(static_cast<void*>(&m_address)); }

  sockaddr_in m_address{};
  Fd m_socket;
  std::vector<Fd> m_queued;
};

}  // namespace

TEST_CASE("a refused connection names host and port, and nothing of the query") {
  const DeafPort nobody(Deaf::refusing);
  Curl curl;
  check(curl.failure({.url = "http://" + nobody.host() + "/token?password=hidden"}),
        TransportFailure::connect, ErrorKind::transient, nobody.host() + " refused the connection");
  check(curl.failure({.url = "https://" + nobody.host() + "/"}), TransportFailure::connect,
        ErrorKind::transient, nobody.host() + " refused the connection");
}

TEST_CASE("no connection in time is a failure to connect") {
  const DeafPort full(Deaf::full);
  Curl curl;
  check(curl.failure({.url = "http://" + full.host() + "/", .connect_timeout = 200ms}),
        TransportFailure::connect, ErrorKind::transient,
        "no connection to " + full.host() + " in time");
}

TEST_CASE("a name that does not resolve is named") {
  Curl curl;
  const std::string name = std::string(70, 'x') + ".invalid";  // refused before any question
  check(curl.failure({.url = "https://" + name + "/?secret"}), TransportFailure::resolve,
        ErrorKind::transient, "cannot resolve " + name + ": no such host");
}

TEST_CASE("a plain server is no TLS server") {
  const ScriptedServer server(always({}));
  Curl curl;
  check(curl.failure({.url = "https://" + server.host() + "/"}), TransportFailure::tls,
        ErrorKind::tls, "no TLS on " + server.host() + ": wrong version number");
}

TEST_CASE("no TLS connection in time is a failure to connect") {
  const DeafPort silent(Deaf::silent);
  Curl curl;
  check(curl.failure({.url = "https://" + silent.host() + "/", .connect_timeout = 200ms}),
        TransportFailure::connect, ErrorKind::transient,
        "no connection to " + silent.host() + " in time");
}

TEST_CASE("a dead host is tried once for all who wait for it") {
  const DeafPort silent(Deaf::silent);
  Curl curl;
  int failed = 0;
  const auto count = [&](const HttpResult& result) {
    failed += !result && result.error().failure == TransportFailure::connect ? 1 : 0;
  };
  const HttpRequest request{.url = "https://" + silent.host() + "/", .connect_timeout = 200ms};
  for (int i = 0; i < 20; ++i) {
    curl.http.send(request, count);
  }
  curl.http.run();
  CHECK(failed == 20);
  CHECK(silent.connections() == 1);

  SUBCASE("but again for who would have waited longer") {
    HttpRequest patient = request;
    patient.connect_timeout = 300ms;
    for (const HttpRequest& next : {request, patient, request, patient}) {
      curl.http.send(next, count);
    }
    curl.http.run();
    CHECK(failed == 24);
    CHECK(silent.connections() == 2);
  }
  SUBCASE("and again for who comes later") {
    bool second = false;
    curl.http.send(request, [&](const HttpResult& result) {
      count(result);
      curl.http.send(request, [&](const HttpResult&) { second = true; });
    });
    curl.http.run();
    CHECK(second);
    CHECK(silent.connections() == 2);
  }
}

TEST_CASE("an answer that is too slow is a time-out, also on a connection that was used before") {
  const ScriptedServer server([](const RecordedRequest& request) {
    return request.target == "/good" ? ScriptedAnswer{.body = "good"} : ScriptedAnswer::never();
  });
  Curl curl;
  CHECK(curl.get(server.url("/good")).body == "good");
  check(curl.failure({.url = server.url("/slow"), .timeout = 500ms}), TransportFailure::timeout,
        ErrorKind::transient, server.host() + " did not answer in time");
}

TEST_CASE("bytes that drip in do not hold us longer than the time-out") {
  const ScriptedServer server(always(ScriptedAnswer::bytes(
      std::vector<std::string>(1000, "HTTP/1.1 200 OK\r\nX: y\r\n\r\n"), 20ms)));
  Curl curl;
  check(curl.failure({.url = server.url("/"), .timeout = 500ms}), TransportFailure::timeout,
        ErrorKind::transient, "the answer of " + server.host() + " did not end in time");
}

TEST_CASE("a connection without a byte is given up after stall_timeout") {
  const ScriptedServer server(always(ScriptedAnswer::never()));
  Curl curl;
  const TransportError error =
      curl.failure({.url = server.url("/"), .timeout = 0ms, .stall_timeout = 1s});
  CHECK(error.failure == TransportFailure::timeout);
  CHECK(error.error.kind == ErrorKind::transient);
}

TEST_CASE("an answer that is cut is no answer") {
  Curl curl;
  for (const std::vector<std::string>& pieces : std::vector<std::vector<std::string>>{
           {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"},
           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nshort"}}) {
    const ScriptedServer server(always(ScriptedAnswer::bytes(pieces)));
    check(curl.failure({.url = server.url("/")}), TransportFailure::cut, ErrorKind::transient,
          server.host() + " ended the connection within its answer");
  }
  const ScriptedServer mute(always(ScriptedAnswer::bytes({})));
  check(curl.failure({.url = mute.url("/")}), TransportFailure::cut, ErrorKind::transient,
        mute.host() + " ended the connection without an answer");
}

TEST_CASE("garbage is no HTTP") {
  Curl curl;
  const ScriptedServer server(always(ScriptedAnswer::bytes({"SSH-2.0-OpenSSH_9.2\r\n"})));
  check(curl.failure({.url = server.url("/")}), TransportFailure::other, ErrorKind::protocol,
        server.host() + " does not speak HTTP");
  const ScriptedServer odd(always(ScriptedAnswer::bytes({"HTTP/1.1 banana\r\n\r\n"})));
  const TransportError error = curl.failure({.url = odd.url("/")});
  CHECK(error.failure == TransportFailure::other);
  CHECK(error.error.kind == ErrorKind::protocol);
}

TEST_CASE("a body beyond max_body is refused, announced or not") {
  const std::string body(1001, 'x');
  const ScriptedServer announced(always({.body = body}));
  const ScriptedServer chunked(always(ScriptedAnswer::bytes(
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + body + "\r\n0\r\n\r\n"})));
  Curl curl;
  for (const ScriptedServer* server : {&announced, &chunked}) {
    check(curl.failure({.url = server->url("/"), .max_body = 1000}), TransportFailure::too_large,
          ErrorKind::protocol, server->host() + " answers with more than 1000 bytes");
    CHECK(curl.answer({.url = server->url("/"), .max_body = 1001}).body == body);
  }
}

TEST_CASE("headers without an end are refused") {
  Curl curl;
  const std::string line = "X: " + std::string(1000, 'x') + "\r\n";
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 70; ++i) {
    many += line;
  }
  const ScriptedServer server(always(ScriptedAnswer::bytes({many, "\r\n"})));
  check(curl.failure({.url = server.url("/")}), TransportFailure::too_large, ErrorKind::protocol,
        server.host() + " answers with more than 64 KiB of headers");
  const ScriptedServer endless(
      always(ScriptedAnswer::bytes({"HTTP/1.1 200 OK\r\nX: " + std::string(200'000, 'x')})));
  CHECK(curl.failure({.url = endless.url("/")}).failure == TransportFailure::too_large);
}

TEST_CASE("on_body ends a transfer by false, and by an exception") {
  const ScriptedServer server(always({.body = "body"}));
  Curl curl;
  check(curl.failure({.url = server.url("/"), .on_body = [](std::string_view) { return false; }}),
        TransportFailure::cancelled, ErrorKind::cancelled,
        "the answer of " + server.host() + " was not wanted to its end");
  check(curl.failure({.url = server.url("/"),
                      .on_body = [](std::string_view) -> bool { throw std::runtime_error("no"); }}),
        TransportFailure::other, ErrorKind::bug,
        "the answer of " + server.host() + " could not be taken in");
  CHECK(curl.get(server.url("/")).body == "body");
}

TEST_CASE("a line break within a header is never sent") {
  const ScriptedServer server(always({}));
  Curl curl;
  using Headers = test::Headers;
  for (const Headers& headers :
       {Headers{{"Authorization", "Bearer x\r\nX-Forged: y"}}, Headers{{"X\nY", "z"}},
        Headers{{"", "z"}}, Headers{{"X", std::string("a\0b", 3)}}}) {
    check(curl.failure({.url = server.url("/?secret"), .headers = headers}),
          TransportFailure::other, ErrorKind::protocol,
          "a control character in a header of a request to " + server.host());
  }
  CHECK(curl.failure({.method = "GET /x HTTP/1.1\r\n", .url = server.url("/")}).failure ==
        TransportFailure::other);
  CHECK(curl.failure({.url = server.url("/a\r\nb")}).failure == TransportFailure::other);
  CHECK(server.connections() == 0);
}

TEST_CASE("what is no URL for us is refused without repeating its secrets") {
  Curl curl;
  for (const char* url :
       {"", "http://", "http://a b/?secret", "http://x:99999/?secret", "ftp://127.0.0.1/?secret",
        "file:///etc/passwd", "http://user:secret@127.0.0.1/"}) {
    CAPTURE(url);
    const TransportError error = curl.failure({.url = url});
    CHECK(error.failure == TransportFailure::other);
    CHECK(error.error.kind == ErrorKind::protocol);
    CHECK(error.error.message.find("secret") == std::string::npos);
  }
}

TEST_CASE("a unix socket without a listener is named") {
  const TempFolder folder;
  const std::string missing = folder / "none.sock";
  const std::string stale = folder / "stale.sock";
  {
    const ScriptedServer gone(stale, always({}));
  }
  Curl curl;
  for (const std::string& path : {missing, stale}) {
    check(curl.failure({.url = "http://localhost/_ping", .unix_socket = path}),
          TransportFailure::connect, ErrorKind::transient, "nothing listens on " + path);
  }
  const std::string too_long = folder / std::string(200, 'x');
  const TransportError error =
      curl.failure({.url = "http://localhost/_ping", .unix_socket = too_long});
  CHECK(error.failure == TransportFailure::connect);
  CHECK(error.error.message.starts_with("cannot connect to " + too_long + ": "));
}

TEST_CASE("a unix socket without permission is named") {
  const TempFolder folder;
  const std::string path = folder / "engine.sock";
  const ScriptedServer server(path, always({}));
  ::chmod(folder.path().c_str(), 0755);
  ::chmod(path.c_str(), 0);
  Curl curl;
  const WithoutRoot nobody;
  check(curl.failure({.url = "http://localhost/_ping", .unix_socket = path}),
        TransportFailure::denied, ErrorKind::denied, "no permission on " + path);
}

}  // namespace tallyman
