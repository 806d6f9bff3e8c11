#include "tallyman/tick/tick.hpp"

#include <doctest/doctest.h>

#include "unit/tick/ticking.hpp"

using namespace tallyman;
using namespace tallyman::test;

TEST_CASE("a tick that finds nothing to do writes what it found, and remembers") {
  Ticking world;
  world.engine.on_call = [&](std::string_view) {
    world.clock.advance(std::chrono::milliseconds(1500));
  };
  const TickResult result = world.run();
  CHECK_FALSE(result.write_error.has_value());
  CHECK(world.asked() == Calls{"observe", "resolve harbor.lan/shop/web:1"});
  CHECK(world.observer.told.empty());

  const StatusDocument status = world.written();
  CHECK(status_to_json(status) == status_to_json(result.status));
  CHECK(status.version == "0.1.0");
  CHECK(status.host == "deploy-01");
  CHECK(status.trigger == "timer");
  CHECK(status.run_id == "2026-11-22T19:45:14Z");
  CHECK((status.started_at == at("2026-11-22T19:45:14Z")));
  CHECK((status.finished_at == at("2026-11-22T19:45:15.500Z")));
  CHECK(status.duration.count() == 1500);
  REQUIRE(status.services.size() == 1);
  check_state(status.services[0], ServiceState::current, ReasonCode::up_to_date);
  CHECK((world.remembered().seen.at("harbor.lan/shop/web:1").digest == digest('1')));
}

TEST_CASE("a tick deploys what differs, and says what it read back afterwards") {
  Ticking world;
  world.pushes_web();
  const TickResult result = world.run();
  CHECK(world.asked() == Calls{"observe",
                               "resolve harbor.lan/shop/web:1",
                               "inspect #a",
                               "look into harbor.lan/shop/web@#2 for linux/amd64",
                               "prepare shop",
                               "look into harbor.lan/shop/web@#1 for linux/amd64",
                               "inspect container id-of-shop-web-1",
                               "inspect harbor.lan/shop/web:1",
                               "tag #a as harbor.lan/shop/web:tallyman-rollback-aaaaaaaaaaaa",
                               "inspect harbor.lan/shop/web@#2",
                               "credential harbor.lan/shop/web:1",
                               "pull harbor.lan/shop/web@#2 for linux/amd64",
                               "inspect harbor.lan/shop/web@#2",
                               "observe",
                               "tag #b as harbor.lan/shop/web:1",
                               "inspect harbor.lan/shop/web:1",
                               "recreate shop",
                               "observe",
                               "events shop",
                               "inspect container id-of-shop-web-1+",
                               "inspect container id-of-shop-web-1+",
                               "inspect container id-of-shop-web-1+",
                               "observe",
                               "observe"});
  CHECK(world.observer.told == Calls{"deploying web", "pull 222222222222, 38.2 MB",
                                     "recreate shop-web-1", "health no health check",
                                     "settle 0 restarts", "deployed web: updated, 1"});

  const ServiceStatus web = world.written().services.at(0);
  check_state(web, ServiceState::updated, ReasonCode::deployed);
  CHECK(web.reason == "222222222222 deployed");
  CHECK(web.update_available == false);
  CHECK_FALSE(web.error.has_value());
  REQUIRE(web.images.size() == 1);
  CHECK(web.images[0].remote_digest == id_of('2'));
  CHECK(web.images[0].running_digest == id_of('2'));
  CHECK(web.images[0].image_id == id_of('b'));
  REQUIRE(web.containers.size() == 1);
  CHECK(web.containers[0].id == "id-of-shop-web-1+");
  CHECK((web.last_good == std::map<std::string, Digest>{{"harbor.lan/shop/web:1", digest('2')}}));
  REQUIRE(web.last_deployment.has_value());
  CHECK(web.last_deployment->id == "20261122T194514Z-web");
  CHECK(web.last_deployment->log == world.folder / "state/deployments/20261122T194514Z-web");
  CHECK(web.last_deployment->result == "updated");
  CHECK((web.last_deployment->from == digest('1')));
  CHECK((web.last_deployment->to == digest('2')));
  CHECK((world.remembered().services.at("web").last_good == web.last_good));
}

