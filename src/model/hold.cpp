#include "tallyman/model/hold.hpp"

#include <chrono>

#include "tallyman/model/decision.hpp"

namespace tallyman {

std::string Hold::who() const {
  return command == k_by_hand ? by : fmt::format("{} ({})", by, command);
}

std::string Hold::str() const {
  const auto seconds = [](Timestamp time) {
    return format_rfc3339(std::chrono::floor<std::chrono::seconds>(time));
  };
  return fmt::format("held by {} since {}{}{}", who(), seconds(at),
                     until ? " until " + seconds(*until) : "", reason.empty() ? "" : ": " + reason);
}

void hold_back(Decision& decision, std::string_view why) {
  decision.action = Decision::Action::none;
  if (decision.state < ServiceState::held) {
    return;
  }
  const bool tells_update =
      decision.update_available == true && decision.reason_code != ReasonCode::held;
  decision.reason = tells_update ? fmt::format("{}; {}", why, decision.reason) : std::string(why);
  decision.state = ServiceState::held;
  decision.reason_code = ReasonCode::held;
}

void apply_hold(const Watch& watch, const Memory& memory, const Moment& moment,
                Decision& decision) {
  const auto found = memory.holds.find(watch.name);
  if (found == memory.holds.end() || moment.wish) {
    return;
  }
  const Result<Hold>& hold = found->second;
  if (!hold) {
    // What it says may be important.
    decision.action = Decision::Action::none;
    decision.state = ServiceState::unknown;
    decision.reason_code = ReasonCode::state_error;
    decision.reason = hold.error().message;
    decision.error = hold.error();
  } else if (!hold->is_over(moment.now)) {
    hold_back(decision, hold->str());
  }
}

}  // namespace tallyman
