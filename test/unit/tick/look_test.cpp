#include "tallyman/tick/look.hpp"

#include "tallyman/tick/service_status.hpp"

#include <doctest/doctest.h>

#include "support/tick_world.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

const ServiceLook& service_of(const Look& look, std::string_view name) {
  const auto found =
      std::ranges::find(look.services, name, [](const ServiceLook& s) { return s.watch.name; });
  REQUIRE(found != look.services.end());
  return *found;
}

bool deploys(const ServiceLook& service) {
  return service.decision.action == Decision::Action::deploy;
}

}  // namespace

TEST_CASE("a service that is current costs one question to its registry and one to the engine") {
  TickWorld world;
  Memory memory;
  const Look look = world.look(memory);
  REQUIRE(look.services.size() == 1);
  check_state(look.services[0].decision, ServiceState::current, ReasonCode::up_to_date);
  CHECK_FALSE(deploys(look.services[0]));
  REQUIRE(look.host.has_value());
  CHECK(look.host->containers.size() == 1);
  CHECK(world.asked() == Calls{"observe", "resolve harbor.lan/shop/web:1"});
  REQUIRE(memory.seen.contains("harbor.lan/shop/web:1"));
  CHECK((memory.seen.at("harbor.lan/shop/web:1").digest == digest('1')));
  CHECK((memory.seen.at("harbor.lan/shop/web:1").at == at("2026-11-22T19:45:15Z")));
}

TEST_CASE("a reference is asked for once, whatever the number of services that run it") {
  TickWorld world;
  world.config.watches[0].compose.project = "shop";
  world.watches("blog", k_web).compose.project = "blog";
  world.runs("blog", "web");
  world.runs("blog", "worker");
  world.with_api();
  const Look look = world.look();
  CHECK(look.services.size() == 3);
  for (const ServiceLook& service : look.services) {
    check_state(service.decision, ServiceState::current, ReasonCode::up_to_date);
  }
  CHECK(world.asked("resolve") ==
        Calls{"resolve harbor.lan/shop/api:1", "resolve harbor.lan/shop/web:1"});
}

TEST_CASE("services come by name, broken drop-ins among them") {
  TickWorld world;
  world.with_api();
  world.with_broken("bad");
  world.with_broken("zzz");
  const Look look = world.look();
  REQUIRE(look.services.size() == 4);
  CHECK(look.services[0].watch.name == "api");
  CHECK(look.services[1].watch.name == "bad");
  CHECK(look.services[2].watch.name == "web");
  CHECK(look.services[3].watch.name == "zzz");
}

TEST_CASE("what differs is looked into, and is to be deployed") {
  TickWorld world;
  world.pushes_web();
  Memory memory;
  const Look look = world.look(memory);
  const ServiceLook& web = look.services.at(0);
  check_state(web.decision, ServiceState::pending, ReasonCode::update_available);
  CHECK(deploys(web));
  REQUIRE(web.comparisons.size() == 1);
  CHECK(web.comparisons[0].platform.str() == "linux/amd64");
  CHECK(world.asked() == Calls{"observe", "resolve harbor.lan/shop/web:1", "inspect #a",
                               "look into harbor.lan/shop/web@#2 for linux/amd64"});
  CHECK(memory.equivalent.empty());
}

TEST_CASE("replicas of one image are inspected once") {
  TickWorld world;
  world.runs("shop", "web", k_web, 'a', 2);
  world.runs("shop", "web", k_web, 'a', 3);
  world.pushes_web();
  CHECK(deploys(world.look().services.at(0)));
  CHECK(world.asked("inspect") == Calls{"inspect #a"});
}

TEST_CASE("two drop-ins that claim one container are both unknown, and the message names both") {
  TickWorld world;
  world.pushes_web();
  world.watches("again", k_web).compose = {.directory = world.folder.path(), .services = {"web"}};
  world.with_api();
  const Look look = world.look();
  for (const char* name : {"web", "again"}) {
    const Decision& decision = service_of(look, name).decision;
    check_state(decision, ServiceState::unknown, ReasonCode::config_error);
    CHECK(decision.action == Decision::Action::none);
    REQUIRE(decision.error.has_value());
    CHECK(decision.error->kind == ErrorKind::config);
    CHECK(decision.error->message ==
          "container shop-web-1 is claimed by two drop-ins: /etc/tallyman/conf.d/web.toml and "
          "/etc/tallyman/conf.d/again.toml");
    CHECK(contains(decision.error->remedy, "[compose]"));
  }
  check_state(service_of(look, "api").decision, ServiceState::current, ReasonCode::up_to_date);
}

TEST_CASE("a conflict with a drop-in that was not asked for counts all the same") {
  TickWorld world;
  world.pushes_web();
  world.watches("again", k_web);
  Memory memory;
  const Look look = world.look(memory, {"web"});
  REQUIRE(look.services.size() == 1);
  check_state(look.services[0].decision, ServiceState::unknown, ReasonCode::config_error);
}

TEST_CASE("a broken drop-in is unknown with all its problems, and the others go on") {
  TickWorld world;
  world.with_broken("bad");
  const Look look = world.look();
  const Decision& bad = service_of(look, "bad").decision;
  check_state(bad, ServiceState::unknown, ReasonCode::config_error);
  REQUIRE(bad.error.has_value());
  CHECK(bad.error->message ==
        "/etc/tallyman/conf.d/bad.toml:3:1: imge: unknown key; /etc/tallyman/conf.d/bad.toml:4:2: "
        "no");
  CHECK(bad.error->remedy == "see: tallyman validate");
  CHECK(bad.reason == "/etc/tallyman/conf.d/bad.toml:3:1: imge: unknown key (and 1 more)");
  check_state(service_of(look, "web").decision, ServiceState::current, ReasonCode::up_to_date);
}