TEST_CASE("a tick after a deployment does nothing") {
  Ticking world;
  world.pushes_web();
  (void)world.run();
  const ServiceStatus web = world.next();
  check_state(web, ServiceState::current, ReasonCode::up_to_date);
  CHECK(world.asked() == Calls{"observe", "resolve harbor.lan/shop/web:1"});
}

TEST_CASE("one service's failure does not stop the others") {
  Ticking world;
  world.with_api();
  world.pushes_web();
  world.registry.has("harbor.lan/shop/api:1", '6');
  world.registry.holds('6', '8', 'd');
  world.engine.can_pull("harbor.lan/shop/api:1", '6', 'd');
  world.engine.fails("pull harbor.lan/shop/api", {ErrorKind::auth, "denied", "log in"});
  const TickResult result = world.run();
  const ServiceStatus api = Ticking::service(result, "api");
  check_state(api, ServiceState::pending, ReasonCode::pull_failed);
  CHECK(api.update_available == true);
  REQUIRE(api.error.has_value());
  CHECK(contains(api.error->message, "denied"));
  CHECK(api.reason == api.error->message);
  CHECK(api.containers.at(0).id == "id-of-shop-api-1");
  check_state(Ticking::service(result, "web"), ServiceState::updated, ReasonCode::deployed);
  CHECK(result.status.result() == "attention");
}

TEST_CASE("a service that cannot be planned is pending, and its compose is not asked") {
  Ticking world;
  world.pushes_web();
  set_label(world.engine.containers.at(0), k_label_working_dir, "/no/such/folder");
  const ServiceStatus web = Ticking::service(world.run(), "web");
  check_state(web, ServiceState::pending, ReasonCode::preflight_failed);
  CHECK(web.error->kind == ErrorKind::config);
  CHECK(contains(web.error->message, "/no/such/folder"));
  CHECK(world.asked("prepare").empty());
  CHECK(world.asked("pull").empty());
}

TEST_CASE("a service that is worse after its deployment than the deployment thinks is what it is") {
  Ticking world;
  world.pushes_web();
  int observed = 0;
  world.engine.on_observe = [&](Host host) -> Result<Host> {
    if (++observed == 5) {
      host.containers.push_back(compose_container("shop", "web", 2, k_web, 'a'));
    }
    return host;
  };
  const ServiceStatus web = Ticking::service(world.run(), "web");
  check_state(web, ServiceState::pending, ReasonCode::changed_by_hand);
  CHECK(web.update_available == true);
  CHECK(web.containers.size() == 2);
  CHECK_FALSE(web.images.at(0).running_digest.has_value());
}

TEST_CASE("what could not be read back is not claimed") {
  Ticking world;
  world.pushes_web();
  world.target.on_recreate = [&](const PreparedProject& project) -> Result<void> {
    world.engine.recreate(project.plan);
    world.engine.fails("observe", {ErrorKind::transient, "cut"});
    return {};
  };
  const TickResult result = world.run();
  const ServiceStatus web = Ticking::service(result, "web");
  check_state(web, ServiceState::failed, ReasonCode::rollback_failed);
  CHECK(web.error->message.starts_with("reading back what runs: cut"));
  CHECK(web.images.empty());
  CHECK(web.containers.empty());
  CHECK_FALSE(world.remembered().services.at("web").last_good.contains("harbor.lan/shop/web:1"));
}

TEST_CASE("a tick without its engine writes that, too") {
  Ticking world;
  world.with_broken("bad");
  world.engine.fails("observe", {ErrorKind::transient, "nothing listens on /run/docker.sock"});
  (void)world.run();
  const StatusDocument status = world.written();
  CHECK(status.result() == "failed");
  REQUIRE(status.services.size() == 2);
  check_state(status.services[0], ServiceState::unknown, ReasonCode::config_error);
  check_state(status.services[1], ServiceState::unknown, ReasonCode::engine_error);
  CHECK(status.services[1].error->message == "nothing listens on /run/docker.sock");
}

TEST_CASE("a tick without services writes an empty list") {
  Ticking world;
  world.config.watches.clear();
  (void)world.run();
  CHECK(world.written().services.empty());
  CHECK(world.written().result() == "ok");
}
