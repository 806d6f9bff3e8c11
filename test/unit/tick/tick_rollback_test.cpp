#include <doctest/doctest.h>

#include <filesystem>

#include "unit/tick/ticking.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

constexpr std::string_view k_rollback_tag = "harbor.lan/shop/web:tallyman-rollback-aaaaaaaaaaaa";

/// The new image of web, #b, ends as soon as it is started.
struct WithBadImage : Ticking {
  WithBadImage() {
    pushes_web();
    is_bad('b');
  }
};

}  // namespace

TEST_CASE("a bad image: the old one runs again, and the status says so") {
  WithBadImage world;
  const TickResult result = world.run();
  CHECK_FALSE(result.write_error.has_value());
  CHECK(world.asked("recreate").size() == 2);
  CHECK(world.observer.told == Calls{"deploying web", "pull 222222222222, 38.2 MB",
                                     "recreate shop-web-1", "restore shop-web-1",
                                     "health no health check", "settle 0 restarts",
                                     "deployed web: rolled_back, 1"});
  REQUIRE(world.engine.containers.size() == 1);
  CHECK(world.engine.containers[0].image_id == id_of('a'));
  CHECK(world.engine.tags.at(ref(k_web)) == id_of('a'));

  const StatusDocument status = world.written();
  CHECK(status.result() == "attention");
  const ServiceStatus& web = status.services.at(0);
  check_state(web, ServiceState::rolled_back, ReasonCode::unhealthy);
  CHECK(web.reason == "shop-web-1 exited with status 7");
  CHECK(web.update_available == true);
  CHECK((web.quarantined == std::vector<Digest>{digest('2')}));
  CHECK(web.images.at(0).running_digest == id_of('1'));
  CHECK(web.images.at(0).remote_digest == id_of('2'));
  CHECK(web.last_good.empty());
  CHECK(web.consecutive_failures == 1);
  CHECK_FALSE(web.pending_since.has_value());
  const DeploymentRecord& record = web.last_deployment.value();
  CHECK(record.result == "rolled_back");
  CHECK((record.from == digest('1')));
  CHECK((record.to == digest('2')));
  REQUIRE(web.error.has_value());
  CHECK(web.error->message == web.reason);
  CHECK(contains(web.error->remedy, record.log));
  CHECK(std::filesystem::exists(record.log + "/record.json"));
  CHECK(value_of(world.state.open_journals()).empty());
}

TEST_CASE("a bad image: memory knows what failed, and nothing of it stays on the host") {
  WithBadImage world;
  (void)world.run();
  const ServiceMemory web = world.remembered("web");
  REQUIRE(web.quarantined.size() == 1);
  CHECK(web.quarantined[0].reference == k_web);
  CHECK((web.quarantined[0].digest == digest('2')));
  CHECK((web.quarantined[0].manifest == digest('7')));
  CHECK(web.quarantined[0].reason == "shop-web-1 exited with status 7");
  CHECK((web.quarantined[0].at == web.last_deployment->finished_at));
  CHECK(web.settled.empty());
  CHECK(web.broken.empty());
  CHECK(web.kept.empty());
  CHECK(web.attempts.count == 1);
  CHECK(web.attempts.touched == 1);
  CHECK((web.attempts.digest == digest('2')));
  CHECK_FALSE(world.engine.tags.contains(ref(k_rollback_tag)));
  CHECK_FALSE(world.engine.images.contains(id_of('b')));
  CHECK(world.engine.images.contains(id_of('a')));
}

TEST_CASE("a bad image is left alone from then on, by every kind of tick") {
  WithBadImage world;
  (void)world.run();
  for (const char* trigger : {"timer", "manual"}) {
    world.trigger = trigger;
    const ServiceStatus web = world.next("web", std::chrono::hours(24));
    check_state(web, ServiceState::quarantined, ReasonCode::failed_here);
    CHECK(web.reason == "222222222222: shop-web-1 exited with status 7");
    CHECK(web.update_available == true);
    CHECK_FALSE(web.error.has_value());
    CHECK(web.consecutive_failures == 0);
    CHECK((web.quarantined == std::vector<Digest>{digest('2')}));
    CHECK(web.last_deployment->result == "rolled_back");
    CHECK(world.asked() == Calls{"observe", "resolve harbor.lan/shop/web:1"});
  }
  CHECK(world.written().result() == "attention");
}

