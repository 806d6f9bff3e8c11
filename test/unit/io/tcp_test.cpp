#include "tallyman/io/tcp.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <string>
#include <vector>

#include "tallyman/io/fd.hpp"
#include "unit/io/curl_fixture.hpp"

namespace tallyman {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;

namespace {

/// A socket on a port of the loopback; without listen() it refuses connections.
class Port {
 public:
  explicit Port(int family) : m_socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in6 address{};
    socklen_t size = sizeof address;
    if (family == AF_INET6) {
      address.sin6_family = AF_INET6;
      address.sin6_addr = in6addr_loopback;
    } else {
      sockaddr_in v4{};
      v4.sin_family = AF_INET;
      v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      size = sizeof v4;
      std::memcpy(&address, &v4, size);
    }
    auto* const generic = static_cast<sockaddr*>(static_cast<void*>(&address));
    REQUIRE(::bind(m_socket.get(), generic, size) == 0);
    REQUIRE(::getsockname(m_socket.get(), generic, &size) == 0);
    m_number = ntohs(address.sin6_port);  // at the same place in both
  }
  void listen(int backlog = 8) const { REQUIRE(::listen(m_socket.get(), backlog) == 0); }
  [[nodiscard]] std::string on(const std::string& host) const {
    return host + ":" + std::to_string(m_number);
  }
  [[nodiscard]] int fd() const { return m_socket.get(); }

 private:
  Fd m_socket;
  int m_number = 0;
};

Error failure(const std::string& address, std::chrono::milliseconds timeout = 5s) {
  const Result<void> connected = connect_tcp(address, timeout);
  REQUIRE_FALSE(connected);
  return connected.error();
}

}  // namespace

TEST_CASE("connect_tcp finds who listens, by IPv4, IPv6 and name") {
  const Port v4(AF_INET);
  v4.listen();
  CHECK(connect_tcp(v4.on("127.0.0.1"), 5s));
  CHECK(connect_tcp(v4.on("localhost"), 5s));
  const Port v6(AF_INET6);
  v6.listen();
  CHECK(connect_tcp(v6.on("[::1]"), 5s));
}

TEST_CASE("connect_tcp sends nothing and hangs up") {
  const Port port(AF_INET);
  port.listen();
  REQUIRE(connect_tcp(port.on("127.0.0.1"), 5s));
  const Fd accepted(::accept(port.fd(), nullptr, nullptr));
  REQUIRE(accepted.valid());
  char byte = 0;
  CHECK(::recv(accepted.get(), &byte, 1, 0) == 0);
}

TEST_CASE("connect_tcp goes past every proxy") {
  const test::Variable proxy("http_proxy", "http://127.0.0.1:1");
  const test::Variable all("ALL_PROXY", "socks5://127.0.0.1:1");
  const Port port(AF_INET);
  port.listen();
  CHECK(connect_tcp(port.on("127.0.0.1"), 5s));
}

TEST_CASE("connect_tcp says why nobody answers") {
  const Port port(AF_INET);
  const std::string address = port.on("127.0.0.1");
  CHECK(failure(address).kind == ErrorKind::transient);
  CHECK(failure(address).message == address + ": connection refused");
  const Error unknown = failure("no-such-host.invalid:80");
  CHECK(unknown.kind == ErrorKind::transient);
  CHECK(unknown.message.starts_with("no-such-host.invalid:80: no"));
}

TEST_CASE("connect_tcp waits as long as it is told") {
  const Port port(AF_INET);
  port.listen(0);
  const std::string address = port.on("127.0.0.1");
  // Linux takes one more than the backlog, then lets the next ones wait.
  std::vector<Fd> waiting;
  sockaddr_in to{};
  socklen_t size = sizeof to;
  auto* const generic = static_cast<sockaddr*>(static_cast<void*>(&to));
  REQUIRE(::getsockname(port.fd(), generic, &size) == 0);
  for (int i = 0; i < 4; ++i) {
    waiting.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    static_cast<void>(::connect(waiting.back().get(), generic, size));
  }
  const auto before = std::chrono::steady_clock::now();
  const Error error = failure(address, 200ms);
  CHECK(std::chrono::steady_clock::now() - before >= 190ms);
  CHECK(std::chrono::steady_clock::now() - before < 3s);
  CHECK(error.kind == ErrorKind::transient);
  CHECK(error.message == address + ": no connection within 200 ms");
}

TEST_CASE("connect_tcp takes HOST:PORT and nothing else") {
  for (const char* const address :
       {"", ":", ":80", "db", "db:", "db:x", "db:80/x", "a@db:80", "http://db:80", "db:80?x", "::1",
        "db :80", "db:99999", "[::1:80"}) {
    CAPTURE(address);
    CHECK(failure(address, 200ms).kind == ErrorKind::config);
  }
}

}  // namespace tallyman
