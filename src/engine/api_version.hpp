#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace tallyman {

/// A version of the Docker Engine API, "1.41".
struct ApiVersion {
  int major = 0;
  int minor = 0;
  auto operator<=>(const ApiVersion&) const = default;

  [[nodiscard]] static std::optional<ApiVersion> parse(std::string_view text);
  [[nodiscard]] std::string str() const;
};

inline constexpr ApiVersion k_oldest_api{1, 24};
inline constexpr ApiVersion k_newest_api{1, 47};
/// The first that heeds images/create?platform= (moby api/server/router/image/image_routes.go).
inline constexpr ApiVersion k_platform_api{1, 32};

/// "client version 1.99 is too new. Maximum supported API version is 1.41" -> 1.41; likewise for
/// "too old" and its minimum. Nothing for any other message.
[[nodiscard]] std::optional<ApiVersion> version_asked_for(std::string_view message);

}  // namespace tallyman
