#include <doctest/doctest.h>

#include "unit/deploy/yard.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

const Calls k_way_back = {"tidy", "retag", "restore", "reverify", "rolled_back"};

/// A run that is killed in a phase, before or after its action, and what the next start does.
struct Row {
  Phase phase;
  bool after;
  const char* end;
  Calls phases;  ///< of the recovery
};

void check_end(const Yard& yard, const Outcome& outcome, const Row& row) {
  REQUIRE(outcome.journal.has_value());
  CHECK(yard.phase_of(outcome) == row.end);
  CHECK(yard.phases == row.phases);
  const bool is_new = row.end == std::string_view("committed");
  CHECK(yard.running() == Calls{is_new ? "shop-web-1 #b running" : "shop-web-1 #a running"});
  CHECK(yard.tag_of() == (is_new ? "#b" : "#a"));
  REQUIRE(yard.journals().size() == 1);  // until it is closed
  CHECK(yard.journals()[0].phase == outcome.journal->phase);
}

}  // namespace

TEST_CASE("whenever a good deployment is killed, the next start ends it well") {
  const Calls abandoned = {"abandon", "abandoned"};
  const Row rows[] = {
      {Phase::protect, false, "abandoned", abandoned},
      {Phase::protect, true, "abandoned", abandoned},
      {Phase::pull, false, "abandoned", abandoned},
      {Phase::pull, true, "abandoned", abandoned},
      {Phase::tag, false, "abandoned", abandoned},
      {Phase::tag, true, "abandoned", abandoned},
      {Phase::recreate,
       false,
       "rolled_back",
       {"verify", "tidy", "retag", "restore", "reverify", "rolled_back"}},
      {Phase::recreate, true, "committed", {"verify", "committed"}},
      {Phase::verify, false, "committed", {"verify", "committed"}},
      {Phase::verify, true, "committed", {"verify", "committed"}},
      {Phase::committed, false, "committed", {"committed"}},
  };
  for (const Row& row : rows) {
    CAPTURE(to_string(row.phase));
    CAPTURE(row.after);
    Yard yard;
    yard.kill_at(row.phase, row.after);
    yard.deploy_until_killed();
    REQUIRE(yard.journals().size() == 1);
    CHECK(yard.journals()[0].phase == row.phase);
    const Outcome outcome = yard.recover_one();
    check_end(yard, outcome, row);
    if (row.end != std::string_view("committed")) {
      CHECK(to_string(outcome.reason_code) == "killed");
      CHECK(contains(outcome.error->message, "tallyman was killed while it deployed"));
      CHECK_FALSE(outcome.journal->judged);
    }
    CHECK(outcome.journal->recoveries == 1);
  }
}

TEST_CASE("whenever the way back is killed, the next start goes it to its end") {
  const Row rows[] = {
      {Phase::tidy, false, "rolled_back", k_way_back},
      {Phase::tidy, true, "rolled_back", k_way_back},
      {Phase::retag, false, "rolled_back", k_way_back},
      {Phase::retag, true, "rolled_back", k_way_back},
      {Phase::restore, false, "rolled_back", k_way_back},
      {Phase::restore, true, "rolled_back", k_way_back},
      {Phase::reverify, false, "rolled_back", {"reverify", "rolled_back"}},
      {Phase::reverify, true, "rolled_back", {"reverify", "rolled_back"}},
      {Phase::rolled_back, false, "rolled_back", {"rolled_back"}},
  };
  for (const Row& row : rows) {
    CAPTURE(to_string(row.phase));
    CAPTURE(row.after);
    Yard yard;
    yard.is_unhealthy('b');
    yard.kill_at(row.phase, row.after);
    yard.deploy_until_killed();
    const Outcome outcome = yard.recover_one();
    check_end(yard, outcome, row);
    check(outcome, ServiceState::rolled_back, ReasonCode::unhealthy);
    CHECK(outcome.error->message == "shop-web-1 is unhealthy: no database");
    CHECK(outcome.journal->judged);
    CHECK(outcome.journal->suspects == Calls{"harbor.lan/shop/web:1"});
  }
}

