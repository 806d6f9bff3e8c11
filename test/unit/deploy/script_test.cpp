#include <doctest/doctest.h>

#include "unit/deploy/script_yard.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

using Variables = std::map<std::string, std::string>;

/// What the script is told; digests shortened.
Variables told(const PreparedProject& project) {
  Variables variables;
  for (const auto& [name, value] : project.recreate.environment) {
    variables.emplace(name, shortened(value));
  }
  return variables;
}

/// A script that does something else the first time.
void at_first(ScriptYard& yard, std::function<Result<void>(ScriptYard&)> what) {
  yard.target.on_recreate = [&yard, what = std::move(what)](const PreparedProject& project) {
    if (yard.scripts_run() == 1) {
      return what(yard);
    }
    yard.engine.recreate(project.plan);
    return Result<void>();
  };
}

Result<void> script_failed() {
  return fail(ErrorKind::process, "script ./start.sh: exit status 3");
}

}  // namespace

TEST_CASE("a script deploys, and is told what") {
  ScriptYard yard;
  Variables variables;
  yard.target.on_recreate = [&](const PreparedProject& project) {
    variables = told(project);
    yard.engine.recreate(project.plan);
    return Result<void>();
  };
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::updated, ReasonCode::deployed);
  CHECK(yard.running() == Calls{"app #b running"});
  CHECK(outcome.journal->replicas == 1);
  CHECK(variables == Variables{{"TALLYMAN_SERVICE", "web"},
                               {"TALLYMAN_DEPLOYMENT", outcome.journal->id},
                               {"TALLYMAN_IMAGE", "harbor.lan/shop/web:1"},
                               {"TALLYMAN_TAG", "1"},
                               {"TALLYMAN_DIGEST", "#2"},
                               {"TALLYMAN_PREVIOUS_DIGEST", "#1"},
                               {"TALLYMAN_PREVIOUS_IMAGE",
                                "harbor.lan/shop/web:tallyman-rollback-aaaaaaaaaaaa"}});
  CHECK(yard.engine.tags.contains(test::ref(variables["TALLYMAN_PREVIOUS_IMAGE"])));
  const auto step = std::ranges::find(yard.steps, "recreate", &Step::name);
  REQUIRE(step != yard.steps.end());
  CHECK(step->text == "script compose");  // what the target of this test calls its program
}

TEST_CASE("a script puts the old image back, and is told so") {
  ScriptYard yard;
  yard.is_unhealthy('b');
  std::vector<Variables> variables;
  yard.target.on_recreate = [&](const PreparedProject& project) {
    variables.push_back(told(project));
    yard.engine.recreate(project.plan);
    return Result<void>();
  };
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::rolled_back, ReasonCode::unhealthy);
  CHECK(yard.running() == Calls{"app #a running"});
  CHECK(yard.tag_of() == "#a");
  CHECK(yard.asked("rename").empty());
  CHECK(yard.asked("remove id").empty());
  REQUIRE(variables.size() == 2);
  CHECK_FALSE(variables[0].contains("TALLYMAN_ROLLBACK"));
  CHECK(variables[1]["TALLYMAN_ROLLBACK"] == "1");
  CHECK(variables[1]["TALLYMAN_IMAGE"] == "harbor.lan/shop/web:1");
  CHECK(variables[1]["TALLYMAN_DIGEST"] == "#1");
  CHECK(variables[1]["TALLYMAN_PREVIOUS_DIGEST"] == "#2");
  CHECK(variables[1]["TALLYMAN_PREVIOUS_IMAGE"] == "harbor.lan/shop/web@#2");
}

TEST_CASE("with nothing to go back to, a script is told of no previous image") {
  ScriptYard yard;
  yard.plan.parts[0].rollback.enabled = false;
  Variables variables;
  yard.target.on_recreate = [&](const PreparedProject& project) {
    variables = told(project);
    return script_failed();
  };
  check(yard.deploy(), ServiceState::failed, ReasonCode::recreate_failed);
  CHECK(variables["TALLYMAN_PREVIOUS_IMAGE"].empty());
  CHECK(variables["TALLYMAN_PREVIOUS_DIGEST"] == "#1");
}

