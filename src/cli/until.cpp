#include "tallyman/cli/until.hpp"

#include <array>
#include <ctime>
#include <optional>
#include <vector>

#include "tallyman/io/log.hpp"

namespace tallyman {
namespace {

/// "18:00" with ':' is {18, 0}; nothing unless all parts are digits, as many as `widths` says.
std::optional<std::vector<int>> numbers(std::string_view text, char separator,
                                        const std::vector<std::size_t>& widths) {
  std::vector<int> values;
  for (const std::size_t width : widths) {
    const std::string_view digits = text.substr(0, width);
    if (digits.size() != width || digits.find_first_not_of("0123456789") != digits.npos) {
      return std::nullopt;
    }
    int value = 0;
    for (const char digit : digits) {
      value = value * 10 + (digit - '0');
    }
    values.push_back(value);
    text.remove_prefix(width);
    if (values.size() < widths.size()) {
      if (!text.starts_with(separator)) {
        return std::nullopt;
      }
      text.remove_prefix(1);
    }
  }
  return text.empty() ? std::optional(std::move(values)) : std::nullopt;
}

std::tm local_now(Timestamp now) {
  const std::time_t seconds =
      std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(now));
  std::tm local{};
  ::localtime_r(&seconds, &local);
  return local;
}

/// mktime() takes the 32nd of a month, and an hour that a change of clocks leaves out; only the
/// latter is what somebody may mean.
Result<Timestamp> from_local(std::tm local) {
  local.tm_isdst = -1;
  const std::time_t seconds = std::mktime(&local);
  if (seconds == -1) {
    return fail(ErrorKind::config, "no such time");
  }
  return std::chrono::time_point_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::from_time_t(seconds));
}

/// Sets the day; false if the text is none.
bool set_day(std::string_view text, std::tm& local) {
  if (text == "tomorrow") {
    ++local.tm_mday;
    return true;
  }
  const auto date = numbers(text, '-', {4, 2, 2});
  if (!date) {
    return false;
  }
  const std::chrono::year_month_day day{std::chrono::year((*date)[0]),
                                        std::chrono::month(static_cast<unsigned>((*date)[1])),
                                        std::chrono::day(static_cast<unsigned>((*date)[2]))};
  local.tm_year = (*date)[0] - 1900;
  local.tm_mon = (*date)[1] - 1;
  local.tm_mday = (*date)[2];
  return day.ok();
}

bool set_time_of_day(std::string_view text, std::tm& local) {
  auto time = numbers(text, ':', {2, 2});
  if (!time) {
    time = numbers(text, ':', {2, 2, 2});
  }
  if (!time || (*time)[0] > 23 || (*time)[1] > 59 || (time->size() > 2 && (*time)[2] > 59)) {
    return false;
  }
  local.tm_hour = (*time)[0];
  local.tm_min = (*time)[1];
  local.tm_sec = time->size() > 2 ? (*time)[2] : 0;
  return true;
}

Error not_understood(std::string_view text) {
  Error error{ErrorKind::config, fmt::format("\"{}\" is no time", printable(text))};
  error.remedy =
      "write a duration (2h, 7d), a time of day (18:00), a day (2026-12-01), both with a space "
      "between, or RFC 3339";
  return error;
}

Result<Timestamp> parse_any(std::string_view text, Timestamp now) {
  if (const auto time = parse_rfc3339(text)) {
    return *time;
  }
  if (const auto span = parse_duration(text)) {
    constexpr std::chrono::days k_longest{365 * 1000};
    return *span <= k_longest ? Result<Timestamp>(now + *span)
                              : fail(ErrorKind::config, "no hold is that long");
  }
  std::tm local = local_now(now);
  if (set_time_of_day(text, local)) {
    auto today = from_local(local);
    if (today && *today <= now) {
      ++local.tm_mday;
      return from_local(local);
    }
    return today;
  }
  const std::size_t gap = text.find_first_of(" T");
  const std::string_view rest = gap == std::string_view::npos ? "00:00" : text.substr(gap + 1);
  if (!set_day(text.substr(0, gap), local) || !set_time_of_day(rest, local)) {
    return std::unexpected(not_understood(text));
  }
  return from_local(local);
}

std::string formatted(const std::tm& local, const char* format) {
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), format, &local)};
}

}  // namespace

Result<Timestamp> parse_until(std::string_view text, Timestamp now) {
  auto time = parse_any(text, now);
  if (time && *time <= now) {
    return fail(ErrorKind::config, "{} is over already", local_text(*time));
  }
  return time;
}

std::string local_text(Timestamp time) {
  const std::tm local = local_now(time);
  return formatted(local, local.tm_sec == 0 ? "%Y-%m-%d %H:%M %Z" : "%Y-%m-%d %H:%M:%S %Z");
}

std::string local_seconds(Timestamp time) {
  return formatted(local_now(time), "%Y-%m-%d %H:%M:%S");
}

}  // namespace tallyman
