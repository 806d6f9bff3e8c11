#include <doctest/doctest.h>

#include "unit/tick/ticking.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

struct Holding : Ticking {
  void hold(const ServiceName& service, std::optional<Timestamp> until = std::nullopt) {
    REQUIRE(state.holds()
                .put(service, {.reason = "exam week",
                               .until = until,
                               .by = "anna",
                               .at = at("2026-11-20T08:00:00Z")})
                .has_value());
  }
  void release(const ServiceName& service) {
    REQUIRE(value_of(state.holds().remove(service)).has_value());
  }
};

}  // namespace

TEST_CASE("what is held is left alone, and the status says by whom and why") {
  Holding world;
  world.pushes_web();
  world.hold("web", at("2026-12-01T08:00:00Z"));
  const ServiceStatus web = Ticking::service(world.run(), "web");
  check_state(web, ServiceState::held, ReasonCode::held);
  CHECK(web.reason ==
        "held by anna since 2026-11-20T08:00:00Z until 2026-12-01T08:00:00Z: exam week; "
        "222222222222 is available");
  CHECK(web.update_available == true);
  REQUIRE(web.hold.has_value());
  CHECK(web.hold->by == "anna");
  CHECK((web.hold->until == at("2026-12-01T08:00:00Z")));
  CHECK(world.asked("pull").empty());
  CHECK(world.asked("recreate").empty());
  const StatusDocument written = world.written();
  CHECK(written.result() == "ok");
  REQUIRE(written.services.at(0).hold.has_value());
  CHECK(written.services.at(0).hold->reason == "exam week");
}

TEST_CASE("after its release the next tick deploys") {
  Holding world;
  world.pushes_web();
  world.hold("web");
  (void)world.run();
  world.release("web");
  const ServiceStatus web = world.next();
  check_state(web, ServiceState::updated, ReasonCode::deployed);
  CHECK_FALSE(web.hold.has_value());
}

TEST_CASE("a hold that is over is none, and is tidied up") {
  Holding world;
  world.pushes_web();
  world.hold("web", world.clock.now() + std::chrono::minutes(5));
  check_state(Ticking::service(world.run(), "web"), ServiceState::held, ReasonCode::held);
  CHECK(value_of(world.state.holds().load()).size() == 1);
  check_state(world.next(), ServiceState::updated, ReasonCode::deployed);
  CHECK(value_of(world.state.holds().load()).empty());
}

TEST_CASE("a hold that cannot be read: unknown, and nothing is deployed") {
  Holding world;
  world.with_api();
  world.pushes_web();
  world.hold("web");
  world.folder.write("state/holds/web.json", "{");
  const TickResult result = world.run();
  const ServiceStatus web = Ticking::service(result, "web");
  check_state(web, ServiceState::unknown, ReasonCode::state_error);
  REQUIRE(web.error.has_value());
  CHECK(contains(web.error->remedy, "tallyman release web"));
  CHECK(world.asked("pull").empty());
  check_state(Ticking::service(result, "api"), ServiceState::current, ReasonCode::up_to_date);
}

TEST_CASE("nobody knows what is held: nothing at all is deployed") {
  Holding world;
  world.pushes_web();
  world.folder.write("state/holds", "");
  check_state(Ticking::service(world.run(), "web"), ServiceState::unknown, ReasonCode::state_error);
  CHECK(world.asked("pull").empty());
}

TEST_CASE("a hold that comes while a run is at work holds what has not begun yet") {
  Holding world;
  world.with_api();
  world.pushes("harbor.lan/shop/api:1", '6', '8', 'd');
  world.pushes_web();
  world.engine.on_call = [&](std::string_view call) {
    if (call.starts_with("pull harbor.lan/shop/api")) {
      world.hold("web");
    }
  };
  const TickResult result = world.run();
  check_state(Ticking::service(result, "api"), ServiceState::updated, ReasonCode::deployed);
  const ServiceStatus web = Ticking::service(result, "web");
  check_state(web, ServiceState::held, ReasonCode::held);
  CHECK(web.hold.has_value());
  CHECK(world.engine.tags.at(ref(k_web)) == id_of('a'));
}

TEST_CASE("what shares a reference with a held drop-in is held back with it") {
  Holding world;
  world.config.watches.at(0).compose.project = "shop";
  world.watches("blog", k_web).compose.project = "blog";
  world.runs("blog", "site");
  world.pushes_web();
  world.hold("blog");
  for (const std::vector<ServiceName>& only : {std::vector<ServiceName>{}, {"web"}}) {
    const ServiceStatus web = Ticking::service(world.run(only), "web");
    check_state(web, ServiceState::held, ReasonCode::held);
    CHECK(web.reason ==
          "one transaction with blog, with which it shares harbor.lan/shop/web:1; blog is held by "
          "anna since 2026-11-20T08:00:00Z: exam week; 222222222222 is available");
    CHECK_FALSE(web.hold.has_value());
    CHECK(web.update_available == true);
  }
  CHECK(world.asked("pull").empty());
  world.release("blog");
  const TickResult result = world.run();
  for (const char* name : {"blog", "web"}) {
    check_state(Ticking::service(result, name), ServiceState::updated, ReasonCode::deployed);
  }
}
