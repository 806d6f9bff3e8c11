#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tallyman {

/// The last `limit` bytes of what is added; where something had to go, from a line's start on.
class TextTail {
 public:
  explicit TextTail(std::size_t limit) : m_limit(limit) {}
  void add(std::string_view bytes);
  [[nodiscard]] std::string text() const;

 private:
  std::size_t m_limit;
  std::string m_text;  ///< up to twice the limit
  bool m_cut = false;
};

/// Takes the frames off the output of a container without a TTY, wherever the pieces of the stream
/// begin and end: 8 bytes of header, {stream, 0, 0, 0, size as big-endian uint32}, then `size`
/// bytes (API "Attach to a container"; moby pkg/stdcopy). From a header on that is none, the rest
/// is taken as it is: better than nothing for who looks for the reason of a failure.
class LogFrames {
 public:
  explicit LogFrames(std::size_t limit) : m_text(limit) {}
  void add(std::string_view bytes);
  [[nodiscard]] std::string text() const { return m_text.text(); }

 private:
  [[nodiscard]] bool read_header();  ///< false: it is none

  static constexpr std::size_t k_header_size = 8;

  TextTail m_text;
  std::string m_header;
  std::uint32_t m_left = 0;  ///< bytes of the frame that are still to come
  bool m_raw = false;
};

}  // namespace tallyman
