#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/loopback_server.hpp"
#include "support/scripted_server.hpp"
#include "support/wire.hpp"

namespace tallyman::test {

/// Frames of HTTP/2 (RFC 9113), as bytes.
namespace http2 {

inline constexpr std::uint8_t k_data = 0, k_headers = 1, k_rst_stream = 3, k_settings = 4,
                              k_ping = 6, k_goaway = 7, k_continuation = 9;
inline constexpr std::uint8_t k_end_stream = 1, k_ack = 1, k_end_headers = 4;
inline constexpr std::uint32_t k_no_error = 0, k_protocol_error = 1, k_internal_error = 2,
                               k_refused_stream = 7, k_enhance_your_calm = 11,
                               k_http_1_1_required = 13;

inline std::string number(std::uint32_t value, int bytes) {
  std::string text;
  while (bytes-- > 0) {
    text += static_cast<char>(value >> (8 * bytes));
  }
  return text;
}
inline std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                         std::string_view payload) {
  return number(static_cast<std::uint32_t>(payload.size()), 3) + static_cast<char>(type) +
         static_cast<char>(flags) + number(stream, 4) + std::string(payload);
}

/// HPACK (RFC 7541, 6.2.2): a literal that is not indexed and not compressed.
inline std::string field(std::string_view name, std::string_view value) {
  std::string text(1, '\0');
  for (const std::string_view part : {name, value}) {
    if (part.size() < 127) {
      text += static_cast<char>(part.size());
    } else {  // an integer of several bytes, 5.1
      text += '\x7f';
      std::size_t rest = part.size() - 127;
      for (; rest >= 128; rest /= 128) {
        text += static_cast<char>(rest % 128 + 128);
      }
      text += static_cast<char>(rest);
    }
    text += part;
  }
  return text;
}
inline std::string fields(int status, const Headers& headers) {
  std::string text = field(":status", std::to_string(status));
  for (const auto& [name, value] : headers) {
    text += field(name, value);
  }
  return text;
}
/// A whole answer; the names in lower case.
inline std::string answer(std::uint32_t stream, int status, const Headers& headers,
                          std::string_view body = {}) {
  const std::uint8_t end = body.empty() ? k_end_stream : 0;
  return frame(k_headers, k_end_headers | end, stream, fields(status, headers)) +
         (body.empty() ? std::string() : frame(k_data, k_end_stream, stream, body));
}
inline std::string reset(std::uint32_t stream, std::uint32_t error) {
  return frame(k_rst_stream, 0, stream, number(error, 4));
}
inline std::string goaway(std::uint32_t last_stream, std::uint32_t error,
                          std::string_view words = {}) {
  return frame(k_goaway, 0, 0, number(last_stream, 4) + number(error, 4) + std::string(words));
}

}  // namespace http2

/// An HTTP/2 server that reads no headers: it knows streams. What it says to each is up to the
/// script, byte for byte.
class Http2Server {
 public:
  struct Said {
    std::string bytes = {};
    bool close = false;  ///< after that
  };
  /// `stream`: 1, 3, …; `connection`: the first is 1.
  using Script = std::function<Said(std::uint32_t stream, int connection)>;

  Http2Server(WireMaker make_wire, Script script)
      : m_script(std::move(script)),
        m_server(std::move(make_wire), [this](Wire& wire) { serve(wire); }) {}

  [[nodiscard]] std::string host() const { return m_server.host(); }
  [[nodiscard]] int connections() const { return m_server.connections(); }

 private:
  static constexpr std::string_view k_preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  static constexpr std::size_t k_frame_head = 9;

  static bool await(Wire& wire, std::string& buffer, std::size_t size) {
    while (buffer.size() < size) {
      if (!wire.read_more(buffer)) {
        return false;
      }
    }
    return true;
  }

  void serve(Wire& wire) {
    const int connection = ++m_opened;
    std::string buffer;
    if (!await(wire, buffer, k_preface.size()) || !buffer.starts_with(k_preface) ||
        !wire.write(http2::frame(http2::k_settings, 0, 0, ""))) {
      return;
    }
    buffer.erase(0, k_preface.size());
    while (await(wire, buffer, k_frame_head)) {
      const auto byte = [&buffer](std::size_t i) { return static_cast<std::uint8_t>(buffer[i]); };
      const std::size_t size = byte(0) * std::size_t{65536} + byte(1) * std::size_t{256} + byte(2);
      if (!await(wire, buffer, k_frame_head + size)) {
        return;
      }
      const std::uint32_t stream = byte(5) * std::uint32_t{1U << 24U} +
                                   byte(6) * std::uint32_t{65536} + byte(7) * std::uint32_t{256} +
                                   byte(8);
      const bool good =
          on_frame(wire, byte(3), byte(4), stream, buffer.substr(k_frame_head, size), connection);
      if (!good) {
        return;
      }
      buffer.erase(0, k_frame_head + size);
    }
  }

  bool on_frame(Wire& wire, std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                const std::string& payload, int connection) const {
    const bool is_ack = (flags & http2::k_ack) != 0;
    if (type == http2::k_settings && !is_ack) {
      return wire.write(http2::frame(http2::k_settings, http2::k_ack, 0, ""));
    }
    if (type == http2::k_ping && !is_ack) {
      return wire.write(http2::frame(http2::k_ping, http2::k_ack, 0, payload));
    }
    if (type != http2::k_headers) {
      return true;
    }
    const Said said = m_script(stream, connection);
    return wire.write(said.bytes) && !said.close;
  }

  Script m_script;
  std::atomic<int> m_opened = 0;
  LoopbackServer m_server;  ///< last: ends first
};

}  // namespace tallyman::test
