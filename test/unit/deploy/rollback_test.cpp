#include <doctest/doctest.h>

#include "unit/deploy/yard.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

const Calls k_there_and_back = {"protect", "pull",  "tag",     "recreate", "verify",
                                "tidy",    "retag", "restore", "reverify", "rolled_back"};

/// The old image runs again, under its own tag.
void check_rolled_back(const Yard& yard, const Outcome& outcome, ReasonCode code) {
  check(outcome, ServiceState::rolled_back, code);
  CHECK(yard.phase_of(outcome) == "rolled_back");
  CHECK(yard.running().front() == "shop-web-1 #a running");
  CHECK(yard.tag_of() == "#a");
}

}  // namespace

TEST_CASE("containers that get unhealthy are brought back to the old image") {
  Yard yard;
  yard.is_unhealthy('b');
  const Outcome outcome = yard.deploy();
  check_rolled_back(yard, outcome, ReasonCode::unhealthy);
  CHECK(yard.phases == k_there_and_back);
  CHECK(outcome.error->message == "shop-web-1 is unhealthy: no database");
  CHECK(contains(outcome.error->remedy, "its log and state are in " + outcome.journal->folder));
  CHECK(outcome.journal->judged);
  CHECK(outcome.journal->suspects == Calls{"harbor.lan/shop/web:1"});
  CHECK(outcome.journal->replicas == 1);
  const Calls asked = yard.asked();
  const auto recreated = std::ranges::find(asked, "recreate shop");
  CHECK(Calls(recreated, asked.end()) ==
        Calls{"recreate shop", "observe", "events shop", "inspect container id-of-shop-web-1+",
              // whose fault it was, and what it has to say
              "inspect container id-of-shop-web-1+", "observe",
              "inspect container id-of-shop-web-1+", "logs id-of-shop-web-1+",
              // tidy: there is nothing to be done
              "observe",
              // retag
              "tag #a as harbor.lan/shop/web:1",
              // restore
              "observe", "tag #a as harbor.lan/shop/web:1", "recreate shop",
              // reverify
              "observe", "inspect container id-of-shop-web-1++"});
}

TEST_CASE("what failed is kept as evidence before it is removed") {
  Yard yard;
  yard.is_unhealthy('b');
  yard.with_follower();
  const Outcome outcome = yard.deploy();
  CHECK(outcome.journal->has_evidence);
  const std::string folder = "state/deployments/" + outcome.journal->id;
  const std::string web = yard.folder.read(folder + "/shop-web-1.txt");
  for (const char* part :
       {"container shop-web-1 id-of-shop-web-1+\n", "status    running\n", "health    unhealthy\n",
        "\n--- output of the last health check\nno database\n",
        "\n--- the last 500 lines of its log\nthe last words of id-of-shop-web-1+\n"}) {
    CAPTURE(part);
    CHECK(contains(web, part));
  }
  CHECK(contains(yard.folder.read(folder + "/shop-vpn-1.txt"), "last words of id-of-shop-vpn-1+"));
}

TEST_CASE("evidence that cannot be had holds nothing up") {
  Yard no_log;
  no_log.is_unhealthy('b');
  no_log.engine.fails("logs", {ErrorKind::transient, "cut"});
  const Outcome outcome = no_log.deploy();
  check_rolled_back(no_log, outcome, ReasonCode::unhealthy);
  CHECK(contains(no_log.folder.read("state/deployments/" + outcome.journal->id + "/shop-web-1.txt"),
                 "--- no log: cut"));

  Yard blind;
  blind.is_unhealthy('b');
  blind.engine.on_call = [&](std::string_view call) {
    if (call == "events shop") {
      blind.engine.fails("observe", {ErrorKind::transient, "cut"}, 1);
    }
  };
  const Outcome without = blind.deploy();
  check_rolled_back(blind, without, ReasonCode::unhealthy);
  CHECK_FALSE(without.journal->has_evidence);
  CHECK(without.error->remedy.empty());
}

TEST_CASE("a probe that fails speaks for all images of its drop-in") {
  Yard yard;
  yard.offers(k_api, '5', 'c', '6', 'd');
  yard.runs("shop", "api", k_api, 'c');
  yard.plan.parts[0].health.timeout = {};
  yard.plan.parts[0].health.command = {"is-shop-up"};
  bool was_up = false;
  SUBCASE("it passed before") {
    was_up = true;
  }
  SUBCASE("it failed before, too: that proves nothing against them") {}
  yard.process.on("is-shop-up", Exit{.code = was_up ? 0 : 1});
  yard.engine.on_call = [&](std::string_view call) {
    if (call.starts_with("pull")) {
      yard.process.forget();
      yard.process.on("is-shop-up", Exit{.code = 1});
    }
  };
  const Outcome outcome = yard.deploy();
  CHECK(outcome.error->message.starts_with("health command `is-shop-up` ended with exit status 1"));
  CHECK(outcome.journal->judged == was_up);
  CHECK(outcome.journal->was_unhealthy != was_up);
  CHECK(outcome.journal->suspects == Calls{"harbor.lan/shop/web:1", "harbor.lan/shop/api:1"});
}

