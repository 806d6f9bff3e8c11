#pragma once

#include <string_view>

#include "tallyman/model/error.hpp"
#include "tallyman/model/time.hpp"

namespace tallyman {

/// When a hold ends, as people type it, in the time zone of this host unless the text says another:
///   2h, 1h30m, 7d               from now on
///   18:00, 18:00:30             the next time that it is so late
///   2026-12-01, tomorrow        when that day begins
///   2026-12-01 18:00, tomorrow 18:00:30
///   2026-12-01T18:00:00+01:00   RFC 3339
/// ErrorKind::config for anything else, and for what is over already.
[[nodiscard]] Result<Timestamp> parse_until(std::string_view text, Timestamp now);

/// "2026-12-01 18:00 CET": in the time zone of this host.
[[nodiscard]] std::string local_text(Timestamp time);
/// "2026-12-01 18:00:05", for the columns of a table: the same without the zone.
[[nodiscard]] std::string local_seconds(Timestamp time);

}  // namespace tallyman
