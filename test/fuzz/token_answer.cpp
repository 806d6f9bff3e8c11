#include <algorithm>

#include "fuzz/fuzz.hpp"
#include "registry/token_request.hpp"

namespace tallyman {

FUZZ_TARGET(token_answer) {
  const auto token = parse_token(input, "auth.example");
  if (!token) {
    HOLDS(token.error().kind == ErrorKind::protocol);
    HOLDS(fuzz::is_one_printable_line(token.error().message));
    return;
  }
  const std::string& text = token->value.reveal();
  HOLDS(!text.empty());
  HOLDS(std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; }));
  HOLDS(token->lifetime >= std::chrono::seconds(55));
  HOLDS(token->lifetime <= std::chrono::hours(24));
}

}  // namespace tallyman
