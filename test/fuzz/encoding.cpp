#include "tallyman/io/encoding.hpp"

#include <algorithm>

#include "fuzz/fuzz.hpp"
#include "tallyman/io/log.hpp"

namespace tallyman {
namespace {

int hex_value(char c) {
  return static_cast<int>(std::string_view("0123456789ABCDEF").find(c));
}

std::string percent_decoded(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      HOLDS(i + 2 < text.size());
      bytes += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      bytes += text[i];
    }
  }
  return bytes;
}

}  // namespace

FUZZ_TARGET(encoding) {
  if (const auto bytes = base64_decode(input)) {
    const std::string written = base64_encode(*bytes);
    HOLDS(written == input || input.find(written) != std::string_view::npos);
    HOLDS(base64_decode(written) == bytes);
  }
  std::string text = base64_encode(input);
  HOLDS(base64_decode(text) == input);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  HOLDS(base64url_encode(input) == text);
  HOLDS(percent_decoded(percent_encode(input)) == input);
  HOLDS(sha256_hex(input).size() == 64);
  const std::size_t most = input.size() / 2;
  const std::string_view cut = cut_utf8(input, most);
  HOLDS(cut.size() <= most && input.starts_with(cut));
  HOLDS(!is_utf8(input) || (is_utf8(cut) && cut.size() + 3 >= most));
  const std::string shown = printable(input);
  HOLDS(fuzz::is_one_printable_line(shown));
  HOLDS(printable(shown) == shown);
}

}  // namespace tallyman