TEST_CASE("without its engine nothing is decided and no registry is asked") {
  TickWorld world;
  world.with_api();
  world.with_broken("bad");
  world.engine.fails("observe", {ErrorKind::denied, "no permission", "run as root"});
  const Look look = world.look();
  CHECK_FALSE(look.host.has_value());
  for (const char* name : {"web", "api"}) {
    const Decision& decision = service_of(look, name).decision;
    check_state(decision, ServiceState::unknown, ReasonCode::engine_error);
    REQUIRE(decision.error.has_value());
    CHECK(decision.error->message == "no permission");
    CHECK(decision.error->remedy == "run as root");
  }
  check_state(service_of(look, "bad").decision, ServiceState::unknown, ReasonCode::config_error);
  CHECK(world.asked() == Calls{"observe"});
}

TEST_CASE("a registry that does not answer makes its own services unknown, and no others") {
  TickWorld world;
  world.with_api();
  world.registry.fails(k_web, {ErrorKind::transient, "harbor.lan: connection refused"});
  Memory memory;
  const Look look = world.look(memory);
  const Decision& web = service_of(look, "web").decision;
  check_state(web, ServiceState::unknown, ReasonCode::registry_error);
  CHECK(web.error->message == "harbor.lan: connection refused");
  check_state(service_of(look, "api").decision, ServiceState::current, ReasonCode::up_to_date);
  CHECK_FALSE(memory.seen.contains("harbor.lan/shop/web:1"));
}

TEST_CASE("only the services that are asked for are looked at") {
  TickWorld world;
  world.with_api();
  world.with_broken("bad");
  Memory memory;
  const Look look = world.look(memory, {"api"});
  REQUIRE(look.services.size() == 1);
  CHECK(look.services[0].watch.name == "api");
  CHECK(world.asked("resolve") == Calls{"resolve harbor.lan/shop/api:1"});
  CHECK(world.look(memory, {"bad"}).services.at(0).watch.name == "bad");
}

TEST_CASE("without services nobody is asked") {
  TickWorld world;
  world.config.watches.clear();
  world.with_broken("bad");
  CHECK(world.look().services.size() == 1);
  CHECK(world.calls.empty());
}

TEST_CASE("what does not run is absent, and its registry is not asked") {
  TickWorld world;
  world.engine.containers[0].status = ContainerStatus::exited;
  check_state(world.look().services.at(0).decision, ServiceState::absent, ReasonCode::not_running);
  CHECK(world.asked() == Calls{"observe"});
}

TEST_CASE("what runs by digest, and what names no registry, is not asked for") {
  TickWorld world;
  const std::string pinned = std::string(k_web) + "@" + id_of('1');
  world.engine.containers[0].image = pinned;
  world.engine.add_image("myapp:1", 'e', "");
  world.watches("myapp", "myapp:1");
  world.runs("shop", "app", "myapp:1", 'e');
  const Look look = world.look();
  check_state(service_of(look, "web").decision, ServiceState::pinned, ReasonCode::by_digest);
  check_state(service_of(look, "myapp").decision, ServiceState::local, ReasonCode::no_origin);
  CHECK(world.asked() == Calls{"observe"});
}

TEST_CASE("what the last look asked for is on its way before the engine is asked") {
  TickWorld world;
  world.with_api();
  Memory memory;
  (void)world.look(memory);
  CHECK(world.registry.begun.empty());

  (void)world.look(memory);
  CHECK(world.registry.begun == Calls{"harbor.lan/shop/api:1", std::string(k_web)});

  world.registry.begun.clear();
  (void)world.look(memory, {"api"});
  CHECK(world.registry.begun == Calls{"harbor.lan/shop/api:1"});

  SUBCASE("not what no drop-in names any more") {
    std::erase_if(world.config.watches, [](const Watch& watch) { return watch.name == "api"; });
    world.registry.begun.clear();
    (void)world.look(memory);
    CHECK(world.registry.begun == Calls{std::string(k_web)});
  }
  SUBCASE("not what the last look had no question for") {
    world.engine.containers.clear();
    (void)world.look(memory);
    world.registry.begun.clear();
    (void)world.look(memory);
    CHECK(world.registry.begun.empty());
  }
  SUBCASE("what only labels lead to, too") {
    for (Watch& watch : world.config.watches) {
      watch.image.reset();
      watch.compose.services = {"*"};
    }
    world.registry.begun.clear();
    (void)world.look(memory);
    CHECK(world.registry.begun.size() == 2);
  }
}

TEST_CASE("what registries said is given to the next look") {
  TickWorld world;
  Memory memory;
  memory.registries["harbor.lan"].not_before = world.clock.now() + std::chrono::hours(1);
  (void)world.look(memory);
  CHECK(world.registry.said.contains("harbor.lan"));
  world.registry.said["docker.io"].rate_limit = {100, 7, std::chrono::hours(6)};
  memory.registries = world.registry.said;
  (void)world.look(memory);
  CHECK(memory.registries.at("docker.io").rate_limit->remaining == 7);
  const auto statuses = registry_statuses(memory, world.clock.now());
  REQUIRE(statuses.size() == 2);
  CHECK(statuses[0].name == "docker.io");
  CHECK(statuses[0].rate_limit->limit == 100);
  CHECK_FALSE(statuses[0].not_before.has_value());
  CHECK(statuses[1].name == "harbor.lan");
  CHECK(statuses[1].not_before.has_value());
  CHECK(registry_statuses(memory, world.clock.now() + std::chrono::hours(2)).size() == 1);
}
