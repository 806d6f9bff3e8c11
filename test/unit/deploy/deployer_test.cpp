#include "tallyman/deploy/deployer.hpp"

#include <doctest/doctest.h>

#include "unit/deploy/yard.hpp"

using namespace tallyman;
using namespace tallyman::test;
using namespace std::chrono_literals;

namespace {

ContainerEvent event(const char* time, const char* action, const char* container) {
  return {at(time), action, container};
}

}  // namespace

TEST_CASE("a deployment keeps what runs, pulls by digest, tags, recreates, reads back, verifies") {
  Yard yard;
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::updated, ReasonCode::deployed);
  CHECK(yard.phases == Calls{"protect", "pull", "tag", "recreate", "verify", "committed"});
  CHECK(yard.asked() ==
        Calls{"prepare shop", "inspect container id-of-shop-web-1", "inspect harbor.lan/shop/web:1",
              "tag #a as harbor.lan/shop/web:tallyman-rollback-aaaaaaaaaaaa",
              "inspect harbor.lan/shop/web@#2", "credential harbor.lan/shop/web:1",
              "pull harbor.lan/shop/web@#2 for linux/amd64", "inspect harbor.lan/shop/web@#2",
              "observe", "tag #b as harbor.lan/shop/web:1", "inspect harbor.lan/shop/web:1",
              "recreate shop", "observe", "events shop", "inspect container id-of-shop-web-1+"});
  CHECK(yard.running() == Calls{"shop-web-1 #b running"});
  CHECK(yard.tag_of() == "#b");
  CHECK(yard.tag_of("harbor.lan/shop/web:tallyman-rollback-aaaaaaaaaaaa") == "#a");
}

TEST_CASE("the journal of a deployment says all of it, and is on disk until it is closed") {
  Yard yard;
  const Outcome outcome = yard.deploy();
  REQUIRE(outcome.journal.has_value());
  const Journal& journal = *outcome.journal;
  CHECK(journal.id == "20261122T194514Z-web");
  CHECK(journal.folder == yard.folder / "state/deployments/20261122T194514Z-web");
  CHECK(yard.phase_of(outcome) == "committed");
  CHECK(journal.writes == 6);
  CHECK(journal.recoveries == 0);
  CHECK((journal.started_at == at("2026-11-22T19:45:14Z")));
  CHECK(journal.finished_at.has_value());
  REQUIRE(journal.commands.size() == 1);
  CHECK(journal.commands[0].argv == Calls{"compose", "-p", "shop", "up"});
  REQUIRE(journal.images.size() == 1);
  CHECK(shortened(journal.images[0].image_id) == "#b");
  CHECK(shortened(journal.images[0].tag_before) == "#a");
  CHECK_FALSE(journal.images[0].was_here);
  CHECK_FALSE(journal.was_unhealthy);
  CHECK_FALSE(journal.error.has_value());
  CHECK_FALSE(journal.judged);
  CHECK_FALSE(journal.has_evidence);
  CHECK(journal.replicas == 1);
  REQUIRE(yard.journals().size() == 1);
  CHECK(journal_to_json(yard.journals()[0]) == journal_to_json(journal));
}

TEST_CASE("an image that was on this host before is remembered as such") {
  Yard yard;
  yard.has_image("harbor.lan/shop/web:next", '2', 'b');
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::updated, ReasonCode::deployed);
  CHECK(outcome.journal->images.at(0).was_here);
}

