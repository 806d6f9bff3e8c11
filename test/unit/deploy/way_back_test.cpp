#include <doctest/doctest.h>

#include "unit/deploy/yard.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

/// A deployment whose new image is bad; what happens when its first failure is known.
struct Failing : Yard {
  explicit Failing(std::function<void(Failing&)> then) {
    is_unhealthy('b');
    on_phase = [this, then = std::move(then)](Phase phase, bool after) -> Result<void> {
      if (phase == Phase::tidy && !after) {
        then(*this);
      }
      return {};
    };
  }
};

void check_rolled_back(const Yard& yard, const Outcome& outcome) {
  check(outcome, ServiceState::rolled_back, ReasonCode::unhealthy);
  CHECK(yard.phase_of(outcome) == "rolled_back");
  CHECK(yard.running() == Calls{"shop-web-1 #a running"});
  CHECK(yard.tag_of() == "#a");
}

}  // namespace

TEST_CASE("an old image that is gone is pulled again by its digest") {
  Failing yard([](Failing& self) {
    self.engine.images.erase(id_of('a'));
    self.engine.can_pull(k_web, '1', 'a');
  });
  const Outcome outcome = yard.deploy();
  check_rolled_back(yard, outcome);
  CHECK(yard.asked("pull").back() == "pull harbor.lan/shop/web@#1 for linux/amd64");
  CHECK(yard.steps.at(2).name == "pull");
  CHECK(yard.steps.at(2).text == "111111111111, again");
}

TEST_CASE("an old image that cannot be had again leaves the containers alone and is tried again") {
  Failing yard([](Failing& self) { self.engine.images.erase(id_of('a')); });
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::failed, ReasonCode::rollback_failed);
  CHECK(yard.phase_of(outcome) == "retag");
  CHECK(shortened(outcome.error->message) ==
        "shop-web-1 is unhealthy: no database; and the way back failed: the old image of "
        "harbor.lan/shop/web:1 is gone: pull of harbor.lan/shop/web@#1: harbor.lan/shop/web@#1: "
        "manifest unknown");
  CHECK(yard.asked("recreate").size() == 1);
  CHECK(yard.running() == Calls{"shop-web-1 #b running"});

  yard.engine.can_pull(k_web, '1', 'a');
  check_rolled_back(yard, yard.recover_one());
}

TEST_CASE("an old image that is gone and came from nowhere") {
  Failing yard([](Failing& self) { self.engine.images.erase(id_of('a')); });
  yard.plan.images[0].old[0].digest.reset();
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::failed, ReasonCode::rollback_failed);
  CHECK(shortened(outcome.error->message) ==
        "shop-web-1 is unhealthy: no database; and the way back failed: the image #a that project "
        "shop ran is gone, and nobody knows its digest");
}

TEST_CASE("a way back that fails is gone again by the next start") {
  struct Row {
    const char* what;
    const char* call;  ///< that fails once
    const char* left_at;
  };
  const Row rows[] = {
      {"the engine cannot be asked", "observe", "tidy"},
      {"the tag cannot be moved", "tag", "retag"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Failing yard([&](Failing& self) {
      self.engine.fails(row.call, {ErrorKind::transient, "no engine", "start it"}, 1);
    });
    const Outcome outcome = yard.deploy();
    check(outcome, ServiceState::failed, ReasonCode::rollback_failed);
    CHECK(yard.phase_of(outcome) == row.left_at);
    CHECK(outcome.error->message ==
          "shop-web-1 is unhealthy: no database; and the way back failed: no engine");
    CHECK(outcome.error->remedy.starts_with("start it"));
    check_rolled_back(yard, yard.recover_one());
  }
}

TEST_CASE("a compose that fails on the way back is called again by the next start") {
  Failing yard([](Failing& self) {
    self.target.on_recreate = [&](const PreparedProject&) -> Result<void> {
      return fail(ErrorKind::process, "compose up: exit status 1");
    };
  });
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::failed, ReasonCode::rollback_failed);
  CHECK(yard.phase_of(outcome) == "restore");

  const Outcome again = yard.recover_one();  // told once, however often it fails
  CHECK(yard.phase_of(again) == "restore");
  CHECK(yard.phases == Calls{"tidy", "retag", "restore"});
  CHECK(again.error->message ==
        "shop-web-1 is unhealthy: no database; and the way back failed: compose up: exit status 1");

  yard.target.on_recreate = {};
  const Outcome back = yard.recover_one();
  check_rolled_back(yard, back);
  CHECK(back.journal->recoveries == 2);
}

