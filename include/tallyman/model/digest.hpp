#pragma once

#include "tallyman/model/error.hpp"

#include <compare>
#include <string>
#include <string_view>

namespace tallyman {

/// A content digest, `algorithm:encoded` (OCI image-spec, descriptor.md "Digests").
/// Holds only what parse() accepted: sha256 with 64 and sha512 with 128 lowercase hex characters.
/// Other algorithms are refused (ErrorKind::protocol): nothing here could verify them.
class Digest {
 public:
  [[nodiscard]] static Result<Digest> parse(std::string_view text);

  [[nodiscard]] const std::string& str() const { return m_text; }  ///< "sha256:4be7…"
  [[nodiscard]] std::string_view algorithm() const;                ///< "sha256"
  [[nodiscard]] std::string_view hex() const;                      ///< all of the hex characters
  [[nodiscard]] std::string_view short_hex() const;  ///< the first 12, as docker prints them

  auto operator<=>(const Digest&) const = default;

 private:
  explicit Digest(std::string text) : m_text(std::move(text)) {}
  std::string m_text;
};

}  // namespace tallyman
