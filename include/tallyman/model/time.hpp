#pragma once

#include "tallyman/model/error.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace tallyman {

/// Wall-clock time, for records only; durations are measured with Clock::steady().
using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

/// "2026-11-22T19:45:14Z"; milliseconds (".123") only where they are not zero (RFC 3339, UTC).
[[nodiscard]] std::string format_rfc3339(Timestamp time);
/// Any RFC 3339 date-time, offsets and up to nine fraction digits included (cut to milliseconds);
/// nothing if it is none.
[[nodiscard]] std::optional<Timestamp> parse_rfc3339(std::string_view text);

/// The three forms of HTTP (RFC 9110, 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT" and the obsolete
/// ones.
[[nodiscard]] std::optional<Timestamp> parse_http_date(std::string_view text);

/// "90s", "10m", "1h30m", "500ms", "2d": one or more number-unit pairs, largest first;
/// ErrorKind::config otherwise, also for what overflows.
[[nodiscard]] Result<std::chrono::milliseconds> parse_duration(std::string_view text);
/// For people: "340 ms", "6.1 s", "2 min", "3 h", "12 d".
[[nodiscard]] std::string humanize(std::chrono::milliseconds duration);

}  // namespace tallyman
