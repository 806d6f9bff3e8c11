#include "tallyman/tick/service_status.hpp"

#include <doctest/doctest.h>

#include "support/tick_world.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

/// The entry of a service that was only looked at.
ServiceStatus status_of(TickWorld& world) {
  Memory memory;
  const Look look = world.look(memory);
  REQUIRE(look.services.size() == 1);
  std::optional<Selector> running;
  if (look.host) {
    running.emplace(*look.host);
  }
  return service_status(look.services[0], running ? &*running : nullptr, nullptr, world.clock.now(),
                        memory);
}

}  // namespace

TEST_CASE("an entry shows both sides of each image") {
  TickWorld world;
  Image& image = world.engine.images.at(id_of('a')).image;
  image.labels = {{"org.opencontainers.image.version", "v1.2.0"},
                  {"org.opencontainers.image.revision", "0123abcd"}};
  image.created = at("2026-10-01T00:00:00Z");
  world.registry.has(k_web, '2');
  world.registry.holds('2', '7', 'b');
  const ServiceStatus web = status_of(world);
  CHECK(web.name == "web");
  check_state(web, ServiceState::pending, ReasonCode::update_available);
  CHECK(web.reason == "222222222222 is available");
  CHECK(web.update_available == true);
  REQUIRE(web.images.size() == 1);
  const ImageStatus& shown = web.images[0];
  CHECK(shown.reference == k_web);
  CHECK(shown.remote_digest == id_of('2'));
  CHECK((shown.checked_at == at("2026-11-22T19:45:15Z")));
  CHECK((shown.last_success_at == at("2026-11-22T19:45:15Z")));
  CHECK(shown.running_digest == id_of('1'));
  CHECK(shown.image_id == id_of('a'));
  CHECK(shown.version == "v1.2.0");
  CHECK(shown.revision == "0123abcd");
  CHECK((shown.created == at("2026-10-01T00:00:00Z")));
}

TEST_CASE("an entry shows every container, as the engine has it") {
  TickWorld world;
  Container& paused = world.runs("shop", "web", k_web, 'a', 2);
  paused.status = ContainerStatus::paused;
  paused.restarts = 4;
  Container& stray = world.runs("shop", "web", k_web, 'a', 3);
  stray.labels = {};
  const ServiceStatus web = status_of(world);
  REQUIRE(web.containers.size() == 3);
  const ContainerStatusEntry& first = web.containers[0];
  CHECK(first.id == "id-of-shop-web-1");
  CHECK(first.name == "shop-web-1");
  CHECK(first.project == "shop");
  CHECK(first.service == "web");
  CHECK(first.reference == k_web);
  CHECK(first.digest == id_of('1'));
  CHECK((first.since == at("2026-11-20T08:00:00Z")));
  CHECK(first.status == "running");
  CHECK(first.health == "none");
  CHECK_FALSE(first.restarts.has_value());
  CHECK(web.containers[1].status == "paused");
  CHECK(web.containers[1].restarts == 4);
  CHECK(web.containers[2].project == "");
  CHECK(web.containers[2].service == "");
}

TEST_CASE("replicas of different images have no digest in common") {
  TickWorld world;
  world.engine.add_image("harbor.lan/shop/web:old", 'c', "3");
  world.runs("shop", "web", k_web, 'c', 2);
  world.registry.holds('1', '7', 'a');
  const ServiceStatus web = status_of(world);
  CHECK_FALSE(web.images.at(0).running_digest.has_value());
  CHECK_FALSE(web.images.at(0).image_id.has_value());
  CHECK_FALSE(web.images.at(0).version.has_value());
  CHECK(web.containers.at(0).digest == id_of('1'));
  CHECK(web.containers.at(1).digest == id_of('3'));
}

TEST_CASE("of several digests of one image the registry's own is shown") {
  TickWorld world;
  world.engine.add_image(k_web, 'a', "34");
  world.registry.has(k_web, '4');
  CHECK(status_of(world).images.at(0).running_digest == id_of('4'));
  world.registry.has(k_web, '9');
  world.registry.holds('9', '7', 'a');
  CHECK(status_of(world).images.at(0).running_digest == id_of('1'));
}

TEST_CASE("an image that was removed under its container has only its id") {
  TickWorld world;
  world.engine.images.clear();
  world.registry.fails(k_web, {ErrorKind::transient, "refused"});
  const ServiceStatus web = status_of(world);
  CHECK(web.images.at(0).image_id == id_of('a'));
  CHECK_FALSE(web.images.at(0).version.has_value());
  CHECK_FALSE(web.images.at(0).created.has_value());
}

TEST_CASE("empty labels are no version") {
  TickWorld world;
  world.engine.images.at(id_of('a')).image.labels = {{"org.opencontainers.image.version", ""}};
  CHECK_FALSE(status_of(world).images.at(0).version.has_value());
}

TEST_CASE("a container that was created by an image's id is shown with it") {
  TickWorld world;
  world.config.watches.at(0).image.reset();
  world.config.watches.at(0).compose = {.project = "shop", .services = {"web"}};
  world.engine.containers.at(0).image = id_of('a');
  const ServiceStatus web = status_of(world);
  check_state(web, ServiceState::pending, ReasonCode::unmanaged);
  CHECK(web.images.empty());
  REQUIRE(web.containers.size() == 1);
  CHECK(web.containers[0].reference == id_of('a'));
  CHECK_FALSE(web.containers[0].digest.has_value());
}

TEST_CASE("healthy: true, false, or unknown without any healthcheck") {
  struct Row {
    std::vector<Health> health;
    ContainerStatus last;
    std::optional<bool> healthy;
  };
  const auto running = ContainerStatus::running;
  const Row rows[] = {
      {{Health::none}, running, std::nullopt},
      {{Health::healthy}, running, true},
      {{Health::starting}, running, false},
      {{Health::unhealthy}, running, false},
      {{Health::healthy, Health::none}, running, true},
      {{Health::healthy, Health::starting}, running, false},
      {{Health::starting, Health::healthy}, running, false},
      {{Health::healthy, Health::unhealthy}, running, false},
      {{Health::none, Health::none}, ContainerStatus::restarting, false},
      {{Health::healthy, Health::healthy}, ContainerStatus::restarting, false},
      {{Health::healthy, Health::healthy}, ContainerStatus::paused, true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.health.size());
    TickWorld world;
    world.engine.containers.clear();
    for (const Health health : row.health) {
      world.runs("shop", "web", k_web, 'a', static_cast<int>(world.engine.containers.size()) + 1)
          .health = health;
    }
    world.engine.containers.back().status = row.last;
    CHECK((status_of(world).healthy == row.healthy));
  }
}

TEST_CASE("without its host an entry has the decision, and nothing that runs") {
  TickWorld world;
  world.engine.fails("observe", {ErrorKind::denied, "no permission", "run as root"});
  const ServiceStatus web = status_of(world);
  check_state(web, ServiceState::unknown, ReasonCode::engine_error);
  CHECK(web.images.empty());
  CHECK(web.containers.empty());
  CHECK_FALSE(web.healthy.has_value());
  CHECK_FALSE(web.update_available.has_value());
  CHECK(web.error->remedy == "run as root");
  CHECK(web.consecutive_failures == 1);
}
