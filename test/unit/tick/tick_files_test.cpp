#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>

#include "unit/io/signals.hpp"
#include "unit/tick/ticking.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

std::vector<std::string> names_in(const StatusDocument& status) {
  std::vector<std::string> names;
  for (const ServiceStatus& service : status.services) {
    names.push_back(service.name);
  }
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a run of some services replaces their entries, keeps the others and forgets strangers") {
  Ticking world;
  world.with_api();
  world.with_broken("bad");
  world.watches("old", "harbor.lan/shop/old:1");
  (void)world.run();
  CHECK(names_in(world.written()) == Names{"api", "bad", "old", "web"});

  std::erase_if(world.config.watches, [](const Watch& watch) { return watch.name == "old"; });
  world.engine.containers.clear();
  world.clock.advance(std::chrono::hours(1));
  const TickResult result = world.run({"web"});
  REQUIRE(result.services.size() == 1);
  CHECK(result.services[0].name == "web");
  const StatusDocument status = world.written();
  CHECK(names_in(status) == Names{"api", "bad", "web"});
  check_state(status.services[0], ServiceState::current, ReasonCode::up_to_date);
  check_state(status.services[1], ServiceState::unknown, ReasonCode::config_error);
  check_state(status.services[2], ServiceState::absent, ReasonCode::not_running);
  CHECK(status.run_id == "2026-11-22T20:45:14Z");
  CHECK(status.result() == "failed");
}

TEST_CASE("a run of some services before any other writes those") {
  Ticking world;
  world.with_api();
  (void)world.run({"web"});
  CHECK(names_in(world.written()) == Names{"web"});
}

TEST_CASE("a status file that cannot be understood is replaced") {
  Ticking world;
  world.with_api();
  std::filesystem::create_directory(world.folder / "run");
  world.folder.write("run/status.json", "garbage");
  const TickResult result = world.run({"web"});
  CHECK_FALSE(result.write_error.has_value());
  CHECK(names_in(world.written()) == Names{"web"});
}

TEST_CASE("a status file that cannot be written is an error, and the work was done") {
  Ticking world;
  world.pushes_web();
  world.folder.write("run", "a file where the folder should be");
  const TickResult result = world.run();
  REQUIRE(result.write_error.has_value());
  CHECK(result.write_error->message.starts_with("the status file: "));
  CHECK(contains(result.write_error->message, world.folder / "run"));
  check_state(Ticking::service(result, "web"), ServiceState::updated, ReasonCode::deployed);
  CHECK(world.engine.containers.at(0).image_id == id_of('b'));
  CHECK(world.remembered().services.at("web").last_good.size() == 1);
}

TEST_CASE("a memory that cannot be written is an error, and the status file is there") {
  Ticking world;
  world.pushes_web();
  world.target.on_recreate = [&](const PreparedProject& project) -> Result<void> {
    std::filesystem::create_directory(world.folder / "state/memory.json");
    world.engine.recreate(project.plan);
    return {};
  };
  const TickResult result = world.run();
  REQUIRE(result.write_error.has_value());
  CHECK(contains(result.write_error->message, world.folder / "state/memory.json"));
  check_state(world.written().services.at(0), ServiceState::updated, ReasonCode::deployed);

  // Its journal stayed: as soon as there is a memory, it learns of it.
  CHECK(value_of(world.state.open_journals()).size() == 1);
  std::filesystem::remove(world.folder / "state/memory.json");
  const ServiceStatus web = world.next();
  CHECK(web.last_deployment->result == "updated");
  CHECK((web.last_good.at("harbor.lan/shop/web:1") == digest('2')));
  CHECK(value_of(world.state.open_journals()).empty());
  CHECK(world.asked("recreate").empty());
}

TEST_CASE("a journal that cannot be written is an error, and nothing is touched") {
  Ticking world;
  world.pushes_web();
  world.engine.on_call = [&](std::string_view call) {
    if (call == "inspect container id-of-shop-web-1") {  // the last look before it begins
      world.folder.write("state/deployments", "a file where the folder should be");
    }
  };
  const TickResult result = world.run();
  REQUIRE(result.write_error.has_value());
  CHECK(contains(result.write_error->message, world.folder / "state/deployments"));
  const ServiceStatus web = Ticking::service(result, "web");
  check_state(web, ServiceState::pending, ReasonCode::state_error);
  CHECK(web.error->message.starts_with("the journal of the deployment: "));
  CHECK(world.asked("pull").empty());
  CHECK(world.asked("tag").empty());
  CHECK(world.asked("recreate").empty());
}

