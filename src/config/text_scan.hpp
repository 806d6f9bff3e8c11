#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tallyman::config {

/// A place in a text file, both from 1; columns count code points. Line 0: the file as a whole.
struct TextPosition {
  int line = 0;
  int column = 0;
  friend auto operator<=>(const TextPosition&, const TextPosition&) = default;
};

/// Why a text is not usable TOML.
struct TextFlaw {
  TextPosition at;
  std::string message;
};

inline constexpr std::size_t k_max_file_bytes = std::size_t{1024} * 1024;
inline constexpr int k_max_key_parts = 16;  ///< of a.dotted.key; bounds how deep tables can nest

/// What a key may hold without quotes.
[[nodiscard]] bool is_bare_key_character(char c);

/// Without a UTF-8 byte order mark.
[[nodiscard]] std::string_view without_bom(std::string_view text);

/// What toml++ does not check, or says badly: too large, not UTF-8, NUL bytes, characters outside
/// of ASCII where TOML has none, strings without an end (it takes some for empty ones), keys with
/// so many parts that the tables nest too deeply. The text has no byte order mark any more.
[[nodiscard]] std::optional<TextFlaw> scan_text(std::string_view text);

}  // namespace tallyman::config
