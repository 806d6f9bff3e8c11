#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tallyman {

/// One challenge of a WWW-Authenticate header (RFC 9110, 11.6.1).
struct Challenge {
  std::string scheme;                                  ///< lower case: "bearer", "basic"
  std::map<std::string, std::string> parameters = {};  ///< names in lower case, values unquoted
  [[nodiscard]] std::string_view get(std::string_view name) const;  ///< "" if missing
  friend bool operator==(const Challenge&, const Challenge&) = default;
};

/// Every challenge of all the header values, in order. Forgiving, as registries need it: scheme and
/// names in any case, quoted values with backslash escapes or bare tokens (that may hold `:/.`),
/// several challenges in one value, commas within quotes, white space anywhere. What cannot be
/// understood is left out; never fails. At most 16 challenges, 32 parameters each and 8 KiB per
/// header value; the rest is ignored.
[[nodiscard]] std::vector<Challenge> parse_challenges(
    const std::vector<std::string>& header_values);

/// The one to answer: Bearer with a realm before Basic; nothing for others (Negotiate, NTLM,
/// Digest).
[[nodiscard]] std::optional<Challenge> choose_challenge(const std::vector<Challenge>& challenges);

}  // namespace tallyman
