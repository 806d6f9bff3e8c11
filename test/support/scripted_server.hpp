#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tallyman/io/fd.hpp"

namespace tallyman::test {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct RecordedRequest {
  std::string method;
  std::string target;    ///< "/v2/?n=1"
  Headers headers = {};  ///< names in lower case
  std::string body = {};

  [[nodiscard]] std::string header(std::string_view lower_case_name) const {
    for (const auto& [name, value] : headers) {
      if (name == lower_case_name) {
        return value;
      }
    }
    return "";
  }
};

/// An orderly answer with its Content-Length, or what a broken server says.
struct ScriptedAnswer {
  int status = 200;
  Headers headers = {};
  std::string body = {};
  /// Sent instead, byte for byte, and then the connection is closed. Empty: closed without a word.
  std::optional<std::vector<std::string>> raw = std::nullopt;
  std::chrono::milliseconds pause = {};  ///< before the answer, and between the pieces of raw
  bool close = false;                    ///< after the answer

  [[nodiscard]] static ScriptedAnswer bytes(std::vector<std::string> pieces,
                                            std::chrono::milliseconds pause = {}) {
    ScriptedAnswer answer;
    answer.raw = std::move(pieces);
    answer.pause = pause;
    return answer;
  }
  /// Nothing, until the other side or the server gives up.
  [[nodiscard]] static ScriptedAnswer never() { return bytes({}, std::chrono::hours(1)); }
};

/// An HTTP/1.1 server for tests: 127.0.0.1 on a port of the kernel's choice, or a unix socket. The
/// script is called from one thread per connection. Who speaks TLS to it gets a plain 400, as from
/// most servers.
class ScriptedServer {
 public:
  using Script = std::function<ScriptedAnswer(const RecordedRequest&)>;

  explicit ScriptedServer(Script script) : m_script(std::move(script)) {
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

  ScriptedServer(const std::string& unix_socket, Script script) : m_script(std::move(script)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (unix_socket.size() >= sizeof address.sun_path) {
      throw std::runtime_error("too long for a socket: " + unix_socket);
    }
    std::memcpy(address.sun_path, unix_socket.c_str(), unix_socket.size() + 1);
    listen_on(AF_UNIX, &address, sizeof address);
  }

  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  ~ScriptedServer() { ::eventfd_write(m_stop.get(), 1); }

  [[nodiscard]] std::string host() const { return "127.0.0.1:" + std::to_string(m_port); }
  [[nodiscard]] std::string url(std::string_view target) const {
    return "http://" + host() + std::string(target);
  }
  [[nodiscard]] std::vector<RecordedRequest> requests() const {
    const std::lock_guard lock(m_mutex);
    return m_requests;
  }
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

  /// False: the server stops, or the time is over.
  bool wait_for(int fd, short events, int timeout_ms = -1) const {
    pollfd entries[] = {{fd, events, 0}, {m_stop.get(), POLLIN, 0}};
    const int ready = ::poll(entries, 2, timeout_ms);
    return ready > 0 && entries[1].revents == 0;
  }

  void accept_all() {
    while (wait_for(m_listener.get(), POLLIN)) {
      Fd connection(::accept4(m_listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (connection.valid()) {
        ++m_count;
        m_connections.emplace_back([this, fd = std::move(connection)] { serve(fd.get()); });
      }
    }
  }

  void serve(int fd) {
    std::string buffer;
    while (std::optional<RecordedRequest> request = read_request(fd, buffer)) {
      {
        const std::lock_guard lock(m_mutex);
        m_requests.push_back(*request);
      }
      if (!answer(fd, *request, m_script(*request))) {
        return;
      }
    }
  }

  bool read_more(int fd, std::string& buffer) const {
    char piece[4096];
    if (!wait_for(fd, POLLIN)) {
      return false;
    }
    const ssize_t got = ::recv(fd, piece, sizeof piece, 0);
    if (got > 0) {
      buffer.append(piece, static_cast<std::size_t>(got));
    }
    return got > 0;
  }

  std::optional<RecordedRequest> read_request(int fd, std::string& buffer) const {
    std::size_t end = std::string::npos;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
      if (!read_more(fd, buffer)) {
        return std::nullopt;
      }
      if (buffer.starts_with('\x16')) {
        write(fd, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        return std::nullopt;
      }
    }
    RecordedRequest request = parse_head(buffer.substr(0, end + 2));
    buffer.erase(0, end + 4);
    const std::string length = request.header("content-length");
    const std::size_t wanted = length.empty() ? 0 : std::stoul(length);
    while (buffer.size() < wanted) {
      if (!read_more(fd, buffer)) {
        return std::nullopt;
      }
    }
    request.body = buffer.substr(0, wanted);
    buffer.erase(0, wanted);
    return request;
  }

  /// Our own client's head: each line ends with "\r\n".
  static RecordedRequest parse_head(std::string_view head) {
    const std::string_view first = head.substr(0, head.find("\r\n"));
    const std::size_t space = first.find(' ');
    RecordedRequest request{std::string(first.substr(0, space)),
                            std::string(first.substr(space + 1, first.rfind(' ') - space - 1))};
    for (head.remove_prefix(first.size() + 2); !head.empty();) {
      const std::string_view line = head.substr(0, head.find("\r\n"));
      const std::size_t colon = line.find(':');
      std::string name(line.substr(0, colon));
      for (char& c : name) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      }
      std::string_view value = line.substr(colon + 1);
      value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
      request.headers.emplace_back(std::move(name), value);
      head.remove_prefix(line.size() + 2);
    }
    return request;
  }

  bool answer(int fd, const RecordedRequest& request, const ScriptedAnswer& script) const {
    if (script.raw) {
      for (std::size_t i = 0; i < std::max<std::size_t>(script.raw->size(), 1); ++i) {
        if (!pause(fd, script.pause) || i >= script.raw->size() || !write(fd, (*script.raw)[i])) {
          return false;
        }
      }
      return false;
    }
    std::string text = "HTTP/1.1 " + std::to_string(script.status) + " Scripted\r\n";
    for (const auto& [name, value] : script.headers) {
      text += name + ": " + value + "\r\n";
    }
    text += "Content-Length: " + std::to_string(script.body.size()) + "\r\n\r\n";
    text += request.method == "HEAD" ? "" : script.body;
    return pause(fd, script.pause) && write(fd, text) && !script.close;
  }

  /// False: the client hung up or the server stops.
  bool pause(int fd, std::chrono::milliseconds span) const {
    pollfd entries[] = {{fd, POLLRDHUP, 0}, {m_stop.get(), POLLIN, 0}};
    return span.count() == 0 || ::poll(entries, 2, static_cast<int>(span.count())) == 0;
  }

  bool write(int fd, std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && (errno != EAGAIN || !wait_for(fd, POLLOUT))) {
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
    }
    return true;
  }

  Script m_script;
  Fd m_stop{::eventfd(0, EFD_CLOEXEC)};
  Fd m_listener;
  int m_port = 0;
  std::atomic<int> m_count = 0;
  mutable std::mutex m_mutex;
  std::vector<RecordedRequest> m_requests;
  std::list<std::jthread> m_connections;  ///< the acceptor's alone
  std::jthread m_acceptor;                ///< last: ends first
};

}  // namespace tallyman::test
