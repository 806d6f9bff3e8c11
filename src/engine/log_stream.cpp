#include "engine/log_stream.hpp"

#include <algorithm>

namespace tallyman {

void TextTail::add(std::string_view bytes) {
  m_text += bytes;
  if (m_text.size() > 2 * m_limit) {
    m_text.erase(0, m_text.size() - m_limit);
    m_cut = true;
  }
}

std::string TextTail::text() const {
  std::string_view text = m_text;
  bool cut = m_cut;
  if (text.size() > m_limit) {
    text.remove_prefix(text.size() - m_limit);
    cut = true;
  }
  const std::size_t line_end = cut ? text.find('\n') : std::string_view::npos;
  if (line_end != std::string_view::npos && line_end + 1 < text.size()) {
    text.remove_prefix(line_end + 1);
  }
  return std::string(text);
}

bool LogFrames::read_header() {
  constexpr unsigned char k_last_stream = 3;  // stdin, stdout, stderr, the daemon's own errors
  const auto byte = [this](std::size_t at) { return static_cast<unsigned char>(m_header[at]); };
  if (byte(0) > k_last_stream || byte(1) != 0 || byte(2) != 0 || byte(3) != 0) {
    return false;
  }
  m_left = 0;
  for (std::size_t i = 4; i < k_header_size; ++i) {
    m_left = m_left << 8U | byte(i);
  }
  return true;
}

void LogFrames::add(std::string_view bytes) {
  while (!bytes.empty()) {
    if (m_raw) {
      m_text.add(bytes);
      return;
    }
    const std::size_t wanted = m_left > 0 ? m_left : k_header_size - m_header.size();
    const std::string_view piece = bytes.substr(0, std::min(wanted, bytes.size()));
    bytes.remove_prefix(piece.size());
    if (m_left > 0) {
      m_text.add(piece);
      m_left -= static_cast<std::uint32_t>(piece.size());
      continue;
    }
    m_header += piece;
    if (m_header.size() == k_header_size) {
      m_raw = !read_header();
      if (m_raw) {
        m_text.add(m_header);
      }
      m_header.clear();
    }
  }
}

}  // namespace tallyman
