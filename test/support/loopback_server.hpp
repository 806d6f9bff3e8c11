#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <functional>
#include <list>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "support/wire.hpp"
#include "tallyman/io/fd.hpp"

namespace tallyman::test {

/// 127.0.0.1 on a port of the kernel's choice, or a unix socket; one thread per connection.
class LoopbackServer {
 public:
  using Serve = std::function<void(Wire&)>;

  LoopbackServer(WireMaker make_wire, Serve serve)
      : m_make_wire(std::move(make_wire)), m_serve(std::move(serve)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listen_on(AF_INET, &address, sizeof address);
    socklen_t size = sizeof address;
    if (::getsockname(m_listener.get(), generic(&address), &size) != 0) {
      throw std::runtime_error("getsockname");
    }
    m_port = ntohs(address.sin_port);
  }

  LoopbackServer(const std::string& unix_socket, Serve serve)
      : m_make_wire(plain_wire), m_serve(std::move(serve)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (unix_socket.size() >= sizeof address.sun_path) {
      throw std::runtime_error("too long for a socket: " + unix_socket);
    }
    std::memcpy(address.sun_path, unix_socket.c_str(), unix_socket.size() + 1);
    listen_on(AF_UNIX, &address, sizeof address);
  }

  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;
  ~LoopbackServer() { ::eventfd_write(m_stop.get(), 1); }

  [[nodiscard]] std::string host() const { return "127.0.0.1:" + std::to_string(m_port); }
  [[nodiscard]] int connections() const { return m_count; }  ///< that were ever accepted

 private:
  template <class Address>
  static sockaddr* generic(Address* address) {
    return static_cast<sockaddr*>(static_cast<void*>(address));
  }

  template <class Address>
  void listen_on(int family, Address* address, socklen_t size) {
    m_listener = Fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::bind(m_listener.get(), generic(address), size) != 0 ||
        ::listen(m_listener.get(), 128) != 0) {
      throw std::runtime_error(std::string("cannot listen: ") + std::strerror(errno));
    }
    m_acceptor = std::jthread([this] { accept_all(); });
  }

  void accept_all() {
    pollfd entries[] = {{m_listener.get(), POLLIN, 0}, {m_stop.get(), POLLIN, 0}};
    while (::poll(entries, 2, -1) > 0 && entries[1].revents == 0) {
      Fd connection(::accept4(m_listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (connection.valid()) {
        ++m_count;
        m_connections.emplace_back([this, wire = m_make_wire(std::move(connection), m_stop.get())] {
          if (wire->open()) {
            m_serve(*wire);
          }
          wire->end();
        });
      }
    }
  }

  WireMaker m_make_wire;
  Serve m_serve;
  Fd m_stop{::eventfd(0, EFD_CLOEXEC)};
  Fd m_listener;
  int m_port = 0;
  std::atomic<int> m_count = 0;
  std::list<std::jthread> m_connections;  ///< the acceptor's alone
  std::jthread m_acceptor;                ///< last: ends first
};

}  // namespace tallyman::test
