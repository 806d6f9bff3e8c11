#include "tallyman/model/digest.hpp"

#include "fuzz/fuzz.hpp"

namespace tallyman {

FUZZ_TARGET(digest) {
  const auto is = [input](std::string_view algorithm, std::size_t length) {
    return input.starts_with(algorithm) && input.size() == algorithm.size() + length &&
           input.find_first_not_of("0123456789abcdef", algorithm.size()) == std::string_view::npos;
  };
  const auto digest = Digest::parse(input);
  HOLDS(digest.has_value() == (is("sha256:", 64) || is("sha512:", 128)));
  if (!digest) {
    HOLDS(digest.error().kind == ErrorKind::protocol);
    HOLDS(fuzz::is_one_printable_line(digest.error().message));
    return;
  }
  HOLDS(digest->str() == input);
  HOLDS(std::string(digest->algorithm()) + ":" + std::string(digest->hex()) == input);
  HOLDS(digest->short_hex().size() == 12 && digest->hex().starts_with(digest->short_hex()));
}

}  // namespace tallyman
