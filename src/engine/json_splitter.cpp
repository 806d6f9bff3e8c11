#include "engine/json_splitter.hpp"

namespace tallyman {

namespace {

constexpr std::size_t k_max_object = std::size_t{1024} * 1024;
constexpr int k_max_depth = 64;

}  // namespace

bool JsonSplitter::step(char c) {
  if (m_in_string) {
    if (m_escaped) {
      m_escaped = false;
    } else if (c == '\\') {
      m_escaped = true;
    } else if (c == '"') {
      m_in_string = false;
    }
    return true;
  }
  switch (c) {
    case '{':
    case '[':
      ++m_depth;
      return m_depth <= k_max_depth && (m_depth > 1 || c == '{');
    case '}':
    case ']':
      --m_depth;
      return m_depth >= 0;
    case '"':
      m_in_string = true;
      return m_depth > 0;
    case ' ':
    case '\t':
    case '\r':
    case '\n':
      return true;
    default:
      return m_depth > 0;
  }
}

bool JsonSplitter::feed(std::string_view bytes,
                        const std::function<bool(std::string_view)>& object) {
  for (const char c : bytes) {
    if (m_failed || !step(c)) {
      m_failed = true;
      return false;
    }
    if (m_depth > 0 || !m_object.empty() || c == '}') {
      m_object += c;
    }
    if (m_depth == 0 && !m_object.empty()) {
      m_failed = !object(m_object);
      m_object.clear();
    }
    m_failed = m_failed || m_object.size() > k_max_object;
  }
  return !m_failed;
}

}  // namespace tallyman
