#include <doctest/doctest.h>

#include "unit/tick/ticking.hpp"

using namespace tallyman;
using namespace tallyman::test;
using std::chrono::minutes;

TEST_CASE("timer ticks leave alone for a while what fails again and again") {
  Ticking world;
  world.pushes_web();
  world.engine.fails("pull", {ErrorKind::transient, "cut"});
  check_state(world.next(), ServiceState::pending, ReasonCode::pull_failed);
  check_state(world.next("web", minutes(1)), ServiceState::pending, ReasonCode::pull_failed);

  const ServiceStatus waits = world.next("web", minutes(1));
  check_state(waits, ServiceState::pending, ReasonCode::backing_off);
  CHECK(waits.reason == "222222222222 could not be deployed 2 times; next try in 4 min");
  CHECK_FALSE(waits.error.has_value());
  CHECK(waits.pending_since.has_value());
  CHECK(world.asked("pull").empty());
  check_state(world.next("web", minutes(3)), ServiceState::pending, ReasonCode::backing_off);
  check_state(world.next("web", minutes(1)), ServiceState::pending, ReasonCode::pull_failed);
  check_state(world.next("web", minutes(9)), ServiceState::pending, ReasonCode::backing_off);
  check_state(world.next("web", minutes(1)), ServiceState::pending, ReasonCode::pull_failed);
  CHECK(world.remembered("web").attempts.count == 4);
  CHECK(world.remembered("web").attempts.touched == 0);
  CHECK(world.remembered("web").quarantined.empty());
}

TEST_CASE("manual ticks do not wait") {
  Ticking world;
  world.pushes_web();
  world.engine.fails("pull", {ErrorKind::transient, "cut"}, 4);
  world.trigger = "manual";
  for (int i = 0; i < 4; ++i) {
    check_state(world.next("web", minutes(0)), ServiceState::pending, ReasonCode::pull_failed);
  }
  world.trigger = "timer";
  check_state(world.next("web", minutes(0)), ServiceState::pending, ReasonCode::backing_off);
  world.trigger = "manual";
  check_state(world.next("web", minutes(0)), ServiceState::updated, ReasonCode::deployed);
  CHECK(world.remembered("web").attempts.count == 0);
}

TEST_CASE("another digest is not waited for") {
  Ticking world;
  world.pushes_web();
  world.engine.fails("pull", {ErrorKind::transient, "cut"}, 2);
  (void)world.next("web", minutes(0));
  (void)world.next("web", minutes(0));
  check_state(world.next("web", minutes(0)), ServiceState::pending, ReasonCode::backing_off);
  world.pushes(k_web, '3', '8', 'd');
  check_state(world.next("web", minutes(0)), ServiceState::updated, ReasonCode::deployed);
}

TEST_CASE("a clock that was set back does not make anybody wait") {
  Ticking world;
  world.pushes_web();
  world.engine.fails("pull", {ErrorKind::transient, "cut"}, 2);
  (void)world.next("web", minutes(0));
  (void)world.next("web", minutes(0));
  check_state(world.next("web", minutes(-60)), ServiceState::updated, ReasonCode::deployed);
}

TEST_CASE("what could not even be prepared counts as a try, too") {
  Ticking world;
  world.pushes_web();
  world.target.prepare_error = Error{ErrorKind::config, "no usable Docker Compose"};
  check_state(world.next(), ServiceState::pending, ReasonCode::preflight_failed);
  check_state(world.next(), ServiceState::pending, ReasonCode::preflight_failed);
  check_state(world.next("web", minutes(4)), ServiceState::pending, ReasonCode::backing_off);
  const ServiceMemory web = world.remembered("web");
  CHECK(web.attempts.count == 2);
  CHECK((web.attempts.digest == digest('2')));
  CHECK_FALSE(web.last_deployment.has_value());
}

TEST_CASE("what fails for the third time after containers were touched is quarantined") {
  Ticking world;
  world.pushes_web();
  world.trigger = "manual";
  for (int i = 1; i <= 3; ++i) {
    CAPTURE(i);
    world.compose_fails();
    const ServiceStatus web = world.next();
    check_state(web, ServiceState::rolled_back, ReasonCode::recreate_failed);
    CHECK(web.quarantined.size() == (i == 3 ? 1 : 0));
    CHECK(world.remembered("web").attempts.touched == i);
    CHECK(web.error->message == "compose up failed: no such network");
  }
  check_state(world.next(), ServiceState::quarantined, ReasonCode::failed_here);
  CHECK(world.asked("recreate").empty());
  CHECK(world.remembered("web").quarantined.at(0).reason == "compose up failed: no such network");
}

TEST_CASE("pulls that fail do not count for a quarantine, and another digest begins anew") {
  Ticking world;
  world.pushes_web();
  world.trigger = "manual";
  const auto fails_once = [&] {
    world.compose_fails();
    check_state(world.next(), ServiceState::rolled_back, ReasonCode::recreate_failed);
  };
  world.engine.fails("pull", {ErrorKind::transient, "cut"}, 3);
  for (int i = 0; i < 3; ++i) {
    check_state(world.next(), ServiceState::pending, ReasonCode::pull_failed);
  }
  fails_once();
  fails_once();
  CHECK(world.remembered("web").quarantined.empty());
  world.pushes(k_web, '3', '8', 'd');
  fails_once();
  CHECK(world.remembered("web").quarantined.empty());
  CHECK(world.remembered("web").attempts.touched == 1);
}
