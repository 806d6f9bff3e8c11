#include "cli/lock.hpp"

#include "tallyman/cli/arguments.hpp"

namespace tallyman {
namespace {

/// The kernel could wake us up, but then no stop and no time-out would.
constexpr std::chrono::milliseconds k_lock_poll{100};

std::string holder_text(const StateDirectory& state) {
  const std::string holder = state.lock_holder();
  return holder.empty() ? "" : fmt::format(" ({})", holder);
}

}  // namespace

std::expected<Lock, int> take_lock(const StateDirectory& state, const Clock& clock, Log& log,
                                   const Patience* patience) {
  const auto begun = clock.steady();
  for (bool told = false;;) {
    auto lock = state.try_lock(clock.now());
    if (!lock) {
      log.error(lock.error());
      return std::unexpected(k_exit_failed);
    }
    if (*lock) {
      return std::move(**lock);
    }
    const bool stopped = patience != nullptr && patience->stop.requested();
    if (stopped || patience == nullptr || clock.steady() - begun >= patience->wait) {
      Error error{ErrorKind::denied,
                  fmt::format("{}another run is at work{}; nothing was changed",
                              stopped ? "told to stop while " : "", holder_text(state))};
      if (!stopped && patience != nullptr && patience->wait.count() == 0) {
        error.remedy = "--wait 10m waits for its end";
      }
      log.error(error);
      return std::unexpected(k_exit_locked);
    }
    if (!told) {
      log.info("waiting for another run{}", holder_text(state));
      told = true;
    }
    clock.sleep(k_lock_poll);
  }
}

}  // namespace tallyman
