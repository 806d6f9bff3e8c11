#include <doctest/doctest.h>

#include "support/tick_world.hpp"
#include "tallyman/cli/commands.hpp"
#include "unit/cli/running.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

/// Nothing was asked of anybody, and nothing was written.
void check_untouched(const TickWorld& world) {
  CHECK(world.calls.empty());
  CHECK_FALSE(load_status(world.status_file()).has_value());
}

}  // namespace

TEST_CASE("run tells a deployment step by step") {
  TickWorld world;
  world.with_api();
  world.pushes_web();
  world.engine.on_call = [&](std::string_view call) {
    if (call.starts_with("pull")) {
      world.clock.advance(std::chrono::milliseconds(6100));
    }
  };
  const Ran ran = run(world);
  CHECK(ran.status == 0);
  CHECK(ran.err == "");
  CHECK(ran.out ==
        "web\n"
        "  image     harbor.lan/shop/web:1 -> 222222222222\n"
        "  pull      222222222222, 38.2 MB                                        6.1 s\n"
        "  recreate  shop-web-1                                                    0 ms\n"
        "  health    no health check                                               0 ms\n"
        "  settle    0 restarts                                                   1.0 s\n"
        "  UPDATED   1/1 verified\n"
        "1 updated, 1 current\n");
}

TEST_CASE("run tells the version that it deployed") {
  TickWorld world;
  world.pushes_web();
  world.engine.add_image("harbor.lan/shop/web:staging", 'b', "")
      .labels.set("org.opencontainers.image.version", "v1.3.0");
  CHECK(contains(run(world).out, "  UPDATED   1/1 verified, harbor.lan/shop/web:1 v1.3.0\n"));
}

TEST_CASE("run with nothing to do is one line") {
  TickWorld world;
  const Ran ran = run(world);
  CHECK(ran.status == 0);
  CHECK(ran.out == "1 current\n");
  CHECK(ran.err == "");
}

TEST_CASE("run tells what failed, and what to do about it") {
  TickWorld world;
  world.pushes_web();
  world.engine.fails("pull", {ErrorKind::auth, "harbor.lan: denied", "log in"});
  const Ran ran = run(world);
  CHECK(ran.status == 1);
  CHECK(ran.err == "");
  CHECK(shortened(ran.out) ==
        "web\n"
        "  image     harbor.lan/shop/web:1 -> 222222222222\n"
        "web: PENDING, pull failed\n"
        "  image     harbor.lan/shop/web:1\n"
        "  running   11111111\n"
        "  error     pull of\n"
        "            harbor.lan/shop/web@#2:\n"
        "            harbor.lan: denied\n"
        "  fix       log in\n"
        "  next      nothing was touched; tried again by a later run\n"
        "1 pending (web)\n");
}

TEST_CASE("run under journald tells what failed in the log, with its priority") {
  TickWorld world;
  world.pushes_web();
  world.engine.fails("pull", {ErrorKind::auth, "harbor.lan: denied", "log in"});
  const Ran ran = run(world, true);
  CHECK(ran.status == 1);
  CHECK(shortened(ran.err) ==
        "<3>service web: pull of harbor.lan/shop/web@#2: harbor.lan: denied: log in\n");
  CHECK_FALSE(contains(ran.out, "PENDING"));
  CHECK(ran.out.ends_with("1 pending (web)\n"));
}

TEST_CASE("run tells why something waits, and of what does not run") {
  TickWorld world;
  world.pushes_web();
  world.config.watches.at(0).mode = Mode::notify;
  world.watches("gone", "harbor.lan/shop/gone:1");
  const Ran ran = run(world);
  CHECK(ran.status == 0);
  CHECK(ran.out ==
        "gone: absent: no running container of harbor.lan/shop/gone:1\n"
        "web: pending: 222222222222 is available, and mode is notify; to deploy it:\n"
        "    tallyman deploy web\n"
        "1 absent (gone), 1 pending (web)\n");
}

TEST_CASE("run fails with a broken drop-in, and goes on with the others") {
  TickWorld world;
  world.with_broken("bad");
  world.pushes_web();
  const Ran ran = run(world);
  CHECK(ran.status == 1);
  CHECK(contains(ran.out, "bad: UNKNOWN, config error\n"));
  CHECK(contains(ran.out, "bad.toml:3:1: imge: unknown key"));
  CHECK(ran.out.ends_with("1 updated, 1 unknown (bad)\n"));
}

TEST_CASE("a second run says who is at work, and changes nothing") {
  TickWorld world;
  world.pushes_web();
  const auto lock = world.state.try_lock(at("2026-11-22T19:40:00Z"));
  REQUIRE(lock.has_value());
  REQUIRE(lock->has_value());
  const Ran ran = run(world);
  CHECK(ran.status == 3);
  CHECK(ran.out == "");
  CHECK(ran.err == fmt::format("error: another run is at work (pid {} since "
                               "2026-11-22T19:40:00Z); nothing was changed\n",
                               ::getpid()));
  check_untouched(world);
}

TEST_CASE("a run that cannot take its lock is a failure, and changes nothing") {
  TickWorld world;
  world.pushes_web();
  REQUIRE(::mkdir((world.folder / "state/lock").c_str(), 0700) == 0);
  const Ran ran = run(world);
  CHECK(ran.status == 1);
  CHECK(ran.out == "");
  CHECK(contains(ran.err, "error: cannot lock " + (world.folder / "state/lock")));
  check_untouched(world);
}

TEST_CASE("a run lets go of its lock") {
  TickWorld world;
  (void)run(world);
  CHECK(run(world).status == 0);
}

TEST_CASE("a status file that cannot be written is exit status 1, after the work was done") {
  TickWorld world;
  world.pushes_web();
  world.folder.write("run", "");
  const Ran ran = run(world);
  CHECK(ran.status == 1);
  CHECK(ran.out.ends_with("1 updated\n"));
  CHECK(contains(ran.err,
                 "error: the status file: cannot make the folder " + (world.folder / "run")));
  CHECK(world.engine.containers.at(0).image_id == id_of('b'));
}
