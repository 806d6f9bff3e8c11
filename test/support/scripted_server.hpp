#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/loopback_server.hpp"
#include "support/wire.hpp"

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
  bool reset = false;                    ///< what is closed is reset
  std::size_t repeats = 1;               ///< of the last piece of raw

  [[nodiscard]] static ScriptedAnswer bytes(std::vector<std::string> pieces,
                                            std::chrono::milliseconds pause = {}) {
    ScriptedAnswer answer;
    answer.raw = std::move(pieces);
    answer.pause = pause;
    return answer;
  }
  /// The bytes, if any, and then an RST.
  [[nodiscard]] static ScriptedAnswer reset_after(std::vector<std::string> pieces,
                                                  std::chrono::milliseconds pause = {}) {
    ScriptedAnswer answer = bytes(std::move(pieces), pause);
    answer.reset = true;
    return answer;
  }
  /// The head once, then the piece again and again: large answers that take no memory here.
  [[nodiscard]] static ScriptedAnswer flood(std::string head, std::string piece,
                                            std::size_t repeats) {
    ScriptedAnswer answer = bytes({std::move(head), std::move(piece)});
    answer.repeats = repeats;
    return answer;
  }
  /// Nothing, until the other side or the server gives up.
  [[nodiscard]] static ScriptedAnswer never() { return bytes({}, std::chrono::hours(1)); }
};

/// An HTTP/1.1 server for tests: 127.0.0.1 on a port of the kernel's choice, or a unix socket. The
/// script is called from one thread per connection. Who speaks TLS to it gets a plain 400, as from
/// most servers, unless its wires speak TLS.
class ScriptedServer {
 public:
  using Script = std::function<ScriptedAnswer(const RecordedRequest&)>;

  explicit ScriptedServer(Script script)
      : m_script(std::move(script)), m_server(plain_wire, [this](Wire& wire) { serve(wire); }) {}
  ScriptedServer(const std::string& unix_socket, Script script)
      : m_script(std::move(script)), m_server(unix_socket, [this](Wire& wire) { serve(wire); }) {}
  ScriptedServer(WireMaker make_wire, Script script)
      : m_script(std::move(script)),
        m_server(std::move(make_wire), [this](Wire& wire) { serve(wire); }) {}

  [[nodiscard]] std::string host() const { return m_server.host(); }
  [[nodiscard]] std::string url(std::string_view target) const {
    return "http://" + host() + std::string(target);
  }
  [[nodiscard]] std::vector<RecordedRequest> requests() const {
    const std::lock_guard lock(m_mutex);
    return m_requests;
  }
  [[nodiscard]] int connections() const { return m_server.connections(); }  ///< ever accepted
  [[nodiscard]] std::size_t sent() const { return m_sent; }  ///< bytes of raw that were taken

 private:
  void serve(Wire& wire) {
    std::string buffer;
    while (std::optional<RecordedRequest> request = read_request(wire, buffer)) {
      {
        const std::lock_guard lock(m_mutex);
        m_requests.push_back(*request);
      }
      if (!answer(wire, *request, m_script(*request))) {
        return;
      }
    }
  }

  static std::optional<RecordedRequest> read_request(Wire& wire, std::string& buffer) {
    std::size_t end = std::string::npos;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
      if (!wire.read_more(buffer)) {
        return std::nullopt;
      }
      if (buffer.starts_with('\x16')) {
        wire.write("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        return std::nullopt;
      }
    }
    RecordedRequest request = parse_head(buffer.substr(0, end + 2));
    buffer.erase(0, end + 4);
    const std::string length = request.header("content-length");
    const std::size_t wanted = length.empty() ? 0 : std::stoul(length);
    while (buffer.size() < wanted) {
      if (!wire.read_more(buffer)) {
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

  bool answer(Wire& wire, const RecordedRequest& request, const ScriptedAnswer& script) {
    if (script.reset) {
      wire.end_by_reset();
    }
    if (script.raw) {
      send_pieces(wire, script);
      return false;
    }
    std::string text = "HTTP/1.1 " + std::to_string(script.status) + " Scripted\r\n";
    for (const auto& [name, value] : script.headers) {
      text += name + ": " + value + "\r\n";
    }
    text += "Content-Length: " + std::to_string(script.body.size()) + "\r\n\r\n";
    text += request.method == "HEAD" ? "" : script.body;
    return wire.pause(script.pause) && wire.write(text) && !script.close;
  }

  void send_pieces(Wire& wire, const ScriptedAnswer& script) {
    if (!wire.pause(script.pause)) {
      return;
    }
    for (std::size_t i = 0; i < script.raw->size(); ++i) {
      const std::string& piece = (*script.raw)[i];
      const std::size_t repeats = i + 1 == script.raw->size() ? script.repeats : 1;
      for (std::size_t n = 0; n < repeats; ++n) {
        if ((i + n > 0 && !wire.pause(script.pause)) || !wire.write(piece)) {
          return;
        }
        m_sent += piece.size();
      }
    }
    if (script.reset) {  // what was sent is to arrive first: an RST discards what is not read yet
      static_cast<void>(wire.pause(std::chrono::milliseconds(20)));
    }
  }

  Script m_script;
  mutable std::mutex m_mutex;
  std::vector<RecordedRequest> m_requests;
  std::atomic<std::size_t> m_sent = 0;
  LoopbackServer m_server;  ///< last: ends first
};

}  // namespace tallyman::test
