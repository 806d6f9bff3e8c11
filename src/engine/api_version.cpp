#include "engine/api_version.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace tallyman {

namespace {

/// The number that `text` begins with, taken off it.
std::optional<int> take_number(std::string_view& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || value < 0) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::optional<ApiVersion> take_version(std::string_view& text) {
  const auto major = take_number(text);
  if (!major || !text.starts_with('.')) {
    return std::nullopt;
  }
  text.remove_prefix(1);
  const auto minor = take_number(text);
  if (!minor) {
    return std::nullopt;
  }
  return ApiVersion{*major, *minor};
}

}  // namespace

std::optional<ApiVersion> ApiVersion::parse(std::string_view text) {
  const auto version = take_version(text);
  return text.empty() ? version : std::nullopt;
}

std::string ApiVersion::str() const {
  return fmt::format("{}.{}", major, minor);
}

std::optional<ApiVersion> version_asked_for(std::string_view message) {
  constexpr std::array<std::string_view, 2> k_phrases{"Maximum supported API version is ",
                                                      "Minimum supported API version is "};
  if (!message.contains("client version ")) {
    return std::nullopt;
  }
  for (const std::string_view phrase : k_phrases) {
    if (const auto at = message.find(phrase); at != std::string_view::npos) {
      std::string_view rest = message.substr(at + phrase.size());
      return take_version(rest);
    }
  }
  return std::nullopt;
}

}  // namespace tallyman
