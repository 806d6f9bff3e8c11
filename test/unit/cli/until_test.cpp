#include "tallyman/cli/until.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>

#include "support/values.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

/// In Berlin: UTC+1, and UTC+2 in summer.
class In {
 public:
  explicit In(const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
  }
  In(const In&) = delete;
  In& operator=(const In&) = delete;
  ~In() {
    ::unsetenv("TZ");
    ::tzset();
  }
};
constexpr const char* k_berlin = "CET-1CEST,M3.5.0,M10.5.0/3";

struct Row {
  const char* text;
  const char* until;
};

}  // namespace

TEST_CASE("--until: as people type it, in the time zone of the host") {
  const In berlin(k_berlin);
  const Timestamp now = at("2026-11-22T16:30:00Z");  // 17:30 there
  const Row rows[] = {
      {"2h", "2026-11-22T18:30:00Z"},
      {"1h30m", "2026-11-22T18:00:00Z"},
      {"7d", "2026-11-29T16:30:00Z"},
      {"18:00", "2026-11-22T17:00:00Z"},
      {"18:00:30", "2026-11-22T17:00:30Z"},
      {"17:30", "2026-11-23T16:30:00Z"},
      {"08:00", "2026-11-23T07:00:00Z"},
      {"00:00", "2026-11-22T23:00:00Z"},
      {"2026-12-01", "2026-11-30T23:00:00Z"},
      {"2026-12-01 18:00", "2026-12-01T17:00:00Z"},
      {"2026-12-01T18:00", "2026-12-01T17:00:00Z"},
      {"2026-12-01 18:00:30", "2026-12-01T17:00:30Z"},
      {"2027-07-01", "2027-06-30T22:00:00Z"},
      {"tomorrow", "2026-11-22T23:00:00Z"},
      {"tomorrow 08:00", "2026-11-23T07:00:00Z"},
      {"2026-12-01T18:00:00Z", "2026-12-01T18:00:00Z"},
      {"2026-12-01T18:00:00+05:30", "2026-12-01T12:30:00Z"},
      {"2028-02-29", "2028-02-28T23:00:00Z"},
      {"2027-03-28 02:30", "2027-03-28T01:30:00Z"},  // the clocks leave it out: 03:30
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(format_rfc3339(value_of(parse_until(row.text, now))) == row.until);
  }
}

TEST_CASE("--until: a time of day across a change of clocks is that time of day") {
  const In berlin(k_berlin);
  CHECK(format_rfc3339(value_of(parse_until("18:00", at("2026-10-24T17:00:00Z")))) ==
        "2026-10-25T17:00:00Z");
}

TEST_CASE("--until: what is no time, or is over") {
  const In berlin(k_berlin);
  const Timestamp now = at("2026-11-22T16:30:00Z");
  for (const char* text : {"",
                           " ",
                           "soon",
                           "18",
                           "24:00",
                           "18:60",
                           "8:00",
                           "18:00:61",
                           "1800",
                           "2026-13-01",
                           "2026-02-30",
                           "2026-12-1",
                           "2027-02-29",
                           "2026-12-01 18",
                           "2026-12-01  18:00",
                           "2026-12-01 18:00 ",
                           "-2h",
                           "+2h",
                           "2h ago",
                           "tomorrow evening",
                           "99999999999d",
                           "\x1b[31m",
                           "2026-12-01\n"}) {
    CAPTURE(text);
    CHECK(error_of(parse_until(text, now)).kind == ErrorKind::config);
  }
  for (const char* text : {"2026-11-22", "2020-01-01 00:00", "2026-11-22T16:30:00Z", "0s"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_until(text, now).has_value());
  }
  CHECK(contains(error_of(parse_until("2026-11-22", now)).message,
                 "2026-11-22 00:00 CET is over already"));
}

TEST_CASE("a time in the zone of the host") {
  const In berlin(k_berlin);
  CHECK(local_text(at("2026-11-22T16:30:00Z")) == "2026-11-22 17:30 CET");
  CHECK(local_text(at("2026-07-22T16:30:05Z")) == "2026-07-22 18:30:05 CEST");
}
