#include <doctest/doctest.h>

#include <fstream>

#include "support/tick_world.hpp"
#include "tallyman/cli/commands.hpp"
#include "tallyman/tick/drift.hpp"
#include "unit/cli/screen.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

struct Ran {
  int status;
  std::string out;
};

Ran dry_run(TickWorld& world, const std::vector<ServiceName>& services = {}, Memory memory = {}) {
  Screen screen;
  const int status =
      dry_run_command(world.config, services, world.registry, world.engine, world.deployer,
                      std::move(memory), world.clock, screen.terminal);
  return {status, shortened(screen.text())};
}

}  // namespace

TEST_CASE("run --dry-run shows what would be pulled, tagged and run, and does none of it") {
  TickWorld world;
  world.with_api();
  world.pushes_web();
  const Ran ran = dry_run(world);
  CHECK(ran.status == 0);
  CHECK(ran.out ==
        "api: current, nothing to do\n"
        "web: would deploy\n"
        "  pull harbor.lan/shop/web@#2\n"
        "  tag  harbor.lan/shop/web:1\n"
        "  run  cd " +
            world.folder.path() + " && compose -p shop up\n");
  for (const char* word : {"pull", "tag", "recreate", "credential"}) {
    CHECK(world.asked(word).empty());
  }
  CHECK(world.folder.names() == std::vector<std::string>{"state"});
  CHECK_FALSE(load_status(world.status_file()).has_value());
}

TEST_CASE("run --dry-run shows the variables of the drop-in, ready to be pasted") {
  TickWorld world;
  world.pushes_web();
  world.config.watches.at(0).compose.environment = {{"CHANNEL", "a b"}};
  CHECK(contains(dry_run(world).out, " && CHANNEL='a b' compose -p shop up\n"));
}

TEST_CASE("run --dry-run shows one command for each project") {
  TickWorld world;
  world.pushes_web();
  world.runs("blog", "site");
  const Ran ran = dry_run(world);
  CHECK(contains(ran.out, "compose -p blog up\n  run  cd "));
  CHECK(contains(ran.out, "compose -p shop up\n"));
}

TEST_CASE("run --dry-run says why something would not be deployed") {
  TickWorld world;
  world.with_api();
  world.pushes_web();
  world.registry.fails("harbor.lan/shop/api:1", {ErrorKind::auth, "denied", "log in"});
  world.target.prepare_error = Error{ErrorKind::config, "no usable Docker Compose"};
  const Ran ran = dry_run(world);
  CHECK(ran.status == 1);
  CHECK(ran.out ==
        "api: would not deploy\n"
        "  error     denied\n"
        "  fix       log in\n"
        "web: would not deploy\n"
        "  error     no usable Docker Compose\n");
}

TEST_CASE("run --dry-run of some services is about those") {
  TickWorld world;
  world.with_api();
  world.pushes_web();
  world.config.watches.at(0).mode = Mode::notify;
  const Ran ran = dry_run(world, {"web"});
  CHECK(ran.status == 0);
  CHECK(ran.out ==
        "web: pending, nothing to do: 222222222222 is available, and mode is notify; to\n"
        "    deploy it: tallyman deploy web\n");
}

TEST_CASE("run --dry-run shows what would be applied besides the image") {
  TickWorld world;
  world.target.model = "first";
  Look look = world.look();
  Memory memory;
  (void)look_for_drift(look, world.deployer, at("2026-11-22T10:00:00Z"), memory);
  std::ofstream(world.folder / "compose.yaml") << "services: {}";
  world.target.model = "second";
  const std::string also =
      "  also  service web: " + (world.folder / "compose.yaml") + " was edited since 2026-11-22 ";
  CHECK(dry_run(world, {}, memory).out ==
        "web: current, nothing to do\n" + also + "(applied with the next deployment)\n");
  world.pushes_web();
  CHECK(contains(dry_run(world, {}, memory).out,
                 " compose -p shop up\n" + also + "(applied along with it)\n"));
  world.config.watches.at(0).compose.on_drift = OnDrift::refuse;
  const Ran refused = dry_run(world, {}, memory);
  CHECK(refused.status == 0);
  CHECK(refused.out == "web: would not deploy: service web: " + (world.folder / "compose.yaml") +
                           " was edited since 2026-11-22, and on_drift is refuse; to apply it: "
                           "tallyman deploy web; or put it back\n");
}
