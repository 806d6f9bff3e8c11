#include "tallyman/model/time.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using std::chrono::milliseconds;
using tallyman::ErrorKind;
using tallyman::Timestamp;

namespace {

Timestamp at(std::int64_t ms) {
  return Timestamp(milliseconds(ms));
}

}  // namespace

TEST_CASE("a time is written as RFC 3339 in UTC and read back") {
  struct Row {
    std::int64_t ms;
    std::string_view text;
  };
  const std::vector<Row> rows = {
      {0, "1970-01-01T00:00:00Z"},
      {1, "1970-01-01T00:00:00.001Z"},
      {-1, "1969-12-31T23:59:59.999Z"},
      {951'782'400'000, "2000-02-29T00:00:00Z"},
      {1'795'376'714'000, "2026-11-22T19:45:14Z"},
      {1'795'376'714'120, "2026-11-22T19:45:14.120Z"},
      {-62'135'596'800'000, "0001-01-01T00:00:00Z"},
      {-62'167'219'200'000, "0000-01-01T00:00:00Z"},
      {253'402'300'799'999, "9999-12-31T23:59:59.999Z"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(tallyman::format_rfc3339(at(row.ms)) == row.text);
    CHECK(tallyman::parse_rfc3339(row.text) == at(row.ms));
  }
}

TEST_CASE("a time that RFC 3339 cannot express becomes the nearest that it can") {
  CHECK(tallyman::format_rfc3339(Timestamp::max()) == "9999-12-31T23:59:59.999Z");
  CHECK(tallyman::format_rfc3339(Timestamp::min()) == "0000-01-01T00:00:00Z");
}

TEST_CASE("every form of RFC 3339 is read") {
  struct Row {
    std::string_view text;
    std::string_view same;
  };
  const std::vector<Row> rows = {
      {"2026-11-22t19:45:14z", "2026-11-22T19:45:14Z"},
      {"2026-11-22T19:45:14+00:00", "2026-11-22T19:45:14Z"},
      {"2026-11-22T19:45:14-00:00", "2026-11-22T19:45:14Z"},
      {"2026-11-22T20:45:14+01:00", "2026-11-22T19:45:14Z"},
      {"2026-11-22T14:15:14-05:30", "2026-11-22T19:45:14Z"},
      {"2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00Z"},
      {"2026-11-22T19:45:14.1Z", "2026-11-22T19:45:14.100Z"},
      {"2026-11-22T19:45:14.12Z", "2026-11-22T19:45:14.120Z"},
      {"2026-11-22T19:45:14.0004Z", "2026-11-22T19:45:14Z"},
      {"2026-11-22T19:45:14.123999999Z", "2026-11-22T19:45:14.123Z"},
      {"2026-11-22T20:45:14.123456789+01:00", "2026-11-22T19:45:14.123Z"},
      {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"},
      {"2017-01-01T00:59:60+01:00", "2017-01-01T00:00:00Z"},
      {"2024-02-29T12:00:00Z", "2024-02-29T12:00:00Z"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto time = tallyman::parse_rfc3339(row.text);
    REQUIRE(time.has_value());
    CHECK(tallyman::format_rfc3339(*time) == row.same);
  }
}

TEST_CASE("what is no RFC 3339 time is nothing") {
  for (const std::string_view text : {"",
                                      "2026",
                                      "2026-11-22",
                                      "2026-11-22T19:45Z",
                                      "2026-11-22T19:45:14",
                                      "19:45:14Z",
                                      "2026-11-22 19:45:14Z",
                                      "2026-11-22T19:45:14 Z",
                                      " 2026-11-22T19:45:14Z",
                                      "2026-11-22T19:45:14Z ",
                                      "2026-11-22T19:45:14Zx",
                                      "26-11-22T19:45:14Z",
                                      "2026-13-22T19:45:14Z",
                                      "2026-00-22T19:45:14Z",
                                      "2026-11-31T19:45:14Z",
                                      "2026-11-00T19:45:14Z",
                                      "2025-02-29T19:45:14Z",
                                      "2026-11-22T24:00:00Z",
                                      "2026-11-22T19:60:14Z",
                                      "2026-11-22T19:45:61Z",
                                      "2026-11-22T19:45:60Z",
                                      "2026-11-22T19:45:14.Z",
                                      "2026-11-22T19:45:14,5Z",
                                      "2026-11-22T19:45:14.1234567890Z",
                                      "2026-11-22T19:45:14+1:00",
                                      "2026-11-22T19:45:14+0100",
                                      "2026-11-22T19:45:14+24:00",
                                      "2026-11-22T19:45:14+01:60",
                                      "2026-11-22T19:45:14+",
                                      "+026-11-22T19:45:14Z",
                                      "2026-1a-22T19:45:14Z",
                                      "20261122T194514Z",
                                      "Sun, 22 Nov 2026 19:45:14 GMT"}) {
    CAPTURE(text);
    CHECK_FALSE(tallyman::parse_rfc3339(text).has_value());
  }
}

TEST_CASE("durations are read") {
  struct Row {
    std::string_view text;
    std::int64_t ms;
  };
  const std::vector<Row> rows = {
      {"500ms", 500},
      {"90s", 90'000},
      {"10m", 600'000},
      {"1h30m", 5'400'000},
      {"2d", 172'800'000},
      {"1d2h3m4s5ms", 93'784'005},
      {"1m5ms", 60'005},
      {"0s", 0},
      {"007m", 420'000},
      {"106751991167d", 9'223'372'036'828'800'000},
      {"9223372036854775807ms", INT64_MAX},
      {"106751991167d7h12m55s807ms", INT64_MAX},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto duration = tallyman::parse_duration(row.text);
    REQUIRE(duration.has_value());
    CHECK(duration->count() == row.ms);
  }
}

TEST_CASE("what is no duration is a config error that quotes it and says how to write one") {
  for (const std::string_view text : {"",
                                      "90",
                                      "s",
                                      "m5",
                                      "1.5h",
                                      "-5s",
                                      "+5s",
                                      "5 s",
                                      " 5s",
                                      "5s ",
                                      "1h 30m",
                                      "30m1h",
                                      "1h1h",
                                      "5ms1s",
                                      "1s1s",
                                      "10min",
                                      "5S",
                                      "5y",
                                      "5w",
                                      "1h30",
                                      "infinity",
                                      "5\xc2\xb5s",
                                      "9223372036854775808ms",
                                      "106751991168d",
                                      "106751991167d7h12m55s808ms",
                                      "99999999999999999999999999999s"}) {
    CAPTURE(text);
    const auto duration = tallyman::parse_duration(text);
    REQUIRE_FALSE(duration.has_value());
    CHECK(duration.error().kind == ErrorKind::config);
    CHECK(duration.error().message.find("is not a duration") != std::string::npos);
    CHECK(duration.error().remedy.find("1h30m") != std::string::npos);
  }
}

TEST_CASE("durations are shown in the unit that people would say") {
  struct Row {
    std::int64_t ms;
    std::string_view text;
  };
  const std::vector<Row> rows = {
      {0, "0 ms"},
      {340, "340 ms"},
      {999, "999 ms"},
      {1'000, "1.0 s"},
      {6'149, "6.1 s"},
      {59'999, "59.9 s"},
      {60'000, "1 min"},
      {179'999, "2 min"},
      {3'599'999, "59 min"},
      {3'600'000, "1 h"},
      {11'000'000, "3 h"},
      {86'399'999, "23 h"},
      {86'400'000, "1 d"},
      {1'040'000'000, "12 d"},
      {-340, "-340 ms"},
      {-120'000, "-2 min"},
      {INT64_MAX, "106751991167 d"},
      {INT64_MIN, "-106751991167 d"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.ms);
    CHECK(tallyman::humanize(milliseconds(row.ms)) == row.text);
  }
}
