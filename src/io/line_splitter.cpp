#include "io/line_splitter.hpp"

#include <algorithm>

namespace tallyman {

void LineSplitter::add(std::string_view bytes) {
  if (!m_on_line) {
    return;
  }
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    m_line += bytes.substr(0, std::min(end, k_max_line - m_line.size()));
    m_open = true;
    if (end < bytes.size()) {
      end_line();
    }
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
}

void LineSplitter::finish() {
  if (m_open) {
    end_line();
  }
}

void LineSplitter::end_line() {
  std::string_view line = m_line;
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  m_on_line(line);
  m_line.clear();
  m_open = false;
}

}  // namespace tallyman
