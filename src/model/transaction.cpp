#include "tallyman/model/transaction.hpp"

#include <array>
#include <utility>

namespace tallyman {
namespace {

struct Row {
  Phase phase;
  std::string_view name;
  Phase done;
  Phase failed;
  Phase interrupted;
  Phase exhausted;
};

// One row for each phase, in the order of the enumeration. What was interrupted may have happened
// in part or in whole: before compose was called that is undone (a hook is not run again then: the
// next deployment begins with it anew); a recreation is looked at first, since compose may have
// come to its end without us; the way back begins anew with tidying.
constexpr auto k_rows = std::to_array<Row>({
    // clang-format off
    //                                 done                failed             interrupted         exhausted
    {Phase::protect,     "protect",     Phase::pull,        Phase::abandon,     Phase::abandon,     Phase::abandon},
    {Phase::pull,        "pull",        Phase::hook,        Phase::abandon,     Phase::abandon,     Phase::abandon},
    {Phase::hook,        "hook",        Phase::tag,         Phase::abandon,     Phase::abandon,     Phase::abandon},
    {Phase::tag,         "tag",         Phase::recreate,    Phase::abandon,     Phase::abandon,     Phase::abandon},
    {Phase::recreate,    "recreate",    Phase::verify,      Phase::tidy,        Phase::verify,      Phase::tidy},
    {Phase::verify,      "verify",      Phase::committed,   Phase::tidy,        Phase::verify,      Phase::tidy},
    {Phase::abandon,     "abandon",     Phase::abandoned,   Phase::abandon,     Phase::abandon,     Phase::abandoned},
    {Phase::tidy,        "tidy",        Phase::retag,       Phase::tidy,        Phase::tidy,        Phase::failed},
    {Phase::retag,       "retag",       Phase::restore,     Phase::retag,       Phase::tidy,        Phase::failed},
    {Phase::restore,     "restore",     Phase::reverify,    Phase::restore,     Phase::tidy,        Phase::failed},
    {Phase::reverify,    "reverify",    Phase::rolled_back, Phase::failed,      Phase::reverify,    Phase::failed},
    {Phase::committed,   "committed",   Phase::committed,   Phase::committed,   Phase::committed,   Phase::committed},
    {Phase::abandoned,   "abandoned",   Phase::abandoned,   Phase::abandoned,   Phase::abandoned,   Phase::abandoned},
    {Phase::rolled_back, "rolled_back", Phase::rolled_back, Phase::rolled_back, Phase::rolled_back, Phase::rolled_back},
    {Phase::failed,      "failed",      Phase::failed,      Phase::failed,      Phase::failed,      Phase::failed},
    // clang-format on
});

constexpr bool rows_are_in_order() {
  for (std::size_t i = 0; i < k_rows.size(); ++i) {
    if (k_rows[i].phase != static_cast<Phase>(i)) {
      return false;
    }
  }
  return k_rows.back().phase == Phase::failed;
}
static_assert(rows_are_in_order());

const Row& row_of(Phase phase) {
  return k_rows.at(static_cast<std::size_t>(phase));
}

}  // namespace

Phase next(Phase phase, PhaseEvent event) {
  const Row& row = row_of(phase);
  switch (event) {
    case PhaseEvent::done:
      return row.done;
    case PhaseEvent::failed:
      return row.failed;
    case PhaseEvent::postponed:
      return is_way_back(phase) ? phase : row.failed;
    case PhaseEvent::interrupted:
      return row.interrupted;
    case PhaseEvent::exhausted:
      break;
  }
  return row.exhausted;
}

bool has_ended(Phase phase) {
  return row_of(phase).done == phase;
}

ServiceState state_after(Phase phase) {
  switch (phase) {
    case Phase::committed:
      return ServiceState::updated;
    case Phase::rolled_back:
      return ServiceState::rolled_back;
    default:
      return may_have_touched(phase) ? ServiceState::failed : ServiceState::pending;
  }
}

bool may_have_touched(Phase phase) {
  switch (phase) {
    case Phase::protect:
    case Phase::pull:
    case Phase::hook:
    case Phase::tag:
    case Phase::abandon:
    case Phase::abandoned:
      return false;
    default:
      return true;
  }
}

bool is_way_back(Phase phase) {
  switch (phase) {
    case Phase::abandon:
    case Phase::tidy:
    case Phase::retag:
    case Phase::restore:
    case Phase::reverify:
      return true;
    default:
      return has_ended(phase);
  }
}

std::string_view to_string(Phase phase) {
  return row_of(phase).name;
}

std::optional<Phase> parse_phase(std::string_view text) {
  for (const Row& row : k_rows) {
    if (row.name == text) {
      return row.phase;
    }
  }
  return std::nullopt;
}

}  // namespace tallyman
