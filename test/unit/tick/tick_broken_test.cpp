#include <doctest/doctest.h>

#include "unit/tick/ticking.hpp"

using namespace tallyman;
using namespace tallyman::test;
using std::chrono::milliseconds;

namespace {

/// A deployment ended with neither the new nor the old image well; somebody may mend it.
struct Broken : Ticking {
  Broken() {
    pushes_web();
    engine.on_inspect = [](Container container) -> Result<Container> {
      if (container.id.ends_with('+')) {
        container.status = ContainerStatus::exited;
        container.exit_code = 7;
      }
      return container;
    };
    check_state(service(run(), "web"), ServiceState::failed, ReasonCode::rollback_failed);
  }
};

}  // namespace

TEST_CASE("a service whose way back failed as well says both, and is failed from then on") {
  Broken world;
  const ServiceStatus first = world.written().services.at(0);
  CHECK(first.error->message ==
        "shop-web-1 exited with status 7; and the way back failed: shop-web-1 exited with status "
        "7");
  CHECK(first.last_deployment->result == "failed");
  CHECK((first.quarantined == std::vector<Digest>{digest('2')}));
  CHECK(world.written().result() == "failed");
  CHECK(world.remembered("web").broken == first.error->message);

  const ServiceStatus later = world.next("web", std::chrono::hours(24));
  check_state(later, ServiceState::failed, ReasonCode::rollback_failed);
  CHECK(later.error->message == first.error->message);
  CHECK(later.consecutive_failures == 2);
  CHECK(world.asked("pull").empty());
  CHECK(world.asked("recreate").empty());
}

TEST_CASE("a broken service is what it is as soon as its containers have run well for a while") {
  Broken world;
  world.engine.on_inspect = {};
  world.clock.advance(std::chrono::minutes(5));
  world.engine.containers.at(0).started = world.clock.now();
  check_state(world.next("web", k_settle - milliseconds(1)), ServiceState::failed,
              ReasonCode::rollback_failed);
  const ServiceStatus mended = world.next("web", milliseconds(1));
  check_state(mended, ServiceState::quarantined, ReasonCode::failed_here);
  CHECK_FALSE(mended.error.has_value());
  CHECK(world.remembered("web").broken.empty());
  world.registry.has(k_web, '1');
  check_state(world.next(), ServiceState::current, ReasonCode::up_to_date);
}

TEST_CASE("a broken service does not run well yet") {
  struct Row {
    const char* what;
    void (*change)(Container&);
  };
  const Row rows[] = {
      {"exited", [](Container& c) { c.status = ContainerStatus::exited; }},
      {"restarting", [](Container& c) { c.status = ContainerStatus::restarting; }},
      {"paused", [](Container& c) { c.status = ContainerStatus::paused; }},
      {"unhealthy", [](Container& c) { c.health = Health::unhealthy; }},
      {"starting", [](Container& c) { c.health = Health::starting; }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Broken world;
    world.runs("shop", "web", k_web, 'a', 2);
    world.engine.on_inspect = [&](Container container) -> Result<Container> {
      if (container.name == "shop-web-2") {
        row.change(container);
      }
      return container;
    };
    check_state(world.next(), ServiceState::failed, ReasonCode::rollback_failed);
    world.engine.on_inspect = {};
    check_state(world.next(), ServiceState::quarantined, ReasonCode::failed_here);
  }
}

TEST_CASE("a broken service that does not run at all, or cannot be looked at, stays failed") {
  Broken world;
  SUBCASE("nothing runs") {
    world.engine.containers.clear();
  }
  SUBCASE("the engine does not tell") {
    world.engine.fails("inspect container", {ErrorKind::transient, "cut"});
  }
  check_state(world.next(), ServiceState::failed, ReasonCode::rollback_failed);
  CHECK_FALSE(world.remembered("web").broken.empty());
}

TEST_CASE("a newer image mends a broken service") {
  Broken world;
  world.engine.on_inspect = {};
  world.engine.containers.at(0).started = world.clock.now() + std::chrono::minutes(5);
  world.pushes(k_web, '3', '8', 'd');
  const ServiceStatus web = world.next();
  check_state(web, ServiceState::updated, ReasonCode::deployed);
  CHECK(web.quarantined.empty());
  CHECK(world.remembered("web").broken.empty());
}
