#include <doctest/doctest.h>

#include <filesystem>

#include "unit/cli/running.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

ContainerEvent event(const char* when, const char* action, const char* container) {
  return {.at = at(when), .action = action, .container = container};
}

/// The lines that were written over before anybody could read them are not in it.
std::string what_stays(const std::string& text) {
  std::string shown;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
    std::string line = text.substr(begin, end - begin);
    constexpr std::string_view k_over = "\r\x1b[K";
    if (const std::size_t over = line.rfind(k_over); over != std::string::npos) {
      line.erase(0, over + k_over.size());
    }
    shown += line;
    begin = end;
  }
  return shown;
}

}  // namespace

TEST_CASE("run tells a rollback, why, and where to look; exit status 4") {
  TickWorld world;
  world.pushes_web();
  world.is_bad('b');
  const Ran ran = run(world);
  CHECK(ran.status == 4);
  CHECK(ran.out.starts_with(
      "web\n"
      "  image     harbor.lan/shop/web:1 -> 222222222222\n"
      "  pull      222222222222, 38.2 MB                                         0 ms\n"
      "  recreate  shop-web-1                                                    0 ms\n"
      "  restore   shop-web-1                                                    0 ms\n"
      "  health    no health check                                               0 ms\n"
      "  settle    0 restarts                                                   1.0 s\n"
      "  ROLLED BACK 1/1 verified\n"
      "web: ROLLED BACK, unhealthy\n"
      "  image     harbor.lan/shop/web:1\n"
      "  running   11111111\n"
      "  error     shop-web-1 exited with status 7\n"
      "  fix       its log and state are in\n"));
  CHECK(contains(ran.out, world.folder / "state/deployments/20261122T194514Z-web\n"));
  CHECK(
      ran.out.ends_with("  next      222222222222 is quarantined: left alone until its tag moves\n"
                        "  see       tallyman history web\n"
                        "1 rolled_back (web)\n"));

  const Ran later = run(world);
  CHECK(later.status == 0);
  CHECK(later.err == "");
  CHECK(later.out ==
        "web: quarantined: 222222222222: shop-web-1 exited with status 7\n"
        "1 quarantined (web)\n");
}

TEST_CASE("run under journald tells a rollback in the log, with its priority") {
  TickWorld world;
  world.pushes_web();
  world.is_bad('b');
  const Ran ran = run(world, true);
  CHECK(ran.status == 4);
  CHECK(contains(ran.err, "<3>service web: shop-web-1 exited with status 7: its log and state"));
  CHECK(contains(ran.out, "  ROLLED BACK 1/1 verified\n"));
  CHECK_FALSE(contains(ran.out, "unhealthy"));
}

TEST_CASE("a rollback beside something worse is exit status 1") {
  TickWorld world;
  world.pushes_web();
  world.is_bad('b');
  world.with_broken("bad");
  const Ran ran = run(world);
  CHECK(ran.status == 1);
  CHECK(ran.out.ends_with("\n1 unknown (bad), 1 rolled_back (web)\n"));
}

TEST_CASE("run tells a service that could not be brought back; exit status 1") {
  TickWorld world;
  world.pushes_web();
  world.engine.on_inspect = [](Container container) -> Result<Container> {
    if (container.id.ends_with('+')) {
      container.status = ContainerStatus::exited;
      container.exit_code = 7;
    }
    return container;
  };
  const Ran ran = run(world);
  CHECK(ran.status == 1);
  CHECK_FALSE(contains(ran.out, "ROLLED BACK"));
  CHECK_FALSE(contains(ran.out, "verified"));
  CHECK(contains(ran.out, "web: FAILED, rollback failed\n"));
  CHECK(contains(ran.out, "the way back failed"));
  CHECK(ran.out.ends_with("\n1 failed (web)\n"));
  CHECK(run(world).status == 1);
}

TEST_CASE("run tells for how long a service was gone") {
  TickWorld world;
  world.pushes_web();
  world.engine.happened = {event("2026-11-22T19:45:14.100Z", "die", "id-of-shop-web-1"),
                           event("2026-11-22T19:45:16Z", "start", "id-of-shop-web-1+")};
  const Ran ran = run(world);
  CHECK(ran.status == 0);
  CHECK(contains(ran.out, "  UPDATED   1/1 verified, down 1.9 s\n"));
}

