#include "tallyman/io/clock.hpp"

#include <doctest/doctest.h>

#include <chrono>

using tallyman::SystemClock;

TEST_CASE("SystemClock tells the system's times") {
  const SystemClock clock;
  const auto before = std::chrono::system_clock::now() - std::chrono::milliseconds(1);
  const tallyman::Timestamp now = clock.now();
  CHECK(now >= before);
  CHECK(now <= std::chrono::system_clock::now());
  const auto steady_before = std::chrono::steady_clock::now();
  const auto steady = clock.steady();
  CHECK(steady >= steady_before);
  CHECK(steady <= std::chrono::steady_clock::now());
}

TEST_CASE("SystemClock sleeps at least as long as it is told") {
  const SystemClock clock;
  const auto before = clock.steady();
  clock.sleep(std::chrono::milliseconds(20));
  CHECK(clock.steady() - before >= std::chrono::milliseconds(20));
}
