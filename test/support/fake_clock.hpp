#pragma once

#include <chrono>

#include "support/values.hpp"
#include "tallyman/io/clock.hpp"

namespace tallyman::test {

/// Stands still until it is told.
class FakeClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return wall; }
  [[nodiscard]] std::chrono::steady_clock::time_point steady() const override { return running; }
  void sleep(std::chrono::milliseconds span) const override {
    wall += span;
    running += span;
  }
  void advance(std::chrono::milliseconds span) {
    wall += span;
    running += span;
  }

  mutable Timestamp wall = at("2026-11-22T19:45:14Z");
  mutable std::chrono::steady_clock::time_point running = {};
};

}  // namespace tallyman::test
