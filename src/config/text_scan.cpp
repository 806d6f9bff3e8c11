#include "config/text_scan.hpp"

#include "tallyman/io/encoding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace tallyman::config {

namespace {

constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}
bool is_ascii(char c) {
  return static_cast<unsigned char>(c) < 0x80U;
}

std::size_t sequence_length(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  if (byte < 0x80U) {
    return 1;
  }
  if (byte < 0xE0U) {
    return 2;
  }
  return byte < 0xF0U ? 3 : 4;
}

/// Of valid UTF-8 only.
std::uint32_t code_point(std::string_view sequence) {
  if (sequence.size() == 1) {
    return static_cast<unsigned char>(sequence.front());
  }
  auto value = static_cast<unsigned char>(sequence.front()) & (0xFFU >> (sequence.size() + 1));
  for (const char c : sequence.substr(1)) {
    value = (value << 6U) | (static_cast<unsigned char>(c) & 0x3FU);
  }
  return value;
}

TextPosition position_of(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  const std::string_view line = before.substr(line_start);
  return {static_cast<int>(std::ranges::count(before, '\n')) + 1,
          static_cast<int>(line.size() - std::ranges::count_if(line, is_continuation)) + 1};
}

std::optional<TextFlaw> find_bad_utf8(std::string_view text) {
  if (is_utf8(text)) {
    return std::nullopt;
  }
  std::size_t offset = 0;
  while (offset < text.size()) {
    const auto length = sequence_length(text[offset]);
    if (!is_utf8(text.substr(offset, length))) {
      break;
    }
    offset += length;
  }
  const bool utf16 = text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF");
  return TextFlaw{position_of(text, offset),
                  fmt::format("not UTF-8: the byte 0x{:02X} cannot stand here; {}",
                              static_cast<unsigned char>(text[std::min(offset, text.size() - 1)]),
                              utf16 ? "this looks like UTF-16, save the file as UTF-8"
                                    : "save the file as UTF-8")};
}

/// Follows strings and comments as TOML defines them, and nothing else of its grammar.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : m_text(text) {}

  std::optional<TextFlaw> run() {
    while (m_offset < m_text.size() && !m_flaw) {
      step();
    }
    return m_flaw;
  }

 private:
  void step() {
    const char c = m_text[m_offset];
    if (c == '"' || c == '\'') {
      skip_string(c);
      return;
    }
    if (c == '#') {
      m_offset = std::min(m_text.find('\n', m_offset), m_text.size());
      return;
    }
    if (!is_ascii(c)) {
      refuse_non_ascii();
      return;
    }
    if (c == '.') {
      count_key_part();
    } else if (std::string_view("\n=,[]{}").find(c) != std::string_view::npos) {
      m_dots = 0;
    }
    ++m_offset;
  }

  void count_key_part() {
    ++m_dots;
    if (m_dots >= k_max_key_parts) {
      flaw(m_offset, fmt::format("a key with more than {} parts", k_max_key_parts));
    }
  }

  void refuse_non_ascii() {
    const auto sequence = m_text.substr(m_offset, sequence_length(m_text[m_offset]));
    const auto value = code_point(sequence);
    const bool quote = value == 0xAB || value == 0xBB || (value >= 0x2018 && value <= 0x201F);
    const bool space = value == 0xA0 || (value >= 0x2000 && value <= 0x200F) || value == 0x202F ||
                       value == 0x2060 || value == 0x3000 || value == 0xFEFF;
    std::string_view remedy = "text must stand in quotes";
    if (quote) {
      remedy = "this is a typographic quote, write a plain \"";
    } else if (space) {
      remedy = "this is a special space, write a plain one";
    }
    flaw(m_offset,
         fmt::format("not valid TOML: U+{:04X} cannot stand outside of quotes; {}", value, remedy));
  }

  void skip_string(char quote) {
    const std::size_t start = m_offset;
    if (m_text.substr(start).starts_with(std::string(3, quote))) {
      m_offset += 3;
      skip_multi_line(quote, start);
      return;
    }
    for (++m_offset; m_offset < m_text.size() && m_text[m_offset] != '\n'; ++m_offset) {
      if (m_text[m_offset] == quote) {
        ++m_offset;
        return;
      }
      if (m_text[m_offset] == '\\' && quote == '"' &&
          !m_text.substr(m_offset).starts_with("\\\n")) {
        ++m_offset;
      }
    }
    flaw(start,
         fmt::format("not valid TOML: the {} that opens here is not closed in its line", quote));
  }

  void skip_multi_line(char quote, std::size_t start) {
    while (m_offset < m_text.size() && !m_flaw) {
      if (m_text[m_offset] == quote) {
        // Up to two more quotes may touch the closing three: they belong to the text.
        const auto run = std::min(m_text.find_first_not_of(quote, m_offset), m_text.size());
        const auto length = std::min<std::size_t>(run - m_offset, 5);
        m_offset += length;
        if (length >= 3) {
          return;
        }
      } else if (m_text[m_offset] == '\\' && quote == '"') {
        m_offset = std::min(m_offset + 2, m_text.size());
      } else {
        ++m_offset;
      }
    }
    if (!m_flaw) {
      flaw(start,
           fmt::format("not valid TOML: the {0}{0}{0} that opens here is never closed", quote));
    }
  }

  void flaw(std::size_t offset, std::string message) {
    m_flaw = TextFlaw{position_of(m_text, offset), std::move(message)};
  }

  std::string_view m_text;
  std::size_t m_offset = 0;
  int m_dots = 0;  // of the key that is being read
  std::optional<TextFlaw> m_flaw;
};

}  // namespace

bool is_bare_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

std::string_view without_bom(std::string_view text) {
  return text.starts_with(k_byte_order_mark) ? text.substr(k_byte_order_mark.size()) : text;
}

std::optional<TextFlaw> scan_text(std::string_view text) {
  if (text.size() > k_max_file_bytes) {
    return TextFlaw{{}, fmt::format("larger than {} KiB", k_max_file_bytes / 1024)};
  }
  if (auto flaw = find_bad_utf8(text)) {
    return flaw;
  }
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    return TextFlaw{position_of(text, nul), "a NUL byte: this is not a text file"};
  }
  return Scanner(text).run();
}

}  // namespace tallyman::config
