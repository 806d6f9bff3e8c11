#pragma once

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unit/engine/fake_engine.hpp"

namespace tallyman::test {

/// The index that the recorded pulls were asked for.
inline constexpr std::string_view k_pulled_digest =
    "sha256:38cdf0d6b09acc5b2e2bdb010fc38cac261fd2f3d50dfd27f70c61ab74e73ec6";
inline constexpr std::string_view k_pull_line =
    "POST /images/create?fromImage=harbor.lan%2Fshop%2Fweb&tag=sha256%3A"
    "38cdf0d6b09acc5b2e2bdb010fc38cac261fd2f3d50dfd27f70c61ab74e73ec6";

inline ImageReference pulled(std::string_view repository = "harbor.lan/shop/web") {
  const auto reference = ImageReference::parse(fmt::format("{}@{}", repository, k_pulled_digest));
  REQUIRE(reference);
  return *reference;
}

inline Credential robot() {
  return {"robot$shop+pull", Secret("p~~?>w"), "[registry.\"harbor.lan\"]"};
}

/// A FakeEngine on an amd64 host whose pull answers `stream`.
inline void answer_pull(FakeEngine& fake, HttpResult stream) {
  fake.on("GET /version", R"({"Version":"20.10.24","Os":"linux","Arch":"amd64"})")
      .on(std::string(k_pull_line), std::move(stream));
}

struct Pulled {
  Result<std::int64_t> bytes;
  std::vector<PullProgress> progress = {};
};

inline Pulled pull(Engine& engine, const std::optional<Credential>& credential = std::nullopt) {
  std::vector<PullProgress> progress;
  Result<std::int64_t> bytes =
      engine.pull(pulled(), Platform{"linux", "amd64"}, credential,
                  [&progress](const PullProgress& now) { progress.push_back(now); });
  return {std::move(bytes), std::move(progress)};
}

inline Result<std::int64_t> pull_stream(std::string_view stream) {
  FakeEngine fake;
  answer_pull(fake, json_answer(stream));
  return pull(fake.engine).bytes;
}

}  // namespace tallyman::test
