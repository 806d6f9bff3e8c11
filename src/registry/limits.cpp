#include "registry/limits.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace tallyman {
namespace {

/// The number that `text` begins with; a longer one than fits is none.
std::optional<std::int64_t> leading_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && number >= 0 ? std::optional(number) : std::nullopt;
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::optional<Timestamp> rate_limited_until(const HttpResponse& response, Timestamp now) {
  const std::string_view value = response.header("retry-after");
  const Timestamp latest = now + k_longest_rate_limit;
  if (is_digits(value)) {
    const std::chrono::seconds longest = k_longest_rate_limit;
    const std::int64_t seconds = leading_number(value).value_or(longest.count());
    return seconds == 0
               ? std::nullopt
               : std::optional(now + std::chrono::seconds(std::min(seconds, longest.count())));
  }
  const auto date = parse_http_date(value);
  return date && *date > now ? std::optional(std::min(*date, latest)) : std::nullopt;
}

std::optional<RegistryMemory::RateLimit> rate_limit_of(const HttpResponse& response) {
  const std::string_view granted = response.header("ratelimit-limit");
  const auto limit = leading_number(granted);
  const auto remaining = leading_number(response.header("ratelimit-remaining"));
  if (!limit || !remaining) {
    return std::nullopt;
  }
  constexpr std::string_view k_window = ";w=";
  const std::size_t window = granted.find(k_window);
  const auto seconds = window == std::string_view::npos
                           ? std::nullopt
                           : leading_number(granted.substr(window + k_window.size()));
  constexpr std::int64_t k_longest_window = 366L * 24 * 3600;
  return RegistryMemory::RateLimit{
      *limit, *remaining, std::chrono::seconds(std::min(seconds.value_or(0), k_longest_window))};
}

}  // namespace tallyman
