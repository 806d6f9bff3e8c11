#include "tallyman/model/digest.hpp"

#include "model/ascii.hpp"

#include <cstddef>

namespace tallyman {
namespace {

constexpr std::size_t k_short_length = 12;

constexpr std::size_t hex_length(std::string_view algorithm) {
  if (algorithm == "sha256") {
    return 64;
  }
  return algorithm == "sha512" ? 128 : 0;
}

}  // namespace

Result<Digest> Digest::parse(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    return fail(ErrorKind::protocol, "{} is not a digest: it has no algorithm, as in sha256:<hex>",
                ascii::quoted(text));
  }
  const std::string_view hex = text.substr(colon + 1);
  const std::size_t length = hex_length(text.substr(0, colon));
  if (length == 0) {
    return fail(ErrorKind::protocol,
                "the digest {} has an algorithm that is not supported: only sha256 and sha512 are",
                ascii::quoted(text));
  }
  if (hex.size() != length) {
    return fail(ErrorKind::protocol, "the digest {} has {} characters after the colon, not {}",
                ascii::quoted(text), hex.size(), length);
  }
  if (!ascii::all(hex, ascii::is_lower_hex)) {
    return fail(ErrorKind::protocol, "the digest {} is not in lower-case hex", ascii::quoted(text));
  }
  return Digest(std::string(text));
}

std::string_view Digest::algorithm() const {
  return std::string_view(m_text).substr(0, m_text.find(':'));
}

std::string_view Digest::hex() const {
  return std::string_view(m_text).substr(m_text.find(':') + 1);
}

std::string_view Digest::short_hex() const {
  return hex().substr(0, k_short_length);
}

}  // namespace tallyman
