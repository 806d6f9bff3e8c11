#include "tallyman/deploy/deployer.hpp"

#include <doctest/doctest.h>

#include "unit/deploy/yard.hpp"

using namespace tallyman;
using namespace tallyman::test;

TEST_CASE("a deployment prepares, pulls by digest, tags, looks at the tag, recreates, reads back") {
  Yard yard;
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::updated, ReasonCode::deployed);
  CHECK(outcome.replicas == 1);
  CHECK(yard.asked() == Calls{"prepare shop", "credential harbor.lan/shop/web:1",
                              "pull harbor.lan/shop/web@#2 for linux/amd64",
                              "inspect harbor.lan/shop/web@#2", "observe",
                              "tag #b as harbor.lan/shop/web:1", "inspect harbor.lan/shop/web:1",
                              "recreate shop", "observe"});
  CHECK(yard.engine.containers.at(0).image_id == id_of('b'));
  REQUIRE(yard.target.recreated.size() == 1);
  CHECK(yard.target.recreated[0].services.at(0).name == "web");
}

TEST_CASE("a deployment tells its steps") {
  Yard yard;
  yard.engine.on_call = [&](std::string_view call) {
    yard.clock.advance(std::chrono::milliseconds(call.starts_with("pull") ? 6100 : 10));
  };
  yard.target.on_recreate = [&](const PreparedProject& project) -> Result<void> {
    yard.clock.advance(std::chrono::milliseconds(2400));
    yard.engine.recreate(project.plan);
    return {};
  };
  yard.plan.projects[0].followers = {{.name = "vpn", .reference = ref("vpn:3"), .replicas = 0}};
  check(yard.deploy(), ServiceState::updated, ReasonCode::deployed);
  REQUIRE(yard.steps.size() == 2);
  CHECK(yard.steps[0].name == "pull");
  CHECK(yard.steps[0].text == "222222222222, 38.2 MB");
  CHECK(yard.steps[0].took.count() == 6110);
  CHECK(yard.steps[1].name == "recreate");
  CHECK(yard.steps[1].text == "shop: web, vpn");
  CHECK(yard.steps[1].took.count() == 2410);
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
  CHECK(yard.engine.pulled_as->password.reveal() == "s3cr3t");
}

TEST_CASE("on the containerd store the image's id is the digest itself") {
  Yard yard;
  yard.engine.can_pull(k_web, '2', '2');
  check(yard.deploy(), ServiceState::updated, ReasonCode::deployed);
  CHECK(yard.engine.containers.at(0).image_id == id_of('2'));
}

TEST_CASE("all images are pulled before the first tag moves") {
  Yard yard;
  yard.offers(k_api, '5', 'c', '6', 'd');
  yard.runs("shop", "api", k_api, 'c');
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::updated, ReasonCode::deployed);
  CHECK(outcome.replicas == 2);
  CHECK(yard.asked() ==
        Calls{"prepare shop", "credential harbor.lan/shop/web:1",
              "pull harbor.lan/shop/web@#2 for linux/amd64", "inspect harbor.lan/shop/web@#2",
              "credential harbor.lan/shop/api:1", "pull harbor.lan/shop/api@#6 for linux/amd64",
              "inspect harbor.lan/shop/api@#6", "observe", "tag #b as harbor.lan/shop/web:1",
              "tag #d as harbor.lan/shop/api:1", "inspect harbor.lan/shop/web:1",
              "inspect harbor.lan/shop/api:1", "recreate shop", "observe"});
}

TEST_CASE("all projects are prepared before anything is pulled, and read back once") {
  Yard yard;
  yard.runs("blog", "site", k_web, 'a');
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::updated, ReasonCode::deployed);
  CHECK(outcome.replicas == 2);
  CHECK(yard.asked() ==
        Calls{"prepare shop", "prepare blog", "credential harbor.lan/shop/web:1",
              "pull harbor.lan/shop/web@#2 for linux/amd64", "inspect harbor.lan/shop/web@#2",
              "observe", "tag #b as harbor.lan/shop/web:1", "inspect harbor.lan/shop/web:1",
              "recreate shop", "inspect harbor.lan/shop/web:1", "recreate blog", "observe"});
}

TEST_CASE("an image that was pruned between pull and tag is pulled again") {
  Yard yard;
  yard.engine.fails("tag", {ErrorKind::not_found, "no such image"}, 1);
  check(yard.deploy(), ServiceState::updated, ReasonCode::deployed);
  CHECK(yard.asked() == Calls{"prepare shop", "credential harbor.lan/shop/web:1",
                              "pull harbor.lan/shop/web@#2 for linux/amd64",
                              "inspect harbor.lan/shop/web@#2", "observe",
                              "tag #b as harbor.lan/shop/web:1", "credential harbor.lan/shop/web:1",
                              "pull harbor.lan/shop/web@#2 for linux/amd64",
                              "inspect harbor.lan/shop/web@#2", "tag #b as harbor.lan/shop/web:1",
                              "inspect harbor.lan/shop/web:1", "recreate shop", "observe"});
  CHECK(yard.steps.size() == 2);
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
