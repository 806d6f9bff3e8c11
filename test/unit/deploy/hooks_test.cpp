#include <doctest/doctest.h>

#include "unit/deploy/yard.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

/// Programs that exist, since that is looked at; what they do is a table of the FakeProcess.
const std::vector<std::string> k_dump = {"/bin/true", "dump"};
const std::vector<std::string> k_tell = {"/bin/true", "tell"};
const std::vector<std::string> k_alarm = {"/bin/true", "alarm"};

struct HookYard : Yard {
  HookYard() {
    HookSettings& hooks_of_web = plan.parts[0].hooks;
    hooks_of_web = {.before = k_dump, .after = k_tell, .on_failure = k_alarm};
    for (const char* word : {"dump", "tell", "alarm"}) {
      process.prints(word, std::string(word) + " is done\n");
    }
  }
  void says(const std::string& word, Exit exit) {
    process.forget();
    process.on(word, std::move(exit));
    for (const char* other : {"dump", "tell", "alarm"}) {
      process.prints(other, "");
    }
  }
  [[nodiscard]] std::string value_of_variable(std::size_t call, const std::string& name) const {
    const auto& environment = process.commands.at(call).environment;
    const auto found = environment.find(name);
    return found == environment.end() ? "unset" : shortened(found->second);
  }
  [[nodiscard]] Calls hook_steps() const {
    Calls lines;
    for (const Step& step : steps) {
      if (step.name == "hook") {
        lines.push_back(step.text);
      }
    }
    return lines;
  }
  [[nodiscard]] std::string kept(const Outcome& outcome, const std::string& name) const {
    return folder.read("state/deployments/" + outcome.journal->id + "/" + name);
  }
};

}  // namespace

TEST_CASE("before runs after the pull and before a tag moves, after when all is well") {
  HookYard yard;
  Calls at_dump;
  yard.process.on_run = [&](const Command& command) {
    if (command.argv == k_dump) {
      at_dump = {yard.tag_of(), yard.phases.back()};
      CHECK(yard.asked("pull").size() == 1);
      CHECK(yard.asked("recreate").empty());
    }
  };
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::updated, ReasonCode::deployed);
  CHECK(at_dump == Calls{"#a", "hook"});
  CHECK(yard.phases == Calls{"protect", "pull", "hook", "tag", "recreate", "verify", "committed"});
  CHECK(yard.process.lines() == Calls{"/bin/true dump", "/bin/true tell"});
  CHECK(yard.hook_steps() == Calls{"before: /bin/true", "after: /bin/true"});
  CHECK(yard.kept(outcome, "before-1.log") == "dump is done\n");
  CHECK(yard.kept(outcome, "after-1.log") == "tell is done\n");

  const Command& dump = yard.process.commands.at(0);
  CHECK(dump.directory == "/");
  CHECK((dump.timeout == std::chrono::minutes(10)));
  CHECK(yard.value_of_variable(0, "PATH") == "/usr/bin:/bin");
  CHECK(yard.value_of_variable(0, "TALLYMAN_SERVICE") == "web");
  CHECK(yard.value_of_variable(0, "TALLYMAN_DIGEST") == "#2");
  CHECK(yard.value_of_variable(0, "TALLYMAN_PREVIOUS_DIGEST") == "#1");
  CHECK(yard.value_of_variable(0, "TALLYMAN_DEPLOYMENT") == outcome.journal->id);
  CHECK(yard.value_of_variable(0, "TALLYMAN_OUTCOME") == "unset");
  CHECK(yard.value_of_variable(1, "TALLYMAN_OUTCOME") == "updated");
  CHECK(yard.value_of_variable(1, "TALLYMAN_IMAGE") == "harbor.lan/shop/web:1");
}

TEST_CASE("a before that fails stops the deployment untouched") {
  const Exit rows[] = {
      {.code = 3, .out = "no room\n"}, {.code = 0, .timed_out = true}, {.code = -1, .signal = 9}};
  for (const Exit& exit : rows) {
    HookYard yard;
    yard.says("dump", exit);
    const Outcome outcome = yard.deploy();
    check(outcome, ServiceState::pending, ReasonCode::hook_failed);
    CHECK(yard.phase_of(outcome) == "abandoned");
    CHECK(yard.running() == Calls{"shop-web-1 #a running"});
    CHECK(yard.tag_of() == "#a");
    CHECK(yard.asked("recreate").empty());
    CHECK(yard.process.lines() ==
          Calls{"/bin/true dump"});  // nothing was touched, so no other hook
    CHECK(contains(outcome.error->message,
                   "hook before of web: " +
                       exit.describe({.argv = k_dump, .timeout = std::chrono::minutes(10)})));
    CHECK(contains(outcome.error->remedy, "before-1.log") == !exit.out.empty());
  }
}

