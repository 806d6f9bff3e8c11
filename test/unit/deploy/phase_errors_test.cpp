#include <doctest/doctest.h>

#include "unit/deploy/yard.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

/// What an error in place of a phase's action, or after it, leads to.
struct Row {
  Phase phase;
  bool after;
  const char* phase_in_the_end;
  ServiceState state;
};

void check_row(Yard& yard, const Row& row) {
  CAPTURE(to_string(row.phase));
  CAPTURE(row.after);
  yard.fail_at(row.phase, row.after);
  const Outcome outcome = yard.deploy();
  CHECK(yard.phase_of(outcome) == row.phase_in_the_end);
  CHECK(to_string(outcome.state) == to_string(row.state));
  if (!has_ended(outcome.journal->phase)) {
    const Outcome again = yard.recover_one();
    CHECK(has_ended(again.journal->phase));
  }
}

}  // namespace

TEST_CASE("an error in any phase of the way forward leaves the old image running") {
  const Row rows[] = {
      {Phase::protect, false, "abandoned", ServiceState::pending},
      {Phase::protect, true, "abandoned", ServiceState::pending},
      {Phase::pull, false, "abandoned", ServiceState::pending},
      {Phase::pull, true, "abandoned", ServiceState::pending},
      {Phase::tag, false, "abandoned", ServiceState::pending},
      {Phase::tag, true, "abandoned", ServiceState::pending},
      {Phase::recreate, false, "rolled_back", ServiceState::rolled_back},
      {Phase::recreate, true, "rolled_back", ServiceState::rolled_back},
      {Phase::verify, false, "rolled_back", ServiceState::rolled_back},
      {Phase::verify, true, "rolled_back", ServiceState::rolled_back},
  };
  for (const Row& row : rows) {
    Yard yard;
    check_row(yard, row);
    CHECK(yard.running() == Calls{"shop-web-1 #a running"});
    CHECK(yard.tag_of() == "#a");
  }
}

TEST_CASE("an error in any phase of the way back is gone by the next start") {
  const Row rows[] = {
      {Phase::tidy, false, "tidy", ServiceState::failed},
      {Phase::tidy, true, "tidy", ServiceState::failed},
      {Phase::retag, false, "retag", ServiceState::failed},
      {Phase::retag, true, "retag", ServiceState::failed},
      {Phase::restore, false, "restore", ServiceState::failed},
      {Phase::restore, true, "restore", ServiceState::failed},
      {Phase::rolled_back, false, "rolled_back", ServiceState::rolled_back},
  };
  for (const Row& row : rows) {
    Yard yard;
    yard.is_unhealthy('b');
    check_row(yard, row);
    CHECK(yard.running() == Calls{"shop-web-1 #a running"});
    CHECK(yard.tag_of() == "#a");
  }
}

TEST_CASE("old containers that could not be verified are not known to be good") {
  for (const bool after : {false, true}) {
    Yard yard;
    yard.is_unhealthy('b');
    check_row(yard, {Phase::reverify, after, "failed", ServiceState::failed});
    CHECK(yard.running() == Calls{"shop-web-1 #a running"});
  }
}

TEST_CASE("an error after the end changes nothing") {
  Yard yard;
  check_row(yard, {Phase::committed, false, "committed", ServiceState::updated});
  CHECK(yard.running() == Calls{"shop-web-1 #b running"});
}
