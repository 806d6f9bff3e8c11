#include "config/problem_list.hpp"

#include "tallyman/io/encoding.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace tallyman::config {

namespace {

constexpr std::size_t k_max_problems = 100;
constexpr std::size_t k_max_quoted = 80;

/// How many bytes at the front are one character that may be shown; 0: the first byte may not.
std::size_t shown_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80U) {
    return first >= 0x20U && first != 0x7FU ? 1 : 0;
  }
  for (std::size_t length = 2; length <= 4 && length <= text.size(); ++length) {
    if (is_utf8(text.substr(0, length))) {
      const bool c1_control = first == 0xC2U && static_cast<unsigned char>(text[1]) < 0xA0U;
      return c1_control ? 0 : length;
    }
  }
  return 0;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const auto length = shown_length(text);
    if (length == 0) {
      fmt::format_to(std::back_inserter(result), "\\x{:02X}",
                     static_cast<unsigned char>(text.front()));
    } else {
      result += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result;
}

std::string quoted(std::string_view text) {
  return fmt::format("\"{}{}\"", printable(cut_utf8(text, k_max_quoted)),
                     text.size() > k_max_quoted ? "…" : "");
}

std::string message_of(const Error& error) {
  return error.remedy.empty() ? error.message : fmt::format("{}; {}", error.message, error.remedy);
}

std::string joined(const std::vector<std::string_view>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

void ProblemList::add(TextPosition at, std::string key, std::string_view message) {
  m_problems.push_back({.file = m_file,
                        .line = at.line,
                        .column = at.column,
                        .key = std::move(key),
                        .message = printable(message)});
}

std::vector<Problem> ProblemList::take() {
  std::ranges::sort(m_problems, {}, [](const Problem& problem) {
    return std::tie(problem.line, problem.column, problem.key, problem.message);
  });
  if (m_problems.size() > k_max_problems) {
    const auto rest = m_problems.size() - k_max_problems;
    m_problems.resize(k_max_problems + 1);
    m_problems.back().key.clear();
    m_problems.back().message = fmt::format("… and {} more mistakes in this file", rest);
  }
  return std::exchange(m_problems, {});
}

}  // namespace tallyman::config

namespace tallyman {

std::string Problem::str() const {
  std::string result = config::printable(file);
  if (line > 0) {
    fmt::format_to(std::back_inserter(result), ":{}:{}", line, column);
  }
  result += ": ";
  if (!key.empty()) {
    fmt::format_to(std::back_inserter(result), "{}: ", key);
  }
  return result + message;
}

}  // namespace tallyman
