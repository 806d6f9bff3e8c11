#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "support/tick_world.hpp"
#include "tallyman/cli/commands.hpp"
#include "unit/cli/screen.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

struct Checked {
  int status;
  std::string out;
};

Checked check(TickWorld& world, const std::vector<ServiceName>& services = {}, bool json = false,
              bool exit_code = false, Memory memory = {}) {
  const CheckOptions options{.services = services,
                             .json = json,
                             .exit_code = exit_code,
                             .version = "0.1.0",
                             .host_name = "deploy-01"};
  Screen screen;
  const int status = check_command(world.config, options, world.registry, world.engine,
                                   std::move(memory), world.clock, screen.terminal);
  return {status, screen.text()};
}

}  // namespace

TEST_CASE("check shows both sides, and touches nothing") {
  TickWorld world;
  world.with_api();
  world.pushes_web();
  world.engine.images.at(id_of('a')).image.labels = {
      {"org.opencontainers.image.version", "v1.2.0"}};
  const Checked checked = check(world);
  CHECK(checked.status == 0);
  CHECK(checked.out ==
        "SERVICE  STATE    RUNNING          REGISTRY  REASON\n"
        "api      current  55555555         55555555\n"
        "web      pending  v1.2.0 11111111  22222222  222222222222 is available\n");
  for (const char* word : {"pull", "tag", "recreate", "prepare"}) {
    CHECK(world.asked(word).empty());
  }
  CHECK(world.folder.names() == std::vector<std::string>{"state"});
}

TEST_CASE("check shows what is wrong, and how to repair it") {
  TickWorld world;
  world.with_api();
  world.registry.fails(k_web, {ErrorKind::tls, "harbor.lan refuses https",
                               "set plain_http = true under [registry.\"harbor.lan\"]"});
  const Checked checked = check(world);
  CHECK(checked.status == 1);
  CHECK(checked.out ==
        "SERVICE  STATE    RUNNING   REGISTRY  REASON\n"
        "api      current  55555555  55555555\n"
        "web      unknown  11111111            harbor.lan refuses https\n"
        "  fix web   set plain_http = true under [registry.\"harbor.lan\"]\n");
}

TEST_CASE("check keeps a long service name apart from its remedy") {
  TickWorld world;
  world.config.watches.at(0).name = "shop-production";
  world.registry.fails(k_web, {ErrorKind::auth, "denied", "log in"});
  CHECK(contains(check(world).out, "  fix shop-production\n            log in\n"));
}

TEST_CASE("check shows every image of a service, and services of which nothing runs") {
  TickWorld world;
  world.config.watches.at(0).image.reset();
  world.config.watches.at(0).compose.services = {"*"};
  world.engine.add_image("harbor.lan/shop/api:1", 'c', "5");
  world.registry.has("harbor.lan/shop/api:1", '5');
  world.runs("shop", "api", "harbor.lan/shop/api:1", 'c');
  world.watches("gone", "harbor.lan/shop/gone:1");
  const Checked checked = check(world);
  CHECK(checked.status == 0);
  CHECK(checked.out ==
        "SERVICE  STATE    RUNNING   REGISTRY  REASON\n"
        "gone     absent                       no running container of\n"
        "                                      harbor.lan/shop/gone:1\n"
        "web      current  55555555  55555555\n"
        "                  11111111  11111111  harbor.lan/shop/web:1\n");
}

TEST_CASE("check --exit-code is 10 for an update, and 1 if anything is wrong") {
  TickWorld world;
  const auto status = [&](const std::vector<ServiceName>& services = {}) {
    return check(world, services, false, true).status;
  };
  CHECK(status() == 0);
  world.pushes_web();
  CHECK(check(world).status == 0);
  CHECK(status() == 10);
  world.config.watches.at(0).mode = Mode::notify;
  CHECK(status() == 10);
  world.with_broken("bad");
  CHECK(status() == 1);
  CHECK(status({"web"}) == 10);
}

TEST_CASE("check --json prints what the status file would say") {
  TickWorld world;
  world.pushes_web();
  const Checked checked = check(world, {}, true);
  CHECK(checked.status == 0);
  const auto status = value_of(parse_status(checked.out));
  CHECK(status.version == "0.1.0");
  CHECK(status.host == "deploy-01");
  CHECK(status.trigger == "manual");
  CHECK(status.result() == "attention");
  REQUIRE(status.services.size() == 1);
  check_state(status.services[0], ServiceState::pending, ReasonCode::update_available);
  CHECK(status.services[0].update_available == true);
  CHECK(nlohmann::json::parse(checked.out)["summary"]["pending"] == 1);
}

TEST_CASE("check says when a registry's pulls are nearly used up, and only then") {
  for (const int remaining : {0, 9, 10, 100}) {
    TickWorld world;
    Memory memory;
    memory.registries["docker.io"].rate_limit = {100, remaining, std::chrono::hours(6)};
    const std::string out = check(world, {}, false, false, std::move(memory)).out;
    CHECK(out.contains("pulls left") == (remaining < 10));
  }
}

TEST_CASE("check without services says so") {
  TickWorld world;
  world.config.watches.clear();
  const Checked checked = check(world);
  CHECK(checked.status == 0);
  CHECK(checked.out == "no services configured\n");
}
