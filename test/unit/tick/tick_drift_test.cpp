#include <doctest/doctest.h>

#include <fstream>

#include "tallyman/io/files.hpp"
#include "unit/tick/ticking.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

/// Web has a compose file, and a tick has seen what compose makes of it.
struct Drifting : Ticking {
  Drifting() {
    target.model = "first";
    edit();
    label("one");
    check_state(service(run(), "web"), ServiceState::current, ReasonCode::up_to_date);
    calls.clear();
  }
  void edit(const std::string& text = "services: {}") const {
    std::ofstream(folder / "compose.yaml") << text;
  }
  /// Somebody edits the file, and what compose makes of it is another thing then.
  void drift() {
    edit("services: {web: {}}");
    target.model = "second";
  }
  void label(const std::string& hash) {
    for (Container& container : engine.containers) {
      set_label(container, k_label_config_hash, hash);
    }
  }
  void refuses() { config.watches.at(0).compose.on_drift = OnDrift::refuse; }
  [[nodiscard]] std::string path() const { return folder / "compose.yaml"; }
};

}  // namespace

TEST_CASE("compose is asked once, and again when a file has changed") {
  Drifting world;
  CHECK_FALSE(world.next().drift.has_value());
  CHECK(world.asked("models").empty());

  world.edit("# as it was");
  CHECK_FALSE(world.next().drift.has_value());
  CHECK(world.asked("models") == Calls{"models shop"});

  world.drift();
  const ServiceStatus web = world.next();
  CHECK(world.asked("models") == Calls{"models shop"});
  check_state(web, ServiceState::current, ReasonCode::up_to_date);
  REQUIRE(web.drift.has_value());
  CHECK(contains(web.drift->message, "service web: " + world.path() + " was edited since 20"));
  CHECK(web.drift->files == std::vector<std::string>{world.path()});
  CHECK((web.drift->since == world.clock.now()));

  const Timestamp since = world.clock.now();
  const ServiceStatus again = world.next();
  CHECK(world.asked("models").empty());
  REQUIRE(again.drift.has_value());
  CHECK((again.drift->since == since));
}

TEST_CASE("settings of the drop-in count as files do") {
  Drifting world;
  world.config.watches.at(0).compose.environment = {{"PASSWORD", "s3cret"}};
  world.target.model = "second";
  const ServiceStatus web = world.next();
  REQUIRE(web.drift.has_value());
  CHECK(contains(web.drift->message, "the settings of compose changed"));
  CHECK_FALSE(contains(value_of(read_file(world.folder / "state/memory.json")), "s3cret"));
}

TEST_CASE("a deployment applies it, says so, and what runs is the new beginning") {
  Drifting world;
  world.drift();
  world.pushes_web();
  const ServiceStatus web = world.next();
  check_state(web, ServiceState::updated, ReasonCode::deployed);
  CHECK_FALSE(web.drift.has_value());
  CHECK(world.asked("models").empty());  // its own config told
  world.label("two");
  CHECK_FALSE(world.next().drift.has_value());
  CHECK(world.asked("models").empty());
  CHECK(world.remembered("web").models.at({"shop", "web"}).applied.hash == "second");
}

TEST_CASE("what a run must not apply by itself waits for a person") {
  Drifting world;
  world.refuses();
  world.drift();
  world.pushes_web();
  for (int i = 0; i < 2; ++i) {
    const ServiceStatus web = world.next();
    check_state(web, ServiceState::pending, ReasonCode::drift);
    CHECK(contains(web.reason, world.path() + " was edited since"));
    CHECK(contains(web.reason, "to apply it: tallyman deploy web"));
    CHECK_FALSE(web.error.has_value());
    CHECK(web.drift.has_value());
    CHECK(world.asked("recreate").empty());
    CHECK(world.asked("pull").empty());
  }
  CHECK(world.remembered("web").attempts.count == 0);

  world.edit();
  world.target.model = "first";
  check_state(world.next(), ServiceState::updated, ReasonCode::deployed);
}

TEST_CASE("a person's order applies what a run must not") {
  Drifting world;
  world.refuses();
  world.drift();
  world.pushes_web();
  Tick tick(world.config, world.registry, world.engine, world.deployer, world.state, world.clock,
            world.log);
  const TickResult result = tick.run({.version = "0.1.0",
                                      .host_name = "deploy-01",
                                      .status_file = world.status_file(),
                                      .order = Order{.service = "web"}},
                                     world.lock(), world.observer);
  check_state(Ticking::service(result, "web"), ServiceState::updated, ReasonCode::deployed);
  CHECK_FALSE(Ticking::service(result, "web").drift.has_value());
}

TEST_CASE("what somebody applied by hand is no drift any more") {
  Drifting world;
  world.drift();
  REQUIRE(world.next().drift.has_value());
  world.label("two");
  CHECK_FALSE(world.next().drift.has_value());
  CHECK(world.asked("models").empty());
  // Edited and applied between two ticks.
  world.edit("services: {web: {tty: true}}");
  world.target.model = "third";
  world.label("three");
  CHECK_FALSE(world.next().drift.has_value());
  CHECK(world.asked("models") == Calls{"models shop"});
}

TEST_CASE("after a rollback the containers tell what they were created from") {
  for (const bool recreated : {false, true}) {
    CAPTURE(recreated);
    Drifting world;
    world.drift();
    world.pushes_web();
    world.is_bad('b');
    world.target.on_recreate = [&](const PreparedProject& project) -> Result<void> {
      world.engine.recreate(project.plan);
      world.label(recreated ? "two" : "one");
      return {};
    };
    const ServiceStatus web = world.next();
    check_state(web, ServiceState::rolled_back, ReasonCode::unhealthy);
    CHECK(web.drift.has_value() == !recreated);
  }
}

TEST_CASE("a compose that cannot be asked is no error of the tick, and asked again by the next") {
  Ticking world;
  world.target.model = "first";
  world.target.models_error = Error{ErrorKind::process, "compose config: exit status 15"};
  check_state(Ticking::service(world.run(), "web"), ServiceState::current, ReasonCode::up_to_date);
  CHECK(world.asked("models") == Calls{"models shop"});
  world.target.models_error.reset();
  CHECK_FALSE(world.next().drift.has_value());
  CHECK(world.asked("models") == Calls{"models shop"});
  (void)world.next();
  CHECK(world.asked("models").empty());
}

TEST_CASE("a file that changes during the pull is looked at before it is applied") {
  for (const bool refuses : {false, true}) {
    CAPTURE(refuses);
    Drifting world;
    world.config.watches.at(0).compose.on_drift = refuses ? OnDrift::refuse : OnDrift::apply;
    world.pushes_web();
    world.config.watches.at(0).hooks.before = {"true"};
    world.process.on("true", Exit{.code = 0});
    world.process.on_run = [&](const Command&) { world.drift(); };
    const ServiceStatus web = world.next();
    if (refuses) {
      check_state(web, ServiceState::pending, ReasonCode::drift);
      CHECK(world.asked("recreate").empty());
    } else {
      check_state(web, ServiceState::updated, ReasonCode::deployed);
      CHECK(world.remembered("web").models.at({"shop", "web"}).applied.hash == "second");
    }
  }
}