TEST_CASE("old containers that do not come back good are a failure, and it ends there") {
  Failing yard([](Failing& self) {
    self.engine.on_inspect = [](Container container) -> Result<Container> {
      container.status = ContainerStatus::exited;
      container.exit_code = 3;
      return container;
    };
  });
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::failed, ReasonCode::rollback_failed);
  CHECK(yard.phase_of(outcome) == "failed");
  CHECK(outcome.error->message ==
        "shop-web-1 is unhealthy: no database; and the way back failed: shop-web-1 exited with "
        "status 3");
  CHECK(outcome.journal->judged);

  Failing wrong([](Failing& self) {
    self.target.on_recreate = [](const PreparedProject&) -> Result<void> { return {}; };
  });
  const Outcome left = wrong.deploy();
  check(left, ServiceState::failed, ReasonCode::rollback_failed);
  CHECK(wrong.phase_of(left) == "failed");
  CHECK(contains(shortened(left.error->message), "shop-web-1 runs image #b and not #a"));
}

TEST_CASE(
    "an engine that is away when the old containers are verified is asked by the next start") {
  for (const char* call : {"observe", "inspect container"}) {
    CAPTURE(call);
    Yard yard;
    yard.is_unhealthy('b');
    yard.on_phase = [&](Phase phase, bool after) -> Result<void> {
      if (phase == Phase::reverify && !after) {
        yard.engine.fails(call, {ErrorKind::transient, "no engine"}, 181);
      }
      return {};
    };
    const Outcome outcome = yard.deploy();
    check(outcome, ServiceState::failed, ReasonCode::rollback_failed);
    CHECK(yard.phase_of(outcome) == "reverify");
    yard.engine.forgive();
    check_rolled_back(yard, yard.recover_one());
    CHECK(yard.phases == Calls{"reverify", "rolled_back"});
  }
}

TEST_CASE("a deployment that nobody can write down does not begin") {
  Yard yard;
  yard.lose_state();
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::pending, ReasonCode::state_error);
  CHECK(outcome.error->message.starts_with("the journal of the deployment: "));
  CHECK(contains(outcome.error->message, yard.folder / "state"));
  CHECK(yard.phase_of(outcome) == "abandoned");
  CHECK(yard.phases == Calls{"abandon", "abandoned"});
  CHECK(yard.asked("tag").empty());
  CHECK(yard.asked("recreate").empty());
}

TEST_CASE("a state folder that is lost on the way stops the way forward, never the way back") {
  struct Row {
    Phase lost_after;
    const char* end;
    std::size_t recreated;
    Calls phases;
  };
  const Calls back = {"tidy", "retag", "restore", "reverify", "rolled_back"};
  const Row rows[] = {
      {Phase::protect, "abandoned", 0, {"protect", "abandon", "abandoned"}},
      {Phase::pull, "abandoned", 0, {"protect", "pull", "abandon", "abandoned"}},
      {Phase::tag, "rolled_back", 0, {"protect", "pull", "tag"}},
      {Phase::recreate, "rolled_back", 2, {"protect", "pull", "tag", "recreate"}},
  };
  for (const Row& row : rows) {
    CAPTURE(to_string(row.lost_after));
    Yard yard;
    yard.on_phase = [&](Phase phase, bool after) -> Result<void> {
      if (phase == row.lost_after && after) {
        yard.lose_state();
      }
      return {};
    };
    const Outcome outcome = yard.deploy();
    CHECK(yard.phase_of(outcome) == row.end);
    CHECK(to_string(outcome.reason_code) == "state_error");
    CHECK(yard.asked("recreate").size() == row.recreated);
    Calls phases = row.phases;
    if (row.end == std::string_view("rolled_back")) {
      phases.insert(phases.end(), back.begin(), back.end());
    }
    CHECK(yard.phases == phases);
    CHECK(yard.running() == Calls{"shop-web-1 #a running"});
    CHECK(yard.tag_of() == "#a");
  }
}
