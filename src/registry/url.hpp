#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tallyman {

/// An http or https URL, taken apart strictly, so that what is compared here is what is connected
/// to later: no user part, no names that some resolvers read as an address ("127.1", "0x7f000001"),
/// no empty labels, no control characters or spaces.
struct Url {
  std::string scheme;      ///< "http" or "https"
  std::string host;        ///< lower case; an IPv6 address in brackets, in its shortest form
  std::uint16_t port = 0;  ///< never 0
  std::string path = "/";
  std::string query = {};  ///< without the "?"

  [[nodiscard]] static std::optional<Url> parse(std::string_view text);

  /// What a Location or realm says, seen from this URL: absolute, "//host/path", "/path" or "path".
  [[nodiscard]] std::optional<Url> resolve(std::string_view text) const;
  [[nodiscard]] Url with_path(std::string new_path) const;

  [[nodiscard]] std::string authority() const;  ///< "harbor.lan", "harbor.lan:8443"
  [[nodiscard]] std::string origin() const;     ///< "https://harbor.lan:8443"
  [[nodiscard]] std::string str() const;
};

[[nodiscard]] bool same_origin(const Url& a, const Url& b);

}  // namespace tallyman
