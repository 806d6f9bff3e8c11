#pragma once

#include <chrono>
#include <expected>

#include "tallyman/io/clock.hpp"
#include "tallyman/io/log.hpp"
#include "tallyman/io/stop.hpp"
#include "tallyman/state/state_directory.hpp"

namespace tallyman {

/// How long a command waits for another run; a stop ends the waiting.
struct Patience {
  std::chrono::milliseconds wait;
  const Stop& stop;
};

/// The lock, or the exit status; why not is in the log.
[[nodiscard]] std::expected<Lock, int> take_lock(const StateDirectory& state, const Clock& clock,
                                                 Log& log, const Patience* patience = nullptr);

}  // namespace tallyman