TEST_CASE("a deployment that is killed while it is given up is given up") {
  for (const bool after : {false, true}) {
    CAPTURE(after);
    Yard yard;
    yard.on_phase = [&](Phase phase, bool is_after) -> Result<void> {
      if (phase == Phase::abandon && is_after == after) {
        throw Killed{};
      }
      return phase == Phase::tag && is_after ? fail(ErrorKind::io, "hooked") : Result<void>();
    };
    yard.deploy_until_killed();
    const Outcome outcome = yard.recover_one();
    check_end(yard, outcome, {Phase::abandon, after, "abandoned", {"abandon", "abandoned"}});
    CHECK(outcome.error->message == "hooked");
  }
}

TEST_CASE("the next start, too, may be killed anywhere") {
  for (const Phase first :
       {Phase::tag, Phase::recreate, Phase::verify, Phase::tidy, Phase::restore, Phase::reverify}) {
    for (const Phase second : {Phase::abandon, Phase::abandoned, Phase::verify, Phase::tidy,
                               Phase::retag, Phase::restore, Phase::reverify, Phase::rolled_back}) {
      CAPTURE(to_string(first));
      CAPTURE(to_string(second));
      Yard yard;
      yard.is_unhealthy('b');
      yard.kill_at(first, first != Phase::verify);
      yard.deploy_until_killed();
      yard.kill_at(second, false);
      try {
        (void)yard.deployer.recover(yard.lock, yard);
      } catch (const Killed&) {
        // or it never came there
      }
      const Outcome outcome = yard.recover_one();
      CHECK(has_ended(outcome.journal->phase));
      CHECK(yard.running() == Calls{"shop-web-1 #a running"});
      CHECK(yard.tag_of() == "#a");
    }
  }
}

TEST_CASE("the command of compose is the one that was prepared, whatever is configured by then") {
  Yard yard;
  yard.kill_at(Phase::tidy, false);
  yard.is_unhealthy('b');
  yard.deploy_until_killed();
  yard.target.prepare_error = Error{ErrorKind::config, "the project has moved"};
  std::vector<std::string> argv;
  yard.target.on_recreate = [&](const PreparedProject& project) -> Result<void> {
    argv = project.recreate.argv;
    yard.engine.recreate(project.plan);
    return {};
  };
  CHECK(yard.phase_of(yard.recover_one()) == "rolled_back");
  CHECK(argv == Calls{"compose", "-p", "shop", "up"});
  CHECK(yard.asked("prepare").empty());
}

TEST_CASE("a compose that was cut between removing and renaming is put in order first") {
  Yard yard;
  yard.target.on_recreate = [&](const PreparedProject&) -> Result<void> {
    // v2: the new one has its provisional name, the old one is gone
    Container& web = yard.engine.containers.at(0);
    web.id = "new";
    web.name = "0123456789ab_shop-web-1";
    web.image_id = id_of('b');
    web.status = ContainerStatus::created;
    yard.target.on_recreate = {};
    throw Killed{};
  };
  yard.deploy_until_killed();
  const Outcome outcome = yard.recover_one();
  CHECK(yard.phase_of(outcome) == "rolled_back");
  CHECK(yard.asked("rename") == Calls{"rename new to shop-web-1"});
  CHECK(contains(outcome.error->message,
                 "tallyman was killed while it deployed, and no container is called shop-web-1"));
}

TEST_CASE("what compose v1 renamed and was killed before it removed is removed after the gate") {
  for (const bool is_cut : {true, false}) {
    CAPTURE(is_cut);
    Yard yard;
    yard.target.on_recreate = [&](const PreparedProject&) -> Result<void> {
      Container old = yard.engine.containers.at(0);
      yard.engine.containers.at(0).id = "new";
      yard.engine.containers.at(0).image_id = id_of('b');
      old.name = "0123456789ab_shop_web_1";
      old.status = ContainerStatus::exited;
      yard.engine.containers.push_back(old);
      yard.target.on_recreate = {};
      if (is_cut) {
        throw Killed{};
      }
      return {};
    };
    if (is_cut) {
      yard.deploy_until_killed();
      CHECK(yard.asked("remove").empty());
      CHECK(yard.phase_of(yard.recover_one()) == "committed");
    } else {
      CHECK(yard.phase_of(yard.deploy()) == "committed");
    }
    REQUIRE(yard.engine.containers.size() == 1);
    CHECK(yard.engine.containers.at(0).id == "new");
  }
}

