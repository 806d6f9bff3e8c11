#include "tallyman/tick/deployment_order.hpp"

#include <doctest/doctest.h>

#include "unit/tick/ticking.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

constexpr std::string_view k_api = "harbor.lan/shop/api:1";

/// The services that were deployed, in that order.
Calls deployed(const Ticking& world) {
  Calls names;
  for (const std::string& line : world.observer.told) {
    if (line.starts_with("deploying ")) {
      names.push_back(line.substr(10));
    }
  }
  return names;
}

/// A world in which web and api have something new, and api comes before web by name.
struct TwoDue : Ticking {
  TwoDue() {
    with_api();
    pushes_web();
    pushes(k_api, '6', '8', 'd');
  }
  Watch& watch(std::string_view name) {
    return *std::ranges::find(config.watches, name, &Watch::name);
  }
};

}  // namespace

TEST_CASE("deployments go in the order that the drop-ins want") {
  TwoDue world;
  (void)world.run();
  CHECK(deployed(world) == Calls{"api", "web"});

  TwoDue other;
  other.watch("api").after = {"web"};
  const TickResult result = other.run();
  CHECK(deployed(other) == Calls{"web", "api"});
  check_state(Ticking::service(result, "web"), ServiceState::updated, ReasonCode::deployed);
  check_state(Ticking::service(result, "api"), ServiceState::updated, ReasonCode::deployed);
}

TEST_CASE("what comes after a service that failed is left alone, until that one is well") {
  TwoDue world;
  world.watch("api").after = {"web"};
  world.is_bad('b');
  const ServiceStatus api = Ticking::service(world.run(), "api");
  CHECK(deployed(world) == Calls{"web"});
  check_state(api, ServiceState::pending, ReasonCode::predecessor);
  CHECK(api.reason == "waits for web, which is rolled_back");
  CHECK(api.update_available == true);
  CHECK_FALSE(api.error.has_value());
  CHECK(api.pending_since.has_value());
  CHECK(api.containers.at(0).id == "id-of-shop-api-1");

  const ServiceStatus later = world.next("api");
  CHECK(later.reason == "waits for web, which is quarantined");
  CHECK(world.asked("recreate").empty());

  world.pushes(k_web, '3', '9', 'e');
  check_state(world.next("api"), ServiceState::updated, ReasonCode::deployed);
}

TEST_CASE("a chain: who waits for one that waits is left alone, too") {
  TwoDue world;
  world.engine.add_image("harbor.lan/shop/db:1", 'f', "4");
  world.registry.has("harbor.lan/shop/db:1", '4');
  world.watches("db", "harbor.lan/shop/db:1").after = {"api"};
  world.runs("shop", "db", "harbor.lan/shop/db:1", 'f');
  world.pushes("harbor.lan/shop/db:1", '3', '9', 'e');
  world.watch("api").after = {"web"};
  world.is_bad('b');
  const TickResult result = world.run();
  CHECK(deployed(world) == Calls{"web"});
  CHECK(Ticking::service(result, "api").reason == "waits for web, which is rolled_back");
  CHECK(Ticking::service(result, "db").reason == "waits for api, which is pending");
}

TEST_CASE("who is not part of the run is not waited for") {
  TwoDue world;
  world.watch("api").after = {"web"};
  world.is_bad('b');
  (void)world.run({"api"});
  CHECK(deployed(world) == Calls{"api"});
}

TEST_CASE("a predecessor that cannot be looked at counts as failed") {
  TwoDue world;
  world.with_broken("db");
  world.watch("api").after = {"db"};
  const ServiceStatus api = Ticking::service(world.run(), "api");
  CHECK(deployed(world) == Calls{"web"});
  CHECK(api.reason == "waits for db, which is unknown");
}

TEST_CASE("drop-ins that share a reference cannot have another one in between") {
  TwoDue world;
  world.watches("web-two", k_web).after = {"api"};
  world.config.watches.back().compose.project = "other";
  world.config.watches.back().compose.services = {"web"};
  world.watch("web").compose.project = "shop";
  world.watch("web").compose.services = {"web"};
  world.runs("other", "web");
  world.watch("api").after = {"web"};
  const TickResult result = world.run();
  check_state(Ticking::service(result, "web"), ServiceState::pending, ReasonCode::predecessor);
  check_state(Ticking::service(result, "web-two"), ServiceState::pending, ReasonCode::predecessor);
  check_state(Ticking::service(result, "api"), ServiceState::pending, ReasonCode::predecessor);
  CHECK(contains(Ticking::service(result, "api").reason, "share a reference"));
  CHECK(Ticking::service(result, "web").reason == "waits for api, which is pending");
  CHECK(deployed(world).empty());
}

TEST_CASE("who has failed") {
  struct Row {
    ServiceState state;
    ReasonCode code;
    bool failed;
  };
  const Row rows[] = {
      {ServiceState::failed, ReasonCode::rollback_failed, true},
      {ServiceState::rolled_back, ReasonCode::unhealthy, true},
      {ServiceState::unknown, ReasonCode::registry_error, true},
      {ServiceState::quarantined, ReasonCode::failed_here, true},
      {ServiceState::pending, ReasonCode::pull_failed, true},
      {ServiceState::pending, ReasonCode::backing_off, true},
      {ServiceState::pending, ReasonCode::predecessor, true},
      {ServiceState::pending, ReasonCode::notify_only, false},
      {ServiceState::pending, ReasonCode::changed_by_hand, false},
      {ServiceState::pending, ReasonCode::unmanaged, false},
      {ServiceState::pending, ReasonCode::not_yet_stable, false},
      {ServiceState::held, ReasonCode::update_available, false},
      {ServiceState::updated, ReasonCode::deployed, false},
      {ServiceState::absent, ReasonCode::not_running, false},
      {ServiceState::pinned, ReasonCode::by_digest, false},
      {ServiceState::local, ReasonCode::built_here, false},
      {ServiceState::current, ReasonCode::up_to_date, false},
  };
  for (const Row& row : rows) {
    CAPTURE(to_string(row.state));
    CAPTURE(to_string(row.code));
    CHECK(has_failed({row.state, row.code}) == row.failed);
  }
}