TEST_CASE("a container that fails speaks for its own image, and all are brought back") {
  Yard yard;
  yard.offers(k_api, '5', 'c', '6', 'd');
  yard.runs("shop", "api", k_api, 'c');
  yard.is_unhealthy('d');
  const Outcome outcome = yard.deploy();
  check_rolled_back(yard, outcome, ReasonCode::unhealthy);
  CHECK(outcome.journal->suspects == Calls{"harbor.lan/shop/api:1"});
  CHECK(yard.running() == Calls{"shop-web-1 #a running", "shop-api-1 #c running"});
  CHECK(yard.tag_of(k_api) == "#c");
}

TEST_CASE("an engine that goes away during the gate proves nothing about the image") {
  Yard yard;
  yard.engine.on_call = [&](std::string_view call) {
    if (call == "events shop") {
      yard.engine.fails("inspect container", {ErrorKind::transient, "away"}, 181);
    }
  };
  const Outcome outcome = yard.deploy();
  check_rolled_back(yard, outcome, ReasonCode::engine_error);
  CHECK_FALSE(outcome.journal->judged);
}

TEST_CASE("a recreation that fails is undone, and the next project is left alone") {
  Yard yard;
  yard.runs("blog", "site", k_web, 'a');
  yard.target.on_recreate = [&](const PreparedProject& project) -> Result<void> {
    yard.engine.recreate(project.plan);
    yard.target.on_recreate = {};
    return fail(ErrorKind::process, "compose up of project shop: exit status 1");
  };
  const Outcome outcome = yard.deploy();
  check_rolled_back(yard, outcome, ReasonCode::recreate_failed);
  CHECK(outcome.error->message == "compose up of project shop: exit status 1");
  CHECK_FALSE(outcome.journal->judged);
  CHECK(yard.asked("recreate") == Calls{"recreate shop", "recreate shop"});
  CHECK(yard.running() == Calls{"shop-web-1 #a running", "blog-site-1 #a running"});
}

TEST_CASE("an image whose program cannot be executed is to blame, a port that is taken is not") {
  struct Row {
    std::optional<int> exit_code;
    const char* error;
    bool judged;
  };
  const Row rows[] = {
      {127, "exec: \"/app\": no such file", true},
      {126, "permission denied", true},
      {128, "Bind for 0.0.0.0:80 failed: port is already allocated", false},
      {std::nullopt, "", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.error);
    Yard yard;
    yard.target.on_recreate = [&](const PreparedProject& project) -> Result<void> {
      yard.engine.recreate(project.plan);
      Container& web = yard.engine.containers.at(0);
      web.status = ContainerStatus::created;
      web.exit_code = row.exit_code;
      web.start_error = row.error;
      yard.target.on_recreate = [&](const PreparedProject& again) -> Result<void> {
        yard.engine.containers.at(0).status = ContainerStatus::running;
        yard.engine.recreate(again.plan);
        return {};
      };
      return fail(ErrorKind::process, "compose up failed");
    };
    const Outcome outcome = yard.deploy();
    check_rolled_back(yard, outcome, ReasonCode::recreate_failed);
    CHECK(outcome.journal->judged == row.judged);
    CHECK(outcome.error->message ==
          (row.judged ? "shop-web-1 could not be started: " + std::string(row.error)
                      : "compose up failed"));
    CHECK(outcome.journal->suspects == (row.judged ? Calls{"harbor.lan/shop/web:1"} : Calls{}));
  }
}

TEST_CASE("a tag that somebody moves before the recreation stops it") {
  Yard yard;
  yard.engine.add_image("harbor.lan/shop/web:other", 'c', "3");
  yard.on_phase = [&](Phase phase, bool after) -> Result<void> {
    if (phase == Phase::tag && after) {
      yard.engine.tags.insert_or_assign(ref(k_web), id_of('c'));
    }
    return {};
  };
  const Outcome outcome = yard.deploy();
  check_rolled_back(yard, outcome, ReasonCode::recreate_failed);
  CHECK(outcome.error->kind == ErrorKind::transient);
  CHECK(outcome.error->message ==
        "somebody moved the local tag harbor.lan/shop/web:1 away from 222222222222 while it was "
        "being deployed");
  CHECK_FALSE(outcome.journal->judged);
}

TEST_CASE("a tag that is moved between two projects brings the first one back") {
  Yard yard;
  yard.runs("blog", "site", k_web, 'a');
  yard.target.on_recreate = [&](const PreparedProject& project) -> Result<void> {
    yard.engine.recreate(project.plan);
    yard.engine.tags.insert_or_assign(ref(k_web), id_of('a'));
    return {};
  };
  check_rolled_back(yard, yard.deploy(), ReasonCode::recreate_failed);
  CHECK(yard.asked("recreate") == Calls{"recreate shop", "recreate shop"});
  CHECK(yard.running() == Calls{"shop-web-1 #a running", "blog-site-1 #a running"});
}