TEST_CASE("a before that is not there is found before the pull") {
  HookYard yard;
  yard.plan.parts[0].hooks.before = {"/no/such/program"};
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::pending, ReasonCode::preflight_failed);
  CHECK(outcome.error->message ==
        "hook before of web: /no/such/program is no program: it is not there, or not executable");
  CHECK(yard.asked("pull").empty());
}

TEST_CASE("a before that was cut off is not run again for that deployment") {
  for (const bool after : {false, true}) {
    CAPTURE(after);
    HookYard yard;
    yard.kill_at(Phase::hook, after);
    yard.deploy_until_killed();
    const std::size_t before = yard.process.commands.size();
    const Outcome outcome = yard.recover_one();
    check(outcome, ServiceState::pending, ReasonCode::killed);
    CHECK(yard.phases == Calls{"abandon", "abandoned"});
    CHECK(yard.process.commands.size() == before);
    CHECK(yard.running() == Calls{"shop-web-1 #a running"});
  }
}

TEST_CASE("on_failure runs after a rollback, and cannot change it") {
  for (const int code : {0, 1}) {
    CAPTURE(code);
    HookYard yard;
    yard.is_unhealthy('b');
    yard.says("alarm", {.code = code, .err = "nobody is there"});
    const Outcome outcome = yard.deploy();
    check(outcome, ServiceState::rolled_back, ReasonCode::unhealthy);
    CHECK(yard.process.lines() == Calls{"/bin/true dump", "/bin/true alarm"});
    CHECK(yard.value_of_variable(1, "TALLYMAN_OUTCOME") == "rolled_back");
    CHECK(yard.value_of_variable(1, "TALLYMAN_DIGEST") == "#2");
    CHECK(yard.hook_steps().back() ==
          (code == 0
               ? "on_failure: /bin/true"
               : "on_failure failed: hook on_failure of web: exit status 1: nobody is there"));
  }
}

TEST_CASE("on_failure is told of what is not known to be good") {
  HookYard yard;
  yard.is_unhealthy('b');
  yard.plan.parts[0].rollback.enabled = false;
  check(yard.deploy(), ServiceState::failed, ReasonCode::unhealthy);
  CHECK(yard.value_of_variable(1, "TALLYMAN_OUTCOME") == "failed");
}

TEST_CASE("an after that fails, or cannot be started, leaves the outcome as it is") {
  HookYard yard;
  yard.plan.parts[0].hooks.after = {"/no/such/program"};
  check(yard.deploy(), ServiceState::updated, ReasonCode::deployed);
  CHECK(contains(yard.hook_steps().back(), "after failed: hook after of web: "));
}

TEST_CASE("after runs at most once, whenever the run is killed") {
  {  // Before it was noted that it is called: the next start calls it.
    HookYard yard;
    yard.kill_at(Phase::committed, false);
    yard.deploy_until_killed();
    CHECK(yard.process.lines() == Calls{"/bin/true dump"});
    check(yard.recover_one(), ServiceState::updated, ReasonCode::deployed);
    CHECK(yard.process.lines() == Calls{"/bin/true dump", "/bin/true tell"});
    check(yard.recover_one(), ServiceState::updated, ReasonCode::deployed);  // not closed yet
    CHECK(yard.process.lines().size() == 2);
  }
  {  // While it runs: it is not known what it did, so it is left at that.
    HookYard yard;
    yard.process.on_run = [](const Command& command) {
      if (command.argv == k_tell) {
        throw Killed{};
      }
    };
    yard.deploy_until_killed();
    yard.process.on_run = {};
    check(yard.recover_one(), ServiceState::updated, ReasonCode::deployed);
    CHECK(yard.process.lines() == Calls{"/bin/true dump", "/bin/true tell"});
  }
}

TEST_CASE("each drop-in of a transaction has its hooks run") {
  HookYard yard;
  DeploymentPart worker = yard.plan.parts[0];
  worker.service = "worker";
  worker.hooks.after.clear();
  DeploymentPart plain = yard.plan.parts[0];
  plain.service = "plain";
  plain.hooks = {};
  yard.plan.parts.push_back(worker);
  yard.plan.parts.push_back(plain);
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::updated, ReasonCode::deployed);
  CHECK(yard.process.lines() == Calls{"/bin/true dump", "/bin/true dump", "/bin/true tell"});
  CHECK(yard.value_of_variable(0, "TALLYMAN_SERVICE") == "web");
  CHECK(yard.value_of_variable(1, "TALLYMAN_SERVICE") == "worker");
  CHECK(yard.value_of_variable(2, "TALLYMAN_SERVICE") == "web");
  CHECK(yard.kept(outcome, "before-2.log") == "dump is done\n");
}

TEST_CASE("without a journal no hook runs") {
  HookYard yard;
  yard.lose_state();
  const Outcome outcome = yard.deploy();  // no journal, no hook
  CHECK(yard.process.commands.empty());
  check(outcome, ServiceState::pending, ReasonCode::state_error);
}
