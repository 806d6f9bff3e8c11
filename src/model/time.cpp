#include "tallyman/model/time.hpp"

#include <ctime>

#include "model/ascii.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace tallyman {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// Takes fixed-width fields off the front of a text; after the first that is not there all fail.
class Fields {
 public:
  explicit Fields(std::string_view text) : m_rest(text) {}

  int number(std::size_t width) {
    if (m_rest.size() < width || !ascii::all(m_rest.substr(0, width), ascii::is_digit)) {
      m_good = false;
      return 0;
    }
    int value = 0;
    for (const char c : m_rest.substr(0, width)) {
      value = value * 10 + (c - '0');
    }
    m_rest.remove_prefix(width);
    return value;
  }

  char one_of(std::string_view characters) {
    if (m_rest.empty() || characters.find(m_rest.front()) == std::string_view::npos) {
      m_good = false;
      return '\0';
    }
    const char found = m_rest.front();
    m_rest.remove_prefix(1);
    return found;
  }

  milliseconds fraction() {
    if (!m_rest.starts_with('.')) {
      return milliseconds(0);
    }
    m_rest.remove_prefix(1);
    int digits = 0;
    int value = 0;
    for (; !m_rest.empty() && ascii::is_digit(m_rest.front()); m_rest.remove_prefix(1)) {
      if (++digits <= 3) {
        value = value * 10 + (m_rest.front() - '0');
      }
    }
    m_good = m_good && digits >= 1 && digits <= 9;
    for (int i = digits; i < 3; ++i) {
      value *= 10;
    }
    return milliseconds(value);
  }

  void expect(bool condition) { m_good = m_good && condition; }
  [[nodiscard]] bool good() const { return m_good; }
  [[nodiscard]] bool at_end() const { return m_rest.empty(); }

 private:
  std::string_view m_rest;
  bool m_good = true;
};

minutes read_offset(Fields& fields) {
  const char sign = fields.one_of("Zz+-");
  if (sign != '+' && sign != '-') {
    return minutes(0);
  }
  const int hour = fields.number(2);
  fields.one_of(":");
  const int minute = fields.number(2);
  fields.expect(hour < 24 && minute < 60);
  const minutes offset = hours(hour) + minutes(minute);
  return sign == '-' ? -offset : offset;
}

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};

// Largest first: this is also the order in which they may be written.
constexpr std::array k_units = {
    Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1'000}, Unit{"ms", 1},
};

std::unexpected<Error> refuse_duration(std::string_view text, std::string_view why) {
  return std::unexpected(
      Error{ErrorKind::config, fmt::format("{} is not a duration: {}", ascii::quoted(text), why),
            "write numbers with units, largest first: 500ms, 90s, 10m, 1h30m, 2d"});
}

template <class Predicate>
std::string_view take_while(std::string_view& rest, Predicate predicate) {
  const auto end = std::find_if_not(rest.begin(), rest.end(), predicate);
  const std::string_view taken = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
  rest.remove_prefix(taken.size());
  return taken;
}

}  // namespace

std::string format_rfc3339(Timestamp time) {
  // RFC 3339 has four digits for the year.
  constexpr Timestamp k_first = std::chrono::sys_days(std::chrono::year(0) / 1 / 1);
  constexpr Timestamp k_last =
      Timestamp(std::chrono::sys_days(std::chrono::year(10'000) / 1 / 1)) - milliseconds(1);
  time = std::clamp(time, k_first, k_last);
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (clock.subseconds().count() != 0) {
    text += fmt::format(".{:03}", clock.subseconds().count());
  }
  return text + 'Z';
}

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
  Fields fields(text);
  const std::chrono::year year(fields.number(4));
  fields.one_of("-");
  const std::chrono::month month(static_cast<unsigned>(fields.number(2)));
  fields.one_of("-");
  const std::chrono::year_month_day date(year, month,
                                         std::chrono::day(static_cast<unsigned>(fields.number(2))));
  fields.one_of("Tt");
  const int hour = fields.number(2);
  fields.one_of(":");
  const int minute = fields.number(2);
  fields.one_of(":");
  const int second = fields.number(2);
  const milliseconds fraction = fields.fraction();
  const minutes offset = read_offset(fields);
  if (!fields.good() || !fields.at_end() || !date.ok() || hour > 23 || minute > 59 || second > 60) {
    return std::nullopt;
  }
  const auto whole =
      std::chrono::sys_days(date) + hours(hour) + minutes(minute) + seconds(second) - offset;
  if (second == 60 && whole != std::chrono::floor<days>(whole)) {
    return std::nullopt;  // a leap second is only ever the last one of a day in UTC
  }
  return whole + fraction;
}

Result<milliseconds> parse_duration(std::string_view text) {
  constexpr std::int64_t k_max = std::numeric_limits<milliseconds::rep>::max();
  std::int64_t total = 0;
  auto next_unit = k_units.begin();
  std::string_view rest = text;
  if (text.empty()) {
    return refuse_duration(text, "it is empty");
  }
  while (!rest.empty()) {
    const std::string_view digits = take_while(rest, ascii::is_digit);
    const std::string_view name = take_while(rest, [](char c) { return !ascii::is_digit(c); });
    const auto unit =
        std::find_if(k_units.begin(), k_units.end(), [&](const Unit& u) { return u.name == name; });
    if (digits.empty()) {
      return refuse_duration(text, fmt::format("{} has no number", ascii::quoted(name)));
    }
    if (unit == k_units.end()) {
      return refuse_duration(text, fmt::format("{} has no known unit", digits.substr(0, 40)));
    }
    if (unit < next_unit) {
      return refuse_duration(
          text, fmt::format("{} must not come after a smaller or equal unit", ascii::quoted(name)));
    }
    std::int64_t count = 0;
    for (const char c : digits) {
      if (count > (k_max / unit->milliseconds - (c - '0')) / 10) {
        return refuse_duration(text, "it is too long");
      }
      count = count * 10 + (c - '0');
    }
    if (count * unit->milliseconds > k_max - total) {
      return refuse_duration(text, "it is too long");
    }
    total += count * unit->milliseconds;
    next_unit = unit + 1;
  }
  return milliseconds(total);
}

std::string humanize(milliseconds duration) {
  const milliseconds::rep count = duration.count();
  if (count < 0) {
    // The most negative one has no positive counterpart.
    return '-' +
           humanize(milliseconds(-std::max(count, -std::numeric_limits<milliseconds::rep>::max())));
  }
  if (duration < seconds(1)) {
    return fmt::format("{} ms", count);
  }
  if (duration < minutes(1)) {
    return fmt::format("{}.{} s", count / 1'000, count % 1'000 / 100);
  }
  if (duration < hours(1)) {
    return fmt::format("{} min", count / 60'000);
  }
  if (duration < days(1)) {
    return fmt::format("{} h", count / 3'600'000);
  }
  return fmt::format("{} d", count / 86'400'000);
}

std::optional<Timestamp> parse_http_date(std::string_view text) {
  const std::string date(text);
  for (const char* form :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"}) {
    std::tm parts{};
    const char* end = ::strptime(date.c_str(), form, &parts);
    if (end != nullptr && *end == '\0') {
      return Timestamp(std::chrono::seconds(::timegm(&parts)));
    }
  }
  return std::nullopt;
}

}  // namespace tallyman
