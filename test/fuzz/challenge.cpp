#include "tallyman/model/challenge.hpp"

#include <algorithm>

#include "fuzz/fuzz.hpp"

namespace tallyman {
namespace {

std::string header_of(const Challenge& challenge) {
  std::string header = challenge.scheme;
  for (const auto& [name, value] : challenge.parameters) {
    header += (header.size() == challenge.scheme.size() ? " " : ", ") + name + "=\"";
    for (const char c : value) {
      header += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
    }
    header += '"';
  }
  return header;
}

bool is_lower_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return c > ' ' && c <= '~' && (c < 'A' || c > 'Z') && c != '"' && c != ',' && c != '=';
  });
}

}  // namespace

// A header value on each line.
FUZZ_TARGET(challenge) {
  std::vector<std::string> values;
  while (!input.empty()) {
    values.emplace_back(fuzz::take_line(input));
  }
  const std::vector<Challenge> challenges = parse_challenges(values);
  HOLDS(challenges.size() <= 16);
  std::vector<std::string> written;
  bool fits = true;
  for (const Challenge& challenge : challenges) {
    HOLDS(is_lower_token(challenge.scheme));
    HOLDS(challenge.parameters.size() <= 32);
    for (const auto& [name, value] : challenge.parameters) {
      HOLDS(is_lower_token(name));
      HOLDS(std::ranges::none_of(
          value, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }));
      HOLDS(challenge.get(name) == value);
    }
    written.push_back(header_of(challenge));
    fits = fits && written.back().size() <= std::size_t{8} * 1024;
  }
  HOLDS(!fits || parse_challenges(written) == challenges);
  if (const auto chosen = choose_challenge(challenges)) {
    HOLDS(std::ranges::find(challenges, *chosen) != challenges.end());
    HOLDS((chosen->scheme == "bearer" && !chosen->get("realm").empty()) ||
          chosen->scheme == "basic");
  }
}

}  // namespace tallyman