TEST_CASE("each project is brought back to the image that it ran") {
  Yard yard;
  yard.has_image("harbor.lan/shop/web:old", '3', 'c');
  yard.runs("blog", "site", k_web, 'c');
  yard.is_unhealthy('b');
  check(yard.deploy(), ServiceState::rolled_back, ReasonCode::unhealthy);
  CHECK(yard.running() == Calls{"shop-web-1 #a running", "blog-site-1 #c running"});
}

TEST_CASE("a recreation that reports success and did nothing, or something else, is undone") {
  Yard nothing;
  nothing.target.on_recreate = [](const PreparedProject&) -> Result<void> { return {}; };
  const Outcome outcome = nothing.deploy();
  check_rolled_back(nothing, outcome, ReasonCode::not_recreated);
  CHECK(outcome.error->message == "compose reported success, but left shop-web-1 as it was");
  CHECK_FALSE(outcome.journal->judged);

  Yard other;
  other.target.on_recreate = [&](const PreparedProject& project) -> Result<void> {
    other.engine.recreate(project.plan);
    other.engine.containers.at(0).image_id = id_of('c');
    other.target.on_recreate = {};
    return {};
  };
  const Outcome wrong = other.deploy();
  check_rolled_back(other, wrong, ReasonCode::wrong_result);
  CHECK(shortened(wrong.error->message) == "shop-web-1 runs image #c and not #b");
}

TEST_CASE("a host that cannot be read back is not known to be good, so it is brought back") {
  Yard yard;
  yard.on_phase = [&](Phase phase, bool after) -> Result<void> {
    if (phase == Phase::verify && !after) {
      yard.engine.fails("observe", {ErrorKind::transient, "cut"}, 1);
    }
    return {};
  };
  const Outcome outcome = yard.deploy();
  check_rolled_back(yard, outcome, ReasonCode::engine_error);
  CHECK(outcome.error->message == "reading back what runs: cut");
}

TEST_CASE("what was not healthy before is told so, and is no better afterwards") {
  Yard yard;
  yard.engine.on_inspect = [](Container container) -> Result<Container> {
    container.health = Health::unhealthy;
    return container;
  };
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::failed, ReasonCode::rollback_failed);
  CHECK(outcome.journal->was_unhealthy);
  CHECK(yard.steps.front().name == "before");
  CHECK(yard.steps.front().text == "failed before: shop-web-1 is unhealthy");
  CHECK(outcome.error->message ==
        "shop-web-1 is unhealthy; and the way back failed: shop-web-1 is unhealthy, as it was "
        "before");
  CHECK(yard.running() == Calls{"shop-web-1 #a running"});

  Yard recovers;
  recovers.is_unhealthy('b');
  recovers.engine.containers.at(0).health = Health::unhealthy;
  recovers.target.on_recreate = [&](const PreparedProject& project) -> Result<void> {
    recovers.engine.recreate(project.plan);
    recovers.engine.containers.at(0).health = Health::none;
    return {};
  };
  const Outcome back = recovers.deploy();
  check_rolled_back(recovers, back, ReasonCode::unhealthy);
  CHECK(back.error->message ==
        "shop-web-1 is unhealthy: no database (the old containers did not pass the gate before, "
        "either)");
}

TEST_CASE("a drop-in without rollback keeps no old image and is left as it is") {
  Yard yard;
  yard.plan.parts[0].rollback.enabled = false;
  yard.is_unhealthy('b');
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::failed, ReasonCode::unhealthy);
  CHECK(yard.phases == Calls{"protect", "pull", "tag", "recreate", "verify", "failed"});
  CHECK(outcome.journal->judged);
  CHECK(yard.running() == Calls{"shop-web-1 #b running"});
  CHECK(yard.asked("tag") == Calls{"tag #b as harbor.lan/shop/web:1"});

  Yard abandoned;  // but as long as nothing was touched it is given up like any other
  abandoned.plan.parts[0].rollback.enabled = false;
  abandoned.fail_at(Phase::tag, true);
  check(abandoned.deploy(), ServiceState::pending, ReasonCode::recreate_failed);
  CHECK(abandoned.tag_of() == "#a");
}

TEST_CASE("what wants to be restarted along with a service is, on the way back as well") {
  Yard yard;
  yard.is_unhealthy('b');
  yard.engine.containers.push_back(compose_container("shop", "worker", 1, "x", 'd'));
  set_label(yard.engine.containers.back(), k_label_depends_on, "web:service_started:true");
  check_rolled_back(yard, yard.deploy(), ReasonCode::unhealthy);
  CHECK(yard.asked("restart") == Calls{"restart id-of-shop-worker-1"});
}
