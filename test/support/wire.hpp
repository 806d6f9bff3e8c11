#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "tallyman/io/fd.hpp"

namespace tallyman::test {

/// The server's end of one connection. Whatever waits, waits no longer than until the server stops:
/// then, and when the connection is over, everything answers false.
class Wire {
 public:
  Wire(Fd socket, int stop) : m_socket(std::move(socket)), m_stop(stop) {}
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  virtual ~Wire() = default;

  /// What goes before the first byte of the protocol, say a TLS handshake.
  virtual bool open() { return true; }

  /// Appends what comes next.
  bool read_more(std::string& buffer) {
    char piece[16 * 1024];
    const ssize_t got = receive(piece, sizeof piece);
    if (got > 0) {
      buffer.append(piece, static_cast<std::size_t>(got));
    }
    return got > 0;
  }

  bool write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(bytes);
      if (sent <= 0) {
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  /// False: the client hung up or the server stops.
  bool pause(std::chrono::milliseconds span) const {
    pollfd entries[] = {{m_socket.get(), POLLRDHUP, 0}, {m_stop, POLLIN, 0}};
    return span.count() == 0 || ::poll(entries, 2, static_cast<int>(span.count())) == 0;
  }

  /// A FIN, after everything that was written: what the client still sends is read, or the kernel
  /// would make an RST of it.
  void end() {
    if (m_ends_by_reset) {
      return;
    }
    say_goodbye();
    ::shutdown(fd(), SHUT_WR);
    char rest[4096];
    while (wait_for(POLLIN) && ::recv(fd(), rest, sizeof rest, 0) > 0) {
    }
  }

  /// The end will be an RST, not a FIN.
  void end_by_reset() {
    m_ends_by_reset = true;
    const linger at_once{1, 0};
    ::setsockopt(m_socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }

 protected:
  [[nodiscard]] int fd() const { return m_socket.get(); }

  bool wait_for(short events) const {
    pollfd entries[] = {{m_socket.get(), events, 0}, {m_stop, POLLIN, 0}};
    return ::poll(entries, 2, -1) > 0 && entries[1].revents == 0;
  }

 private:
  virtual void say_goodbye() {}
  virtual ssize_t receive(char* bytes, std::size_t size) {
    return wait_for(POLLIN) ? ::recv(fd(), bytes, size, 0) : -1;
  }
  virtual ssize_t send(std::string_view bytes) {
    while (true) {
      const ssize_t sent = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent >= 0 || errno != EAGAIN || !wait_for(POLLOUT)) {
        return sent;
      }
    }
  }

  Fd m_socket;
  int m_stop;
  bool m_ends_by_reset = false;
};

/// Makes the wire of an accepted connection.
using WireMaker = std::function<std::unique_ptr<Wire>(Fd socket, int stop)>;

inline std::unique_ptr<Wire> plain_wire(Fd socket, int stop) {
  return std::make_unique<Wire>(std::move(socket), stop);
}

}  // namespace tallyman::test
