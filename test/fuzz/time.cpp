#include "tallyman/model/time.hpp"

#include "fuzz/fuzz.hpp"

namespace tallyman {

FUZZ_TARGET(time) {
  if (const auto time = parse_rfc3339(input)) {
    const std::string text = format_rfc3339(*time);
    const auto again = parse_rfc3339(text);
    HOLDS(again && format_rfc3339(*again) == text);
    // An offset may lead out of the four-digit years, of which the first or last is written then.
    const bool in_range = *time >= *parse_rfc3339("0000-01-01T00:00:00Z") &&
                          *time <= *parse_rfc3339("9999-12-31T23:59:59.999Z");
    HOLDS(!in_range || *again == *time);
  }
  if (const auto duration = parse_duration(input)) {
    HOLDS(duration->count() >= 0);
    HOLDS(parse_duration(std::to_string(duration->count()) + "ms") == *duration);
    HOLDS(!humanize(*duration).empty());
    HOLDS(humanize(-*duration).size() >= humanize(*duration).size());
  } else {
    HOLDS(duration.error().kind == ErrorKind::config);
    HOLDS(fuzz::is_one_printable_line(duration.error().message));
  }
}

}  // namespace tallyman
