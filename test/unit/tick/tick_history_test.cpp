#include <doctest/doctest.h>

#include "unit/tick/ticking.hpp"

using namespace tallyman;
using namespace tallyman::test;

TEST_CASE("failures are counted, and pending since the first, until it works") {
  Ticking world;
  world.pushes_web();
  world.engine.fails("pull", {ErrorKind::transient, "cut"}, 2);
  const Timestamp first_time = world.clock.now() + std::chrono::minutes(5);

  const ServiceStatus first = world.next();
  check_state(first, ServiceState::pending, ReasonCode::pull_failed);
  CHECK(first.consecutive_failures == 1);
  CHECK((first.pending_since == first_time));
  REQUIRE(first.last_deployment.has_value());
  CHECK(first.last_deployment->result == "pending");
  CHECK((first.last_deployment->finished_at == first_time));
  CHECK(first.last_good.empty());

  const ServiceStatus second = world.next();
  CHECK(second.consecutive_failures == 2);
  CHECK((second.pending_since == first_time));

  const ServiceStatus third = world.next("web", std::chrono::minutes(6));
  check_state(third, ServiceState::updated, ReasonCode::deployed);
  CHECK(third.consecutive_failures == 0);
  CHECK_FALSE(third.pending_since.has_value());
  CHECK((third.deployed_at == world.clock.now()));
}

TEST_CASE("a registry that does not answer is a failure, and not pending") {
  Ticking world;
  world.registry.fails(k_web, {ErrorKind::transient, "refused"});
  CHECK(world.next().consecutive_failures == 1);
  const ServiceStatus second = world.next();
  CHECK(second.consecutive_failures == 2);
  CHECK_FALSE(second.pending_since.has_value());
  world.registry.has(k_web, '1');
  CHECK(world.next().consecutive_failures == 0);
}

TEST_CASE("an update that nobody wants deployed is pending without a failure") {
  Ticking world;
  world.pushes_web();
  world.config.watches.at(0).mode = Mode::notify;
  const ServiceStatus first = world.next();
  check_state(first, ServiceState::pending, ReasonCode::notify_only);
  CHECK(first.consecutive_failures == 0);
  REQUIRE(first.pending_since.has_value());
  CHECK((world.next().pending_since == first.pending_since));
  CHECK(world.asked("pull").empty());
}

TEST_CASE("what somebody deployed by hand while the tag stood still is left alone until it moves") {
  Ticking world;
  world.pushes_web();
  check_state(world.next(), ServiceState::updated, ReasonCode::deployed);

  world.engine.containers.at(0).image_id = id_of('a');
  const ServiceStatus by_hand = world.next();
  check_state(by_hand, ServiceState::pending, ReasonCode::changed_by_hand);
  CHECK(by_hand.update_available == true);
  CHECK(by_hand.images.at(0).running_digest == id_of('1'));
  CHECK((by_hand.last_good.at("harbor.lan/shop/web:1") == digest('2')));
  CHECK(by_hand.last_deployment->result == "updated");
  CHECK(world.asked("recreate").empty());
  CHECK(world.asked("pull").empty());

  world.registry.has(k_web, '3');
  world.registry.holds('3', '8', 'd');
  world.engine.can_pull(k_web, '3', 'd');
  const ServiceStatus moved = world.next();
  check_state(moved, ServiceState::updated, ReasonCode::deployed);
  CHECK((moved.last_good.at("harbor.lan/shop/web:1") == digest('3')));
  CHECK((moved.last_deployment->from == digest('1')));
  CHECK((moved.last_deployment->to == digest('3')));
}

TEST_CASE("what somebody changes by hand after it was seen current is left alone, too") {
  Ticking world;
  check_state(world.next(), ServiceState::current, ReasonCode::up_to_date);
  CHECK((world.remembered("web").settled.at("harbor.lan/shop/web:1") == digest('1')));

  world.engine.add_image("harbor.lan/shop/web:old", 'c', "5");
  world.registry.holds('1', '7', 'a');
  world.engine.containers.at(0).image_id = id_of('c');
  for (int i = 0; i < 2; ++i) {
    const ServiceStatus by_hand = world.next();
    check_state(by_hand, ServiceState::pending, ReasonCode::changed_by_hand);
    CHECK(by_hand.update_available == true);
    CHECK(by_hand.consecutive_failures == 0);
  }
  CHECK(world.asked("pull").empty());
  CHECK(world.engine.containers.at(0).image_id == id_of('c'));

  world.pushes_web();
  check_state(world.next(), ServiceState::updated, ReasonCode::deployed);
}

TEST_CASE("a deployment that failed is no last good one, and is tried again") {
  Ticking world;
  world.pushes_web();
  world.compose_fails();
  const ServiceStatus failed = world.next();
  check_state(failed, ServiceState::rolled_back, ReasonCode::recreate_failed);
  CHECK(failed.last_good.empty());
  CHECK(failed.quarantined.empty());
  CHECK(failed.last_deployment->result == "rolled_back");
  CHECK(failed.consecutive_failures == 1);
  CHECK_FALSE(failed.pending_since.has_value());
  CHECK(world.engine.containers.at(0).image_id == id_of('a'));

  const ServiceStatus updated = world.next();
  check_state(updated, ServiceState::updated, ReasonCode::deployed);
  CHECK(updated.consecutive_failures == 0);
}

TEST_CASE("when a registry answered last is remembered while it does not") {
  Ticking world;
  (void)world.next();
  world.registry.fails(k_web, {ErrorKind::transient, "refused"});
  const ImageStatus image = world.next().images.at(0);
  CHECK_FALSE(image.remote_digest.has_value());
  CHECK_FALSE(image.checked_at.has_value());
  CHECK((image.last_success_at == at("2026-11-22T19:45:15Z")));
}