TEST_CASE("a bad image in a new index is no new image") {
  WithBadImage world;
  (void)world.run();
  world.pushes(k_web, '3', '7', 'b');
  const ServiceStatus web = world.next();
  check_state(web, ServiceState::quarantined, ReasonCode::failed_here);
  CHECK((web.quarantined == std::vector<Digest>{digest('3')}));
  CHECK(world.asked("pull").empty());
}

TEST_CASE("a newer image than the bad one is deployed, and the quarantine is empty") {
  WithBadImage world;
  (void)world.run();
  world.pushes(k_web, '3', '8', 'd');
  const ServiceStatus web = world.next();
  check_state(web, ServiceState::updated, ReasonCode::deployed);
  CHECK(web.quarantined.empty());
  CHECK(world.engine.containers.at(0).image_id == id_of('d'));
  const ServiceMemory memory = world.remembered("web");
  CHECK(memory.quarantined.empty());
  CHECK(memory.attempts.count == 0);
  CHECK((memory.settled.at(std::string(k_web)) == digest('3')));
}

TEST_CASE("a tag that is put back to the old image ends the quarantine") {
  WithBadImage world;
  (void)world.run();
  world.registry.has(k_web, '1');
  check_state(world.next(), ServiceState::current, ReasonCode::up_to_date);
  CHECK(world.remembered("web").quarantined.empty());
}

TEST_CASE("two drop-ins that share a reference are one transaction, and share its end") {
  WithBadImage world;
  world.config.watches.at(0).compose.project = "shop";
  world.watches("blog", k_web).compose.project = "blog";
  world.runs("blog", "site");
  const TickResult result = world.run();
  CHECK(world.asked("pull") == Calls{"pull harbor.lan/shop/web@#2 for linux/amd64"});
  CHECK(world.asked("recreate").size() == 4);
  for (const char* name : {"blog", "web"}) {
    CAPTURE(name);
    const ServiceStatus service = Ticking::service(result, name);
    check_state(service, ServiceState::rolled_back, ReasonCode::unhealthy);
    CHECK((service.quarantined == std::vector<Digest>{digest('2')}));
    CHECK(service.last_deployment->id == "20261122T194514Z-blog");
    CHECK(world.remembered(name).quarantined.size() == 1);
  }
  for (const Container& container : world.engine.containers) {
    CHECK(container.image_id == id_of('a'));
  }
  check_state(world.next("web"), ServiceState::quarantined, ReasonCode::failed_here);
  check_state(world.next("blog"), ServiceState::quarantined, ReasonCode::failed_here);
  CHECK(world.asked("pull").empty());
}

TEST_CASE("a bad image does not hold back the other services") {
  WithBadImage world;
  world.with_api();
  world.pushes("harbor.lan/shop/api:1", '6', '8', 'd');
  const TickResult result = world.run();
  check_state(Ticking::service(result, "api"), ServiceState::updated, ReasonCode::deployed);
  check_state(Ticking::service(result, "web"), ServiceState::rolled_back, ReasonCode::unhealthy);
}

TEST_CASE("where nothing may be undone a bad image stays, and is failed") {
  WithBadImage world;
  world.config.watches.at(0).rollback.enabled = false;
  const TickResult result = world.run();
  const ServiceStatus web = Ticking::service(result, "web");
  check_state(web, ServiceState::failed, ReasonCode::unhealthy);
  CHECK((web.quarantined == std::vector<Digest>{digest('2')}));
  CHECK(world.asked("recreate").size() == 1);
  CHECK(world.engine.containers.at(0).image_id == id_of('b'));
  CHECK(result.status.result() == "failed");
}
