#include "tallyman/io/clock.hpp"

#include <thread>

namespace tallyman {

Timestamp SystemClock::now() const {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

std::chrono::steady_clock::time_point SystemClock::steady() const {
  return std::chrono::steady_clock::now();
}

void SystemClock::sleep(std::chrono::milliseconds span) const {
  std::this_thread::sleep_for(span);
}

}  // namespace tallyman
