#pragma once

#include "tallyman/io/http.hpp"
#include "tallyman/model/memory.hpp"

#include <optional>

namespace tallyman {

/// Until when the sender of a 429 wants to be left alone (RFC 9110, 10.2.3: seconds or a date), at
/// most k_longest_rate_limit; nothing if it does not say, or says a time that is over.
[[nodiscard]] std::optional<Timestamp> rate_limited_until(const HttpResponse& response,
                                                          Timestamp now);

/// Docker Hub's ratelimit-limit and ratelimit-remaining, "100;w=21600"; nothing unless both are
/// there.
[[nodiscard]] std::optional<RegistryMemory::RateLimit> rate_limit_of(const HttpResponse& response);

}  // namespace tallyman
