#include "tallyman/model/platform.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using tallyman::ErrorKind;
using tallyman::Platform;
using tallyman::platform_match;

namespace {

Platform parsed(std::string_view text) {
  const auto platform = Platform::parse(text);
  REQUIRE_MESSAGE(platform.has_value(), text);
  return *platform;
}

}  // namespace

TEST_CASE("a platform is read and written as it stands") {
  for (const std::string_view text :
       {"linux/amd64", "linux/arm64/v8", "linux/arm/v7", "Linux/x86_64", "linux/ppc64le/power8"}) {
    CAPTURE(text);
    CHECK(parsed(text).str() == text);
  }
  CHECK(parsed("linux/arm64/v8") == Platform{"linux", "arm64", "v8"});
  CHECK(parsed("linux/amd64") == Platform{"linux", "amd64", ""});
}

TEST_CASE("what is no platform is a config error that quotes it") {
  for (const std::string_view text :
       {"", "/", "linux", "arm64", "linux/", "/amd64", "linux//v8", "linux/arm64/",
        "linux/arm/v7/x", "linux/arm/v7/", "linux/amd64,linux/arm64", "linux amd64", " linux/amd64",
        "linux/amd64 ", "linux/*", "linux/\xc3\xa9"}) {
    CAPTURE(text);
    const auto platform = Platform::parse(text);
    REQUIRE_FALSE(platform.has_value());
    CHECK(platform.error().kind == ErrorKind::config);
    CHECK(platform.error().message.find("is not a platform") != std::string::npos);
    CHECK_FALSE(platform.error().remedy.empty());
  }
}

TEST_CASE("platforms are normalised as containerd does") {
  struct Row {
    std::string_view text;
    std::string_view normalised;
  };
  const std::vector<Row> rows = {
      {"linux/amd64", "linux/amd64"},
      {"Linux/AMD64", "linux/amd64"},
      {"linux/x86_64", "linux/amd64"},
      {"linux/x86-64/v3", "linux/amd64/v3"},
      {"linux/amd64/v1", "linux/amd64"},
      {"linux/amd64/V2", "linux/amd64/v2"},
      {"linux/aarch64", "linux/arm64"},
      {"linux/arm64/v8", "linux/arm64"},
      {"linux/arm64/8", "linux/arm64"},
      {"linux/arm64/v9", "linux/arm64/v9"},
      {"linux/arm", "linux/arm/v7"},
      {"linux/arm/v7", "linux/arm/v7"},
      {"linux/arm/6", "linux/arm/v6"},
      {"linux/arm/7", "linux/arm/v7"},
      {"linux/armhf", "linux/arm/v7"},
      {"linux/armel", "linux/arm/v6"},
      {"linux/i386", "linux/386"},
      {"linux/386", "linux/386"},
      {"macos/arm64", "darwin/arm64"},
      {"linux/s390x", "linux/s390x"},
      {"linux/riscv64/a", "linux/riscv64/a"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(parsed(row.text).normalised().str() == row.normalised);
    CHECK(parsed(row.text).normalised().normalised() == parsed(row.text).normalised());
  }
}

TEST_CASE("an offer matches where it can run") {
  struct Row {
    std::string_view wanted;
    std::string_view offered;
    bool matches;
  };
  const std::vector<Row> rows = {
      {"linux/amd64", "linux/amd64", true},
      {"linux/amd64", "linux/amd64/v1", true},
      {"linux/amd64/v1", "linux/amd64", true},
      {"linux/amd64", "linux/amd64/v2", false},
      {"linux/amd64", "linux/amd64/v3", false},
      {"linux/amd64/v2", "linux/amd64/v3", false},
      {"linux/amd64/v3", "linux/amd64/v3", true},
      {"linux/amd64/v3", "linux/amd64/v2", true},
      {"linux/amd64/v3", "linux/amd64/v1", true},
      {"linux/amd64/v3", "linux/amd64", true},
      {"linux/amd64/v3", "linux/amd64/odd", false},
      {"linux/amd64/odd", "linux/amd64", false},
      {"linux/amd64/odd", "linux/amd64/odd", true},
      {"linux/amd64/v99999999999", "linux/amd64", false},
      {"linux/arm/v7", "linux/arm/v7", true},
      {"linux/arm/v7", "linux/arm", true},
      {"linux/arm", "linux/arm/v7", true},
      {"linux/arm/v7", "linux/arm/v6", true},
      {"linux/arm/v7", "linux/arm/v5", true},
      {"linux/arm/v7", "linux/arm/v8", false},
      {"linux/arm/v8", "linux/arm/v7", true},
      {"linux/arm/v6", "linux/arm/v7", false},
      {"linux/arm/v6", "linux/arm", false},
      {"linux/arm/v6", "linux/arm/v5", true},
      {"linux/arm64", "linux/arm64/v8", true},
      {"linux/arm64/v8", "linux/arm64", true},
      {"linux/aarch64", "linux/arm64/v8", true},
      {"linux/arm64", "linux/arm64/v9", false},
      {"linux/arm64/v9", "linux/arm64", true},
      {"linux/arm64", "linux/arm/v7", false},
      {"linux/arm/v7", "linux/arm64", false},
      {"linux/amd64", "linux/386", false},
      {"linux/amd64", "windows/amd64", false},
      {"linux/amd64", "unknown/unknown", false},
      {"linux/s390x", "linux/s390x", true},
      {"linux/riscv64", "linux/riscv64/rva23u64", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.wanted);
    CAPTURE(row.offered);
    const int match = platform_match(parsed(row.wanted), parsed(row.offered));
    CHECK((match > 0) == row.matches);
    CHECK(match >= 0);
  }
}

TEST_CASE("of several offers the nearest is the best") {
  struct Row {
    std::string_view wanted;
    std::vector<std::string_view> best_first;
  };
  const std::vector<Row> rows = {
      {"linux/amd64/v4", {"linux/amd64/v4", "linux/amd64/v3", "linux/amd64/v2", "linux/amd64"}},
      {"linux/arm/v8", {"linux/arm/v8", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5"}},
      {"linux/arm/v7", {"linux/arm/v7", "linux/arm/v6", "linux/arm/v5"}},
      {"linux/arm64/v9", {"linux/arm64/v9", "linux/arm64/v8"}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.wanted);
    for (std::size_t i = 1; i < row.best_first.size(); ++i) {
      CAPTURE(row.best_first[i]);
      CHECK(platform_match(parsed(row.wanted), parsed(row.best_first[i - 1])) >
            platform_match(parsed(row.wanted), parsed(row.best_first[i])));
    }
  }
}