TEST_CASE("a recovery that was tried too often ends") {
  struct Case {
    Phase phase;
    const char* end;
  };
  const Case cases[] = {{Phase::tag, "abandoned"},      {Phase::recreate, "rolled_back"},
                        {Phase::verify, "rolled_back"}, {Phase::abandon, "abandoned"},
                        {Phase::tidy, "failed"},        {Phase::restore, "failed"},
                        {Phase::reverify, "failed"}};
  for (const Case& one : cases) {
    CAPTURE(to_string(one.phase));
    Yard yard;
    yard.is_unhealthy('b');
    yard.on_phase = [&](Phase phase, bool after) -> Result<void> {
      if (phase == one.phase && !after) {
        throw Killed{};
      }
      return one.phase == Phase::abandon && phase == Phase::tag ? fail(ErrorKind::io, "hooked")
                                                                : Result<void>();
    };
    yard.deploy_until_killed();
    Journal journal = yard.journals().at(0);
    journal.recoveries = k_most_recoveries;
    REQUIRE(yard.state.save_journal(journal).has_value());
    const Outcome outcome = yard.recover_one();
    CHECK(yard.phase_of(outcome) == one.end);
    CHECK(outcome.error.has_value());
  }
}

TEST_CASE("a journal that was entered too often ends") {
  Yard yard;
  yard.is_unhealthy('b');
  yard.kill_at(Phase::retag, false);
  yard.deploy_until_killed();
  Journal journal = yard.journals().at(0);
  journal.writes = k_most_phases;
  REQUIRE(yard.state.save_journal(journal).has_value());
  const Outcome outcome = yard.recover_one();
  CHECK(yard.phase_of(outcome) == "failed");
  check(outcome, ServiceState::failed, ReasonCode::rollback_failed);
}

TEST_CASE("all that was left open is ended, one after the other; one that cannot be read is not") {
  Yard yard;
  CHECK(yard.recover().empty());
  yard.kill_at(Phase::verify, false);
  yard.deploy_until_killed();
  Journal other = yard.journals().at(0);
  other.id = "20261122T194514Z-other";
  REQUIRE(yard.state.save_journal(other).has_value());
  const std::vector<Outcome> outcomes = yard.recover();
  REQUIRE(outcomes.size() == 2);
  CHECK(outcomes[0].journal->id == "20261122T194514Z-other");
  CHECK(outcomes[1].journal->id == "20261122T194514Z-web");

  const std::string file = "state/deployments/20261122T194514Z-other/journal.json";
  yard.folder.write(file, "{");
  yard.calls.clear();
  const Error error = error_of(yard.deployer.recover(yard.lock, yard));
  CHECK(contains(error.message, yard.folder / file));
  CHECK(yard.calls.empty());
}

TEST_CASE("a drop-in without rollback that was killed is verified, and not brought back") {
  Yard good;
  good.plan.parts[0].rollback.enabled = false;
  good.kill_at(Phase::recreate, true);
  good.deploy_until_killed();
  CHECK(good.phase_of(good.recover_one()) == "committed");

  Yard bad;
  bad.plan.parts[0].rollback.enabled = false;
  bad.kill_at(Phase::recreate, false);
  bad.deploy_until_killed();
  const Outcome outcome = bad.recover_one();
  check(outcome, ServiceState::failed, ReasonCode::killed);
  CHECK(bad.asked("recreate").empty());
}

TEST_CASE("an engine that is away for long uses up no try") {
  Yard yard;
  yard.kill_at(Phase::recreate, true);
  yard.deploy_until_killed();
  yard.engine.fails("observe", {ErrorKind::transient, "nothing listens"});
  for (int i = 0; i < k_most_recoveries + 3; ++i) {
    const auto outcomes = value_of(yard.deployer.recover(yard.lock, yard));
    REQUIRE(outcomes.size() == 1);
    check(outcomes[0], ServiceState::failed, ReasonCode::engine_error);
    CHECK(contains(outcomes[0].error->message, "is still open: nothing listens"));
    CHECK_FALSE(has_ended(outcomes[0].journal->phase));
  }
  yard.engine.forgive();
  check(yard.recover_one(), ServiceState::updated, ReasonCode::deployed);
}