TEST_CASE("a deployment tells its steps") {
  Yard yard;
  yard.plan.parts[0].health.settle = 10s;
  yard.engine.on_call = [&](std::string_view call) {
    yard.clock.advance(call.starts_with("pull") ? 6100ms : call.starts_with("cred") ? 10ms : 0ms);
  };
  yard.target.on_recreate = [&](const PreparedProject& project) -> Result<void> {
    yard.clock.advance(2400ms);
    yard.engine.recreate(project.plan);
    return {};
  };
  yard.with_follower();
  check(yard.deploy(), ServiceState::updated, ReasonCode::deployed);
  struct Told {
    const char* name;
    const char* text;
    std::chrono::milliseconds took;
  };
  const Told expected[] = {{"pull", "222222222222, 38.2 MB", 6100ms},
                           {"recreate", "shop-web-1, shop-vpn-1", 2400ms},
                           {"health", "no health check", 0ms},
                           {"settle", "0 restarts", 10s}};
  REQUIRE(yard.steps.size() == std::size(expected));
  for (std::size_t i = 0; i < std::size(expected); ++i) {
    CHECK(yard.steps[i].name == expected[i].name);
    CHECK(yard.steps[i].text == expected[i].text);
    CHECK(yard.steps[i].took == expected[i].took);
  }
}

TEST_CASE("a pull that had nothing to transfer says so") {
  Yard yard;
  yard.engine.pull_bytes = 0;
  check(yard.deploy(), ServiceState::updated, ReasonCode::deployed);
  CHECK(yard.steps.at(0).text == "222222222222, nothing to transfer");
}

TEST_CASE("the engine pulls as the one who looked") {
  Yard yard;
  yard.registry.who = Credential{"robot$shop+pull", Secret("s3cr3t"), "tallyman.toml"};
  check(yard.deploy(), ServiceState::updated, ReasonCode::deployed);
  REQUIRE(yard.engine.pulled_as.has_value());
  CHECK(yard.engine.pulled_as->username == "robot$shop+pull");
  CHECK(yard.engine.pulled_as->secret.reveal() == "s3cr3t");
}

TEST_CASE("on the containerd store the image's id is the digest itself") {
  Yard yard;
  yard.engine.can_pull(k_web, '2', '2');
  check(yard.deploy(), ServiceState::updated, ReasonCode::deployed);
  CHECK(yard.running() == Calls{"shop-web-1 #2 running"});
}

TEST_CASE("all images are pulled before the first tag moves") {
  Yard yard;
  yard.offers(k_api, '5', 'c', '6', 'd');
  yard.runs("shop", "api", k_api, 'c');
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::updated, ReasonCode::deployed);
  CHECK(outcome.journal->replicas == 2);
  CHECK(yard.asked("pull").size() == 2);
  const Calls asked = yard.asked();
  const auto last_pull = std::ranges::find(asked, "pull harbor.lan/shop/api@#6 for linux/amd64");
  CHECK(std::ranges::find(asked, "tag #b as harbor.lan/shop/web:1") > last_pull);
  CHECK(yard.asked("tag #d") == Calls{"tag #d as harbor.lan/shop/api:1"});
  CHECK(yard.running() == Calls{"shop-web-1 #b running", "shop-api-1 #d running"});
}

TEST_CASE("all projects are prepared before anything is pulled, and read back once") {
  Yard yard;
  yard.runs("blog", "site", k_web, 'a');
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::updated, ReasonCode::deployed);
  CHECK(outcome.journal->replicas == 2);
  const Calls asked = yard.asked();
  CHECK(Calls(asked.begin(), asked.begin() + 2) == Calls{"prepare shop", "prepare blog"});
  const auto tagged = std::ranges::find(asked, "tag #b as harbor.lan/shop/web:1");
  CHECK(Calls(tagged, asked.end()) ==
        Calls{"tag #b as harbor.lan/shop/web:1", "inspect harbor.lan/shop/web:1", "recreate shop",
              "inspect harbor.lan/shop/web:1", "recreate blog", "observe", "events shop",
              "events blog", "inspect container id-of-shop-web-1+",
              "inspect container id-of-blog-site-1+"});
}

TEST_CASE("an image that was pruned between pull and tag is pulled again") {
  Yard yard;
  yard.engine.fails("tag " + id_of('b'), {ErrorKind::not_found, "no such image"}, 1);
  check(yard.deploy(), ServiceState::updated, ReasonCode::deployed);
  CHECK(yard.asked("pull").size() == 2);
  CHECK(yard.asked("tag #b").size() == 2);
  CHECK(yard.steps.at(0).name == "pull");
  CHECK(yard.steps.at(1).name == "recreate");
}

