#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tallyman {

[[nodiscard]] std::string sha256_hex(std::string_view bytes);        ///< 64 lowercase characters
[[nodiscard]] std::string base64_encode(std::string_view bytes);     ///< RFC 4648 section 4, padded
[[nodiscard]] std::string base64url_encode(std::string_view bytes);  ///< RFC 4648 section 5, padded
[[nodiscard]] std::optional<std::string> base64_decode(
    std::string_view text);  ///< section 4, strict, padded; surrounding white space is ignored
[[nodiscard]] std::string percent_encode(std::string_view text);  ///< all but RFC 3986 "unreserved"
[[nodiscard]] bool is_utf8(std::string_view bytes);  ///< strictly: no surrogates, no overlong forms
[[nodiscard]] bool has_control_characters(std::string_view text);  ///< of ASCII; "\t" is one
/// The first `most` bytes of `text`, fewer where that would cut a UTF-8 character in two.
[[nodiscard]] std::string_view cut_utf8(std::string_view text, std::size_t most);

}  // namespace tallyman
