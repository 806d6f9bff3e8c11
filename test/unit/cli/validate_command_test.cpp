#include <doctest/doctest.h>

#include "support/tick_world.hpp"
#include "tallyman/cli/commands.hpp"
#include "unit/cli/screen.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

struct Shown {
  int status;
  std::string out;
};

Shown validate(const Config& config) {
  Screen screen;
  const int status = validate_command(config, screen.terminal);
  return {status, screen.text()};
}

Shown validate_online(TickWorld& world) {
  Screen screen;
  const int status = validate_online_command(world.config, world.registry, world.engine,
                                             world.deployer, Memory{}, screen.terminal);
  return {status, screen.text()};
}

constexpr const char* k_bad_lines =
    "/etc/tallyman/conf.d/bad.toml:3:1: imge: unknown key\n"
    "/etc/tallyman/conf.d/bad.toml:4:2: no\n";

}  // namespace

TEST_CASE("validate counts drop-ins and problems") {
  CHECK(validate({}).out == "0 drop-ins, no problems\n");
  CHECK(validate({}).status == 0);
  TickWorld world;
  CHECK(validate(world.config).out == "1 drop-in, no problems\n");
  world.with_api();
  CHECK(validate(world.config).out == "2 drop-ins, no problems\n");
  CHECK(world.calls.empty());
}

TEST_CASE("validate reads the certificates that the registries' sections name") {
  TickWorld world;
  world.config.registries["harbor.lan"].ca_file = "/nowhere/ca.pem";
  world.config.registries["zot.lan"] = {};
  const Shown shown = validate(world.config);
  CHECK(shown.status == 1);
  CHECK(shown.out.starts_with("[registry.\"harbor.lan\"]: "));
  CHECK(shown.out.find("/nowhere/ca.pem") != std::string::npos);
  CHECK(shown.out.ends_with("1 drop-in, 1 problem\n"));
}

TEST_CASE("validate shows every problem of every drop-in") {
  TickWorld world;
  world.with_broken("bad");
  world.config.broken.push_back({"worse", {{"worse.toml", 1, 1, "", "not UTF-8"}}});
  const Shown shown = validate(world.config);
  CHECK(shown.status == 1);
  CHECK(shown.out == std::string(k_bad_lines) +
                         "worse.toml:1:1: not UTF-8\n"
                         "3 drop-ins, 3 problems\n");
}

TEST_CASE("validate --online finds nothing where all is well, and touches nothing") {
  TickWorld world;
  world.with_api();
  world.pushes_web();
  const Shown shown = validate_online(world);
  CHECK(shown.status == 0);
  CHECK(shown.out == "2 drop-ins, no problems\n");
  CHECK(world.asked("prepare") == Calls{"prepare shop"});
  CHECK(world.asked("pull").empty());
  CHECK(world.asked("recreate").empty());
}

TEST_CASE("validate --online shows what registries, engine and compose object to, by drop-in") {
  TickWorld world;
  world.with_api();
  world.with_broken("bad");
  world.pushes_web();
  world.target.prepare_error = Error{ErrorKind::config, "no usable Docker Compose"};
  world.registry.fails("harbor.lan/shop/api:1", {ErrorKind::auth, "denied", "log in"});
  const Shown shown = validate_online(world);
  CHECK(shown.status == 1);
  CHECK(shown.out == std::string(k_bad_lines) +
                         "/etc/tallyman/conf.d/api.toml: denied\n"
                         "  fix       log in\n"
                         "/etc/tallyman/conf.d/web.toml: no usable Docker Compose\n"
                         "3 drop-ins, 4 problems\n");
}

TEST_CASE("validate --online without its engine") {
  TickWorld world;
  world.engine.fails("observe", {ErrorKind::denied, "no permission", "run as root"});
  const Shown shown = validate_online(world);
  CHECK(shown.status == 1);
  CHECK(shown.out ==
        "/etc/tallyman/conf.d/web.toml: no permission\n"
        "  fix       run as root\n"
        "1 drop-in, 1 problem\n");
}

TEST_CASE("validate --online finds two drop-ins that claim one container") {
  TickWorld world;
  world.watches("again", k_web);
  const Shown shown = validate_online(world);
  CHECK(shown.status == 1);
  CHECK(contains(shown.out, "claimed by two drop-ins"));
  CHECK(shown.out.ends_with("2 drop-ins, 2 problems\n"));
}