TEST_CASE("what a script that fails leaves behind, and what is made of it") {
  struct Row {
    const char* what;
    std::function<void(ScriptYard&)> leaves;
    std::size_t runs;  ///< of the script, in all
    Calls started;     ///< by tidying
    Calls running;     ///< in the end
  };
  const Row rows[] = {
      {"nothing was touched", [](ScriptYard&) {}, 1, {}, {"app #a running"}},
      {"it stopped the container and died",
       [](ScriptYard& yard) { yard.app().status = ContainerStatus::exited; },
       1,
       {"start id-of-app"},
       {"app #a running"}},
      {"it moved the container out of the way and created another",
       [](ScriptYard& yard) {
         yard.app().name = "app-before";
         yard.app().status = ContainerStatus::exited;
         yard.more("app", 'b', ContainerStatus::created);
       },
       2,
       {},
       {"app-before #a exited", "app #a running"}},
      {"it gave the container another name",
       [](ScriptYard& yard) { yard.app().name = "app-before"; },
       2,
       {},
       {"app-before #a running"}},
      {"it replaced the container, and failed only then",
       [](ScriptYard& yard) { yard.engine.recreate(yard.plan.projects[0]); },
       2,
       {},
       {"app #a running"}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    ScriptYard yard;
    at_first(yard, [&](ScriptYard& self) {
      row.leaves(self);
      return script_failed();
    });
    const Outcome outcome = yard.deploy();
    check(outcome, ServiceState::rolled_back, ReasonCode::recreate_failed);
    CHECK(contains(outcome.error->message, "exit status 3"));
    CHECK(yard.scripts_run() == row.runs);
    CHECK(yard.asked("start") == row.started);
    CHECK(yard.running() == row.running);
    CHECK(yard.asked("remove id").empty());
    CHECK(yard.asked("rename").empty());
  }
}

TEST_CASE("a stopped container that cannot be started again is left to the script") {
  ScriptYard yard;
  at_first(yard, [](ScriptYard& self) {
    self.app().status = ContainerStatus::exited;
    self.engine.fails("start id-of-app", {ErrorKind::transient, "the port is taken"});
    return script_failed();
  });
  yard.engine.fails("nothing", {});
  yard.engine.on_observe = [&](Host host) -> Result<Host> { return host; };
  const Outcome outcome = yard.deploy();
  CHECK(yard.scripts_run() == 2);
  // The fake script replaces only what runs another image, so the container is still down.
  check(outcome, ServiceState::failed, ReasonCode::rollback_failed);
}

TEST_CASE("a script that pulls by itself is found out") {
  ScriptYard yard;
  yard.is_unhealthy('b');
  yard.target.on_recreate = [&](const PreparedProject& project) {
    REQUIRE(yard.engine.tag(id_of('b'), ref(k_web)).has_value());  // docker pull
    yard.engine.recreate(project.plan);
    return Result<void>();
  };
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::failed, ReasonCode::rollback_failed);
  CHECK(yard.phase_of(outcome) == "failed");
  CHECK(contains(outcome.error->message,
                 "the script moved the local tag harbor.lan/shop/web:1 to "
                 "another image: it pulls or builds by itself"));
  CHECK(contains(outcome.error->remedy, "without docker pull"));
}

TEST_CASE("what runs after a script decides, whatever it says") {
  struct Row {
    const char* what;
    std::function<void(ScriptYard&)> does;
    ReasonCode code;
    const char* message;
  };
  const Row rows[] = {
      {"nothing", [](ScriptYard&) {}, ReasonCode::not_recreated,
       "the script reported success, but left app as it was"},
      {"it leaves none", [](ScriptYard& yard) { yard.engine.containers.clear(); },
       ReasonCode::wrong_result, "0 of 1 containers of harbor.lan/shop/web:1 run after the script"},
      {"the old one runs beside the new one",
       [](ScriptYard& yard) { yard.more("app2", 'b', ContainerStatus::running); },
       ReasonCode::not_recreated, "the script reported success, but left app as it was"},
      {"the new one has ended",
       [](ScriptYard& yard) {
         yard.engine.containers.clear();
         yard.more("app", 'b', ContainerStatus::exited).exit_code = 7;
       },
       ReasonCode::unhealthy, "app exited with status 7"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    ScriptYard yard;
    yard.plan.parts[0].rollback.enabled = false;
    yard.target.on_recreate = [&](const PreparedProject&) {
      row.does(yard);
      return Result<void>();
    };
    const Outcome outcome = yard.deploy();
    check(outcome, ServiceState::failed, row.code);
    CHECK(shortened(outcome.error->message) == row.message);
  }
}

TEST_CASE("what is a script's own business is left to it") {
  ScriptYard yard;
  yard.target.on_recreate = [&](const PreparedProject&) {
    yard.app().name = "app-before";  // kept, stopped
    yard.app().status = ContainerStatus::exited;
    yard.more("blue", 'b', ContainerStatus::running);
    yard.more("green", 'b', ContainerStatus::running);
    yard.more("migrate", 'b', ContainerStatus::exited).exit_code = 0;
    return Result<void>();
  };
  check(yard.deploy(), ServiceState::updated, ReasonCode::deployed);
  CHECK(yard.running() ==
        Calls{"app-before #a exited", "blue #b running", "green #b running", "migrate #b exited"});
}

TEST_CASE("whenever a script's deployment is killed, the next start ends it well") {
  const Phase forward[] = {Phase::protect,  Phase::pull,   Phase::tag,
                           Phase::recreate, Phase::verify, Phase::committed};
  const Phase back[] = {Phase::tidy, Phase::retag, Phase::restore, Phase::reverify,
                        Phase::rolled_back};
  const auto killed_at = [](Phase phase, bool after, bool bad) {
    CAPTURE(to_string(phase));
    CAPTURE(after);
    ScriptYard yard;
    if (bad) {
      yard.is_unhealthy('b');
    }
    yard.kill_at(phase, after);
    yard.deploy_until_killed();
    const Outcome outcome = yard.recover_one();
    REQUIRE(outcome.journal.has_value());
    CHECK(has_ended(outcome.journal->phase));
    const bool updated = outcome.journal->phase == Phase::committed;
    CHECK(yard.running() == Calls{updated ? "app #b running" : "app #a running"});
    CHECK(yard.tag_of() == (updated ? "#b" : "#a"));
    CHECK(yard.asked("remove id").empty());
  };
  for (const bool after : {false, true}) {
    for (const Phase phase : forward) {
      if (phase != Phase::committed || !after) {
        killed_at(phase, after, false);
      }
    }
    for (const Phase phase : back) {
      if (phase != Phase::rolled_back || !after) {
        killed_at(phase, after, true);
      }
    }
  }
}
