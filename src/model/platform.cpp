#include "tallyman/model/platform.hpp"

#include "model/ascii.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <utility>

namespace tallyman {
namespace {

constexpr int k_exact = 100;

bool is_word(std::string_view text) {
  return !text.empty() && ascii::all(text, [](char c) {
    return ascii::is_alnum(c) || c == '_' || c == '.' || c == '-';
  });
}

void normalise_arm(Platform& platform) {
  if (platform.architecture == "armhf") {
    platform.architecture = "arm";
    platform.variant = "v7";
  } else if (platform.architecture == "armel") {
    platform.architecture = "arm";
    platform.variant = "v6";
  } else if (platform.variant.empty()) {
    platform.variant = "v7";
  } else if (platform.variant.size() == 1 && platform.variant >= "5" && platform.variant <= "8") {
    platform.variant.insert(0, "v");
  }
}

/// What a variant can run, as a number to compare: 3 for v3. Nothing where variants have no order.
std::optional<int> level(const Platform& platform) {
  if (platform.architecture == "amd64" && platform.variant.empty()) {
    return 1;
  }
  if ((platform.architecture != "amd64" && platform.architecture != "arm") ||
      !platform.variant.starts_with('v')) {
    return std::nullopt;
  }
  int value = 0;
  const char* const end = platform.variant.data() + platform.variant.size();
  const auto [stop, error] = std::from_chars(platform.variant.data() + 1, end, value);
  if (error != std::errc{} || stop != end || value < 1 || value >= k_exact) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

Result<Platform> Platform::parse(std::string_view text) {
  std::array<std::string_view, 3> parts;
  std::size_t count = 0;
  std::string_view rest = text;
  bool good = true;
  for (bool more = true; more && good; ++count) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    good = count < parts.size() && is_word(part);
    if (good) {
      parts[count] = part;
    }
    more = slash != std::string_view::npos;
    rest = more ? rest.substr(slash + 1) : "";
  }
  if (!good || count < 2) {
    return std::unexpected(Error{ErrorKind::config,
                                 fmt::format("{} is not a platform", ascii::quoted(text)),
                                 "write os/architecture[/variant], as in linux/arm64"});
  }
  return Platform{std::string(parts[0]), std::string(parts[1]), std::string(parts[2])};
}

std::string Platform::str() const {
  return variant.empty() ? fmt::format("{}/{}", os, architecture)
                         : fmt::format("{}/{}/{}", os, architecture, variant);
}

Platform Platform::normalised() const {
  Platform result{ascii::lower(os), ascii::lower(architecture), ascii::lower(variant)};
  std::string& arch = result.architecture;
  if (result.os == "macos") {
    result.os = "darwin";
  }
  if (arch == "i386") {
    arch = "386";
    result.variant.clear();
  } else if (arch == "x86_64" || arch == "x86-64" || arch == "amd64") {
    arch = "amd64";
    if (result.variant == "v1") {
      result.variant.clear();
    }
  } else if (arch == "aarch64" || arch == "arm64") {
    arch = "arm64";
    if (result.variant == "v8" || result.variant == "8") {
      result.variant.clear();
    }
  } else if (arch == "arm" || arch == "armhf" || arch == "armel") {
    normalise_arm(result);
  }
  return result;
}

int platform_match(const Platform& wanted, const Platform& offered) {
  const Platform want = wanted.normalised();
  const Platform offer = offered.normalised();
  if (want.os != offer.os || want.architecture != offer.architecture) {
    return 0;
  }
  if (want.variant == offer.variant) {
    return k_exact;
  }
  if (want.architecture == "arm64") {
    return offer.variant.empty() ? 1 : 0;  // v8.2 and v9 run what plain arm64 runs
  }
  const auto can = level(want);
  const auto needs = level(offer);
  return can && needs && *needs < *can ? k_exact - (*can - *needs) : 0;
}

}  // namespace tallyman
