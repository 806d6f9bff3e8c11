#include "registry/limits.hpp"

#include "fuzz/fuzz.hpp"

namespace tallyman {

// Retry-After, ratelimit-limit and ratelimit-remaining, each on a line of its own.
FUZZ_TARGET(limits) {
  HttpResponse answer;
  for (const char* const name : {"retry-after", "ratelimit-limit", "ratelimit-remaining"}) {
    answer.headers.emplace_back(name, fuzz::take_line(input));
  }
  const Timestamp now{std::chrono::seconds(1'795'000'000)};
  if (const auto until = rate_limited_until(answer, now)) {
    HOLDS(*until > now && *until <= now + k_longest_rate_limit);
    HOLDS(rate_limited_until(answer, now - std::chrono::hours(1)).has_value());
  }
  if (const auto rate = rate_limit_of(answer)) {
    HOLDS(rate->limit >= 0 && rate->remaining >= 0 && rate->window.count() >= 0);
  }
}

}  // namespace tallyman