TEST_CASE("run tells how many replicas were verified") {
  TickWorld world;
  world.pushes_web();
  world.runs("shop", "web", k_web, 'a', 2);
  const Ran ran = run(world);
  CHECK(contains(ran.out, "  recreate  shop-web-1, shop-web-2 "));
  CHECK(contains(ran.out, "  UPDATED   2/2 verified\n"));
}

TEST_CASE("run tells that the old containers were not healthy before") {
  TickWorld world;
  world.pushes_web();
  world.engine.on_inspect = [](Container container) -> Result<Container> {
    container.health = container.image_id == id_of('a') ? Health::unhealthy : Health::healthy;
    return container;
  };
  const Ran ran = run(world);
  CHECK(ran.status == 0);
  CHECK(contains(ran.out, "  before    failed before: shop-web-1 is unhealthy "));
  CHECK(contains(ran.out, "  health    1/1 healthy "));
  CHECK(contains(ran.out, "  UPDATED   1/1 verified\n"));
}

TEST_CASE("a step that is longer than the terminal is cut, and its time stays in its column") {
  TickWorld world;
  world.pushes_web();
  for (int number = 2; number < 10; ++number) {
    world.runs("shop", "web", k_web, 'a', number);
  }
  const Ran ran = run(world);
  CHECK(contains(
      ran.out,
      "\n  recreate  shop-web-1, shop-web-2, shop-web-3, shop-web-4, shop-...      0 ms\n"));
}

TEST_CASE("on a terminal the line at the bottom is alive, and only there") {
  TickWorld live;
  live.pushes_web();
  const Ran on_terminal = run(live, false, {.live = true});
  CHECK(contains(on_terminal.out, "  recreate  shop-web-1\r\x1b[K"));
  CHECK(contains(on_terminal.out, "  health    no health check\r\x1b[K"));

  TickWorld plain;
  plain.pushes_web();
  const Ran elsewhere = run(plain);
  CHECK_FALSE(contains(elsewhere.out, "\r"));
  CHECK_FALSE(contains(elsewhere.out, "\x1b"));
  CHECK(what_stays(on_terminal.out) == elsewhere.out);
}

TEST_CASE("what goes on is shown without control characters of others") {
  TickWorld world;
  world.pushes_web();
  world.engine.containers.at(0).name = "shop-web-1\x1b[2J";
  const Ran ran = run(world, false, {.live = true});
  CHECK_FALSE(contains(ran.out, "\x1b[2J"));
}

TEST_CASE("a journal that cannot be written is exit status 1, and nothing is touched") {
  TickWorld world;
  world.pushes_web();
  world.engine.on_call = [&](std::string_view call) {
    if (call == "inspect container id-of-shop-web-1") {
      world.folder.write("state/deployments", "a file where the folder should be");
    }
  };
  const Ran ran = run(world);
  CHECK(ran.status == 1);
  CHECK(contains(ran.out, "web: PENDING, state error\n"));
  CHECK(contains(ran.err, "error: "));
  CHECK(contains(ran.err, world.folder / "state/deployments"));
  CHECK(world.engine.containers.at(0).image_id == id_of('a'));
}

TEST_CASE("a memory that cannot be written is exit status 1, after the work was done") {
  TickWorld world;
  world.pushes_web();
  world.target.on_recreate = [&](const PreparedProject& project) -> Result<void> {
    std::filesystem::create_directory(world.folder / "state/memory.json");
    world.engine.recreate(project.plan);
    return {};
  };
  const Ran ran = run(world);
  CHECK(ran.status == 1);
  CHECK(ran.out.ends_with("1 updated\n"));
  CHECK(contains(ran.err, world.folder / "state/memory.json"));
}

TEST_CASE("run finishes what an earlier run left open, and tells it") {
  TickWorld world;
  world.pushes_web();
  world.is_bad('b');
  // The first call of compose recreates, the second one, on the way back, fails.
  int calls = 0;
  world.target.on_recreate = [&](const PreparedProject& project) -> Result<void> {
    if (++calls == 2) {
      return fail(ErrorKind::process, "compose was killed");
    }
    world.engine.recreate(project.plan);
    return {};
  };
  const Ran first = run(world);
  CHECK(first.status == 1);
  CHECK(contains(first.out, "web: FAILED, rollback failed\n"));
  CHECK(contains(first.out, "and the way back failed: compose\n            was killed\n"));
  const Ran second = run(world);
  CHECK(second.status == 4);
  CHECK(contains(second.out, "  restore   shop-web-1 "));
  CHECK(contains(second.out, "  ROLLED BACK 1/1 verified\n"));
  CHECK(world.engine.containers.at(0).image_id == id_of('a'));
}
