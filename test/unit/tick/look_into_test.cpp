#include <doctest/doctest.h>

#include "support/tick_world.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

/// The engine has the containerd store: web runs the index #1 and knows nothing of what is in it.
struct OnContainerdStore : TickWorld {
  OnContainerdStore() {
    engine.images.clear();
    engine.add_image(k_web, '1', "1");
    engine.containers.at(0).image_id = id_of('1');
    registry.has(k_web, '2');
    registry.holds('2', '7', '9');
    registry.holds('1', '6', '9');
  }
};

const Decision& only_decision(const Look& look) {
  REQUIRE(look.services.size() == 1);
  return look.services.front().decision;
}

bool deploys(const Look& look) {
  return only_decision(look).action == Decision::Action::deploy;
}

}  // namespace

TEST_CASE("classic store: an index that moved for others is no update, and is remembered") {
  TickWorld world;
  world.registry.has(k_web, '2');
  world.registry.holds('2', '7', 'a');
  Memory memory;
  const Look first = world.look(memory);
  check_state(only_decision(first), ServiceState::current, ReasonCode::same_content);
  CHECK(world.asked("look into") == Calls{"look into harbor.lan/shop/web@#2 for linux/amd64"});
  CHECK((memory.equivalent == std::set<std::pair<Digest, std::string>>{{digest('2'), id_of('a')}}));

  world.calls.clear();
  const Look second = world.look(memory);
  check_state(only_decision(second), ServiceState::current, ReasonCode::same_content);
  CHECK(world.asked() == Calls{"observe", "resolve harbor.lan/shop/web:1"});
}

TEST_CASE("classic store: the platform's own manifest may be what was pulled") {
  TickWorld world;
  world.registry.has(k_web, '2');
  world.registry.holds('2', '1', '9');
  Memory memory;
  check_state(only_decision(world.look(memory)), ServiceState::current, ReasonCode::same_content);
  CHECK(memory.equivalent.size() == 1);
}

TEST_CASE("classic store: another image is an update, and nothing is asked of the old index") {
  TickWorld world;
  world.pushes_web();
  CHECK(deploys(world.look()));
  CHECK(world.asked("look into").size() == 1);
}

TEST_CASE("containerd store: the old index is asked what it held, and the answer is remembered") {
  OnContainerdStore world;
  Memory memory;
  const Look first = world.look(memory);
  check_state(only_decision(first), ServiceState::current, ReasonCode::same_content);
  CHECK(world.asked("look into") == Calls{"look into harbor.lan/shop/web@#2 for linux/amd64",
                                          "look into harbor.lan/shop/web@#1 for linux/amd64"});
  CHECK((memory.equivalent == std::set<std::pair<Digest, std::string>>{{digest('2'), id_of('1')}}));

  world.calls.clear();
  const Look second = world.look(memory);
  check_state(only_decision(second), ServiceState::current, ReasonCode::same_content);
  CHECK(world.asked() == Calls{"observe", "resolve harbor.lan/shop/web:1"});
}

TEST_CASE("containerd store: another image in the old index is an update") {
  OnContainerdStore world;
  world.registry.holds('1', '6', '8');
  Memory memory;
  CHECK(deploys(world.look(memory)));
  CHECK(memory.equivalent.empty());
}

TEST_CASE("containerd store: an old index that is gone from its registry is an update") {
  OnContainerdStore world;
  world.registry.insides.erase(digest('1'));
  CHECK(deploys(world.look()));
}

TEST_CASE("a digest without this host's platform is pending, and not deployed") {
  TickWorld world;
  world.registry.has(k_web, '2');
  world.registry.cannot_look_into('2', {ErrorKind::not_found, "no linux/amd64; there is arm64"});
  const Look look = world.look();
  check_state(only_decision(look), ServiceState::pending, ReasonCode::no_platform);
  CHECK(only_decision(look).reason == "no linux/amd64; there is arm64");
  CHECK_FALSE(deploys(look));
}

TEST_CASE("a digest that cannot be looked into is unknown") {
  TickWorld world;
  world.registry.has(k_web, '2');
  world.registry.cannot_look_into('2', {ErrorKind::transient, "cut"});
  const Look look = world.look();
  check_state(only_decision(look), ServiceState::unknown, ReasonCode::registry_error);
  CHECK(only_decision(look).error->message == "cut");
  CHECK_FALSE(deploys(look));
}

TEST_CASE("an image whose platform the engine does not tell is unknown") {
  TickWorld world;
  world.pushes_web();
  world.engine.fails("inspect", {ErrorKind::transient, "engine: 500"});
  const Look look = world.look();
  check_state(only_decision(look), ServiceState::unknown, ReasonCode::registry_error);
  CHECK(only_decision(look).error->message == "engine: 500");
  CHECK(world.asked("look into").empty());
}

TEST_CASE("a running image that the engine has forgotten: its own platform is asked for") {
  OnContainerdStore world;
  world.engine.fails("inspect", {ErrorKind::not_found, "no such image"});
  world.engine.engine_info.platform = {"linux", "amd64"};
  check_state(only_decision(world.look()), ServiceState::current, ReasonCode::same_content);

  world.registry.holds('1', '6', '8');
  CHECK(deploys(world.look()));

  world.engine.engine_info.platform = {};
  check_state(only_decision(world.look()), ServiceState::unknown, ReasonCode::registry_error);
}

TEST_CASE("a digest that failed here is not looked into again") {
  TickWorld world;
  world.pushes_web();
  Memory memory;
  memory.services["web"].quarantined = {{std::string(k_web), digest('2'), digest('7'), "exited"}};
  const Look look = world.look(memory);
  check_state(only_decision(look), ServiceState::quarantined, ReasonCode::failed_here);
  CHECK_FALSE(deploys(look));
  CHECK(world.asked() == Calls{"observe", "resolve harbor.lan/shop/web:1"});
  CHECK(memory.services.at("web").quarantined.size() == 1);
}

TEST_CASE("a new index around an image that failed here is looked into once") {
  TickWorld world;
  world.pushes(k_web, '3', '7', 'b');
  Memory memory;
  memory.services["web"].quarantined = {{std::string(k_web), digest('2'), digest('7'), "exited"}};
  check_state(only_decision(world.look(memory)), ServiceState::quarantined,
              ReasonCode::failed_here);
  CHECK(world.asked("look into") == Calls{"look into harbor.lan/shop/web@#3 for linux/amd64"});
  world.calls.clear();
  check_state(only_decision(world.look(memory)), ServiceState::quarantined,
              ReasonCode::failed_here);
  CHECK(world.asked() == Calls{"observe", "resolve harbor.lan/shop/web:1"});
}

TEST_CASE("a tag that moved away from what failed here is deployed, if it can be looked into") {
  TickWorld world;
  world.registry.has(k_web, '3');
  world.registry.cannot_look_into('3', {ErrorKind::transient, "cut"});
  Memory memory;
  memory.services["web"].quarantined = {{std::string(k_web), digest('2'), digest('7'), "exited"}};
  check_state(only_decision(world.look(memory)), ServiceState::unknown, ReasonCode::registry_error);
  CHECK(memory.services.at("web").quarantined.size() == 1);
  world.pushes(k_web, '3', '8', 'c');
  CHECK(deploys(world.look(memory)));
  CHECK(memory.services.at("web").quarantined.empty());
}