TEST_CASE("the containerd store may have forgotten the image that runs: it is pulled again") {
  Yard yard;
  yard.engine.can_pull(k_web, '1', 'a');
  yard.engine.images.erase(id_of('a'));
  check(yard.deploy(), ServiceState::updated, ReasonCode::deployed);
  CHECK(yard.asked("pull") == Calls{"pull harbor.lan/shop/web@#1 for linux/amd64",
                                    "pull harbor.lan/shop/web@#2 for linux/amd64"});
  CHECK(yard.tag_of("harbor.lan/shop/web:tallyman-rollback-aaaaaaaaaaaa") == "#a");
}

TEST_CASE("a deployment tells how long the service was away, as far as the engine knows") {
  Yard yard;
  yard.engine.happened = {event("2026-11-22T19:45:20.100Z", "die", "id-of-shop-web-1"),
                          event("2026-11-22T19:45:21.600Z", "start", "id-of-shop-web-1+")};
  CHECK(yard.deploy().journal->downtime == 1500ms);

  Yard silent;
  silent.engine.fails("events", {ErrorKind::transient, "gone"});
  const Outcome outcome = silent.deploy();
  check(outcome, ServiceState::updated, ReasonCode::deployed);
  CHECK_FALSE(outcome.journal->downtime.has_value());
}

TEST_CASE("what wants to be restarted along with a service is restarted, and nothing else") {
  Yard yard;
  const auto depends = [&](const char* service, const char* on) -> Container& {
    yard.engine.containers.push_back(compose_container("shop", service, 1, "x", 'd'));
    set_label(yard.engine.containers.back(), k_label_depends_on, on);
    return yard.engine.containers.back();
  };
  depends("wants", "db:service_healthy:false,web:service_started:true");
  depends("only-starts-after", "web:service_started:false");
  depends("wants-another", "web2:service_started:true,db:service_started:true");
  depends("stopped", "web:service_started:true").status = ContainerStatus::exited;
  set_label(depends("elsewhere", "web:service_started:true"), k_label_project, "blog");
  set_label(yard.engine.containers[0], k_label_depends_on, "web:service_started:true");
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::updated, ReasonCode::deployed);
  CHECK(yard.asked("restart") == Calls{"restart id-of-shop-wants-1"});
  CHECK(yard.steps.back().name == "restart");
  CHECK(yard.steps.back().text == "shop-wants-1");
}

TEST_CASE("a dependant that cannot be restarted does not undo a good deployment") {
  Yard yard;
  yard.engine.containers.push_back(compose_container("shop", "worker", 1, "x", 'd'));
  set_label(yard.engine.containers.back(), k_label_depends_on, "web:service_started:true");
  yard.engine.fails("restart", {ErrorKind::transient, "cut"});
  check(yard.deploy(), ServiceState::updated, ReasonCode::deployed);
}

TEST_CASE("prepare asks the target and no one else") {
  Yard yard;
  yard.runs("blog", "site", k_web, 'a');
  const auto prepared = yard.deployer.prepare(yard.plan);
  REQUIRE(prepared.has_value());
  REQUIRE(prepared->size() == 2);
  CHECK((*prepared)[0].plan.compose.project == "shop");
  CHECK(yard.asked() == Calls{"prepare shop", "prepare blog"});
}

TEST_CASE("the name of a rollback tag is in the image's own repository") {
  const std::string hex = "sha256:0123456789abcdef" + std::string(48, '0');
  CHECK(rollback_reference(ref("nginx"), hex).str() ==
        "docker.io/library/nginx:tallyman-rollback-0123456789ab");
  CHECK(rollback_reference(test::ref("harbor.lan:8443/a/b@" + id_of('1')), hex).str() ==
        "harbor.lan:8443/a/b:tallyman-rollback-0123456789ab");
}
