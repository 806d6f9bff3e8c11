#include "tallyman/model/transaction.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

using tallyman::Phase;
using tallyman::PhaseEvent;

namespace {

struct Row {
  Phase phase;
  std::string_view name;
  Phase done;
  Phase failed;
  Phase interrupted;
  Phase exhausted;
  bool ended;
  bool touched;
  bool way_back;
};

/// Written by hand from what must hold: nothing is touched before recreate; from there on it ends
/// with images that were verified, or failed.
std::vector<Row> rows() {
  using enum Phase;
  return {
      // clang-format off
      // phase                      done         failed       interrupted  exhausted    ended  touched back
      {protect,     "protect",      pull,        abandon,     abandon,     abandon,     false, false, false},
      {pull,        "pull",         hook,        abandon,     abandon,     abandon,     false, false, false},
      {hook,        "hook",         tag,         abandon,     abandon,     abandon,     false, false, false},
      {tag,         "tag",          recreate,    abandon,     abandon,     abandon,     false, false, false},
      {recreate,    "recreate",     verify,      tidy,        verify,      tidy,        false, true,  false},
      {verify,      "verify",       committed,   tidy,        verify,      tidy,        false, true,  false},
      {abandon,     "abandon",      abandoned,   abandon,     abandon,     abandoned,   false, false, true},
      {tidy,        "tidy",         retag,       tidy,        tidy,        failed,      false, true,  true},
      {retag,       "retag",        restore,     retag,       tidy,        failed,      false, true,  true},
      {restore,     "restore",      reverify,    restore,     tidy,        failed,      false, true,  true},
      {reverify,    "reverify",     rolled_back, failed,      reverify,    failed,      false, true,  true},
      {committed,   "committed",    committed,   committed,   committed,   committed,   true,  true,  true},
      {abandoned,   "abandoned",    abandoned,   abandoned,   abandoned,   abandoned,   true,  false, true},
      {rolled_back, "rolled_back",  rolled_back, rolled_back, rolled_back, rolled_back, true,  true,  true},
      {failed,      "failed",       failed,      failed,      failed,      failed,      true,  true,  true},
      // clang-format on
  };
}

}  // namespace

TEST_CASE("what follows each phase, whatever happens in it") {
  for (const Row& row : rows()) {
    CAPTURE(row.name);
    CHECK(to_string(next(row.phase, PhaseEvent::done)) == to_string(row.done));
    CHECK(to_string(next(row.phase, PhaseEvent::failed)) == to_string(row.failed));
    CHECK(to_string(next(row.phase, PhaseEvent::postponed)) ==
          to_string(row.way_back ? row.phase : row.failed));
    CHECK(to_string(next(row.phase, PhaseEvent::interrupted)) == to_string(row.interrupted));
    CHECK(to_string(next(row.phase, PhaseEvent::exhausted)) == to_string(row.exhausted));
  }
}

TEST_CASE("what is known of a deployment by its phase") {
  for (const Row& row : rows()) {
    CAPTURE(row.name);
    CHECK(has_ended(row.phase) == row.ended);
    CHECK(may_have_touched(row.phase) == row.touched);
    CHECK(is_way_back(row.phase) == row.way_back);
  }
}

TEST_CASE("phases are written and read in their own words") {
  for (const Row& row : rows()) {
    CHECK(to_string(row.phase) == row.name);
    CHECK((tallyman::parse_phase(row.name) == row.phase));
  }
  for (const std::string_view text : {"", "Pull", "pull ", "done", "rolled back", "committed\n"}) {
    CAPTURE(text);
    CHECK_FALSE(tallyman::parse_phase(text).has_value());
  }
}

TEST_CASE("a deployment whose actions all succeed goes this way") {
  const auto way_from = [](Phase phase) {
    std::vector<std::string> way = {std::string(to_string(phase))};
    while (!has_ended(phase)) {
      phase = next(phase, PhaseEvent::done);
      way.emplace_back(to_string(phase));
    }
    return way;
  };
  using Way = std::vector<std::string>;
  CHECK(way_from(Phase::protect) ==
        Way{"protect", "pull", "hook", "tag", "recreate", "verify", "committed"});
  CHECK(way_from(Phase::tidy) == Way{"tidy", "retag", "restore", "reverify", "rolled_back"});
  CHECK(way_from(Phase::abandon) == Way{"abandon", "abandoned"});
}

TEST_CASE("no event leads from where containers were touched to where nothing was") {
  for (const Row& row : rows()) {
    CAPTURE(row.name);
    for (const PhaseEvent event : {PhaseEvent::done, PhaseEvent::failed, PhaseEvent::postponed,
                                   PhaseEvent::interrupted, PhaseEvent::exhausted}) {
      const Phase following = next(row.phase, event);
      CHECK((may_have_touched(following) || !row.touched));
      CHECK((!row.way_back || is_way_back(following)));  // nor forward again
    }
  }
}

TEST_CASE("what is tried too often ends") {
  for (const Row& row : rows()) {
    CAPTURE(row.name);
    std::set<Phase> been;
    Phase phase = row.phase;
    while (been.insert(phase).second) {
      phase = next(phase, PhaseEvent::exhausted);
    }
    CHECK(has_ended(phase));
  }
}