TEST_CASE("with a memory that cannot be read nothing is decided, and it is left as it is") {
  Ticking world;
  world.with_api();
  world.pushes_web();
  world.folder.write("state/memory.json", "{\"schema\": 2}");
  const TickResult result = world.run();
  CHECK_FALSE(result.write_error.has_value());
  for (const ServiceStatus& service : result.services) {
    check_state(service, ServiceState::unknown, ReasonCode::state_error);
    REQUIRE(service.error.has_value());
    CHECK(contains(service.error->message, world.folder / "state/memory.json"));
    CHECK_FALSE(service.error->remedy.empty());
    CHECK(service.containers.size() == 1);
  }
  CHECK(world.asked("pull").empty());
  CHECK(world.asked("recreate").empty());
  CHECK(world.folder.read("state/memory.json") == "{\"schema\": 2}");
  CHECK(world.written().services.size() == 2);
}

TEST_CASE("a tick that is told to stop ends what touched containers, and deploys nothing more") {
  struct Row {
    std::string_view at;
    ServiceState api;
    std::string_view error;
  };
  const Row rows[] = {
      {"pull harbor.lan/shop/api", ServiceState::pending,
       "told to stop before a container was touched"},
      {"tag #d as harbor.lan/shop/api", ServiceState::pending,
       "told to stop before a container was touched"},
      {"inspect container id-of-shop-api-1+", ServiceState::updated, ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.at);
    const SignalsRestored restored;
    Ticking world;
    world.with_api();
    world.pushes_web();
    world.pushes("harbor.lan/shop/api:1", '6', '8', 'd');
    world.stop = Stop::on_signals();
    world.engine.on_call = [&](std::string_view call) {
      if (shortened(std::string(call)).starts_with(row.at)) {
        std::raise(SIGTERM);
      }
    };
    (void)world.run();
    const StatusDocument status = world.written();
    const ServiceStatus& api = status.services.at(0);
    const bool updated = row.api == ServiceState::updated;
    check_state(api, row.api, updated ? ReasonCode::deployed : ReasonCode::interrupted);
    CHECK((api.error ? api.error->message : "") == row.error);
    CHECK(world.engine.containers.at(1).image_id == id_of(updated ? 'd' : 'c'));
    CHECK(world.engine.tags.at(ref("harbor.lan/shop/api:1")) == id_of(updated ? 'd' : 'c'));
    const ServiceStatus& web = status.services.at(1);
    check_state(web, ServiceState::pending, ReasonCode::interrupted);
    CHECK(web.error->kind == ErrorKind::cancelled);
    CHECK(web.error->message == "told to stop before its deployment began");
    CHECK(world.asked("recreate").size() == (updated ? 1 : 0));
    CHECK(world.engine.containers.at(0).image_id == id_of('a'));
    CHECK(value_of(world.state.open_journals()).empty());
  }
}

TEST_CASE("a tick forgets references that nobody asked for in 90 days, and images that are gone") {
  Ticking world;
  Memory memory;
  const auto seen = [&](const char* name, std::chrono::days ago) {
    memory.seen.emplace(name, Memory::Seen{digest('3'), world.clock.now() - ago});
  };
  seen("harbor.lan/shop/new:1", std::chrono::days(89));
  seen("harbor.lan/shop/old:1", std::chrono::days(91));
  memory.equivalent = {{digest('4'), id_of('a')}, {digest('4'), id_of('f')}};
  memory.services["web"].consecutive_failures = 3;
  REQUIRE(world.state.save_memory(memory).has_value());
  (void)world.run();
  const Memory after = world.remembered();
  CHECK(after.seen.contains("harbor.lan/shop/new:1"));
  CHECK_FALSE(after.seen.contains("harbor.lan/shop/old:1"));
  CHECK((after.equivalent == std::set<std::pair<Digest, std::string>>{{digest('4'), id_of('a')}}));
  CHECK(after.services.at("web").consecutive_failures == 0);
}

TEST_CASE("without its engine a tick does not know which images are gone") {
  Ticking world;
  Memory memory;
  memory.equivalent = {{digest('4'), id_of('f')}};
  REQUIRE(world.state.save_memory(memory).has_value());
  world.engine.fails("observe", {ErrorKind::transient, "cut"});
  (void)world.run();
  CHECK((world.remembered().equivalent == memory.equivalent));
}
