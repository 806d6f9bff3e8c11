#pragma once

#include "tallyman/model/time.hpp"

#include <chrono>

namespace tallyman {

/// The seam to time.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;
  [[nodiscard]] virtual Timestamp now() const = 0;  ///< for records
  [[nodiscard]] virtual std::chrono::steady_clock::time_point steady()
      const = 0;  ///< for durations
  virtual void sleep(std::chrono::milliseconds span) const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override;
  [[nodiscard]] std::chrono::steady_clock::time_point steady() const override;
  void sleep(std::chrono::milliseconds span) const override;
};

}  // namespace tallyman
