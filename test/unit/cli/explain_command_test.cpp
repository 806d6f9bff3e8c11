#include <doctest/doctest.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "support/tick_world.hpp"
#include "tallyman/cli/commands.hpp"
#include "unit/cli/screen.hpp"

using namespace tallyman;
using namespace tallyman::test;
using nlohmann::json;

namespace {

struct Explained {
  int status;
  std::string out;
};

Explained explain(TickWorld& world, const ServiceName& service = "web", const Memory& memory = {}) {
  Screen screen;
  const int status =
      explain_command(world.config, {.service = service}, world.registry, world.engine,
                      world.deployer, memory, world.clock, screen.terminal);
  return {status, shortened(screen.text())};
}

json explained_json(TickWorld& world, const ServiceName& service = "web",
                    const Memory& memory = {}) {
  Screen screen;
  const ExplainOptions options{
      .service = service, .json = true, .version = "0.1.0", .host_name = "deploy-01"};
  const int status = explain_command(world.config, options, world.registry, world.engine,
                                     world.deployer, memory, world.clock, screen.terminal);
  json document = json::parse(screen.text());
  CHECK(document["schema"] == 1);
  CHECK((status == 1) == document["error"].is_object());
  return document;
}

/// Its deployment of #2 was rolled back, it has tried #3 since, and somebody holds it.
Memory eventful(const TickWorld& world) {
  Memory memory;
  ServiceMemory& web = memory.services["web"];
  const std::string key = ref(k_web).str();
  const Timestamp day_before = world.clock.now() - std::chrono::hours(25);
  web.last_good = {{key, digest('1')}};
  web.settled = {{key, digest('5')}};
  web.deployed_at = day_before;
  web.last_deployment = DeploymentRecord{.id = "20261121T184514Z-web",
                                         .result = "rolled_back",
                                         .from = digest('1'),
                                         .to = digest('2'),
                                         .finished_at = day_before,
                                         .log = "/state/deployments/20261121T184514Z-web"};
  web.pending_since = day_before;
  web.consecutive_failures = 4;
  web.attempts = {.digest = digest('3'),
                  .count = 3,
                  .touched = 1,
                  .last = world.clock.now() - std::chrono::minutes(2)};
  web.quarantined = {
      {.reference = key, .digest = digest('2'), .reason = "shop-web-1 exited 1", .at = day_before}};
  web.kept = {{.reference = key,
               .image_id = id_of('9'),
               .digest = digest('8'),
               .tag = "harbor.lan/shop/web:tallyman-rollback-999999999999",
               .deployed = true,
               .at = day_before}};
  return memory;
}

Hold annas_hold() {
  return {.reason = "exam week", .by = "anna", .at = at("2026-11-21T08:00:00Z")};
}

constexpr const char* k_drop_in =
    "  file   /etc/tallyman/conf.d/web.toml, mode auto\n"
    "  picks  running containers of harbor.lan/shop/web:1\n"
    "  image  harbor.lan/shop/web:1\n";

}  // namespace

TEST_CASE("explain shows both sides of a service that is current") {
  TickWorld world;
  const Explained explained = explain(world);
  CHECK(explained.status == 0);
  CHECK(explained.out == std::string("web: current (up_to_date)\n"
                                     "  rule   what the registry offers is what runs\n") +
                             k_drop_in +
                             "  offers #1\n"
                             "         asked 0 ms ago (https, anonymous)\n"
                             "  runs   shop-web-1, running for 2 d, 0 restarts\n"
                             "         #1\n"
                             "         image aaaaaaaaaaaa: runs what the registry offers\n"
                             "  next   nothing, until harbor.lan/shop/web:1 moves\n");
}

TEST_CASE("explain shows an update, why, and the command that would run") {
  TickWorld world;
  world.pushes_web();
  const Explained explained = explain(world);
  CHECK(explained.status == 0);
  CHECK(explained.out == std::string("web: pending (update_available)\n"
                                     "  rule   the registry offers what does not run here\n"
                                     "  why    222222222222 is available\n") +
                             k_drop_in +
                             "  offers #2\n"
                             "         for linux/amd64: manifest 777777777777, config "
                             "bbbbbbbbbbbb\n"
                             "         asked 0 ms ago (https, anonymous)\n"
                             "  runs   shop-web-1, running for 2 d, 0 restarts\n"
                             "         #1\n"
                             "         image aaaaaaaaaaaa: differs\n"
                             "  next   the next run deploys it, and would run:\n"
                             "         cd " +
                             world.folder.path() + " && compose -p shop up\n");
  CHECK(world.asked("pull").empty());
  CHECK(world.asked("recreate").empty());
}

TEST_CASE("explain says what is in the way of a deployment") {
  TickWorld world;
  world.pushes_web();
  world.target.prepare_error = Error{ErrorKind::config, "no usable Docker Compose", "install it"};
  CHECK(
      explain(world).out.ends_with("  next   a run would deploy it, but for an obstacle\n"
                                   "  error  no usable Docker Compose\n"
                                   "  fix    install it\n"));
  const json document = explained_json(world);
  CHECK(document["next"]["action"] == "none");
  CHECK(document["next"]["obstacle"]["message"] == "no usable Docker Compose");
}

TEST_CASE("explain shows what is behind a digest also where that does not matter") {
  TickWorld world;
  world.registry.holds('1', '6', 'a');
  CHECK(contains(explain(world).out,
                 "         for linux/amd64: manifest 666666666666, config aaaaaaaaaaaa\n"));

  world.registry.has(k_web, '2');
  world.registry.holds('2', '7', 'a');
  const Explained moved = explain(world);
  CHECK(moved.out.starts_with("web: current (same_content)\n"));
  CHECK(contains(moved.out,
                 "image aaaaaaaaaaaa: another digest, the same image for this platform\n"));
}

TEST_CASE("explain shows why nothing is known, and what was known before") {
  TickWorld world;
  world.registry.fails(k_web, {ErrorKind::auth, "harbor.lan: who are you?", "log in"});
  Memory memory;
  memory.seen.emplace(ref(k_web).str(),
                      Memory::Seen{digest('4'), world.clock.now() - std::chrono::hours(3)});
  const Explained explained = explain(world, "web", memory);
  CHECK(explained.status == 1);
  CHECK(explained.out.starts_with(
      "web: unknown (registry_error)\n"
      "  rule   what the registry offers is not known, so nothing is decided\n"
      "  error  harbor.lan: who are you?\n"
      "  fix    log in\n"));
  CHECK(contains(explained.out,
                 "  offers no answer (https, anonymous)\n"
                 "         444444444444 when it answered last, 3 h ago\n"));
  CHECK(explained.out.ends_with("  next   every run asks again\n"));

  memory.registries["harbor.lan"] = {
      .rate_limit = RegistryMemory::RateLimit{100, 0, std::chrono::seconds(0)},
      .not_before = world.clock.now() + std::chrono::hours(1)};
  const Explained limited = explain(world, "web", memory);
  CHECK(contains(limited.out, "  limit  harbor.lan, 0 of 100 pulls left, not asked until "));
  CHECK(contains(limited.out, "  next   a run asks harbor.lan again, not before "));
  CHECK(explained_json(world, "web", memory)["registries"][0]["not_before"] ==
        "2026-11-22T20:45:14Z");
}

TEST_CASE("explain shows why a registry is not asked") {
  TickWorld world;
  world.engine.containers.at(0).image = std::string(k_web) + "@" + id_of('1');
  CHECK(contains(explain(world).out, "  offers not asked: runs by digest\n"));
  CHECK(explained_json(world)["images"][0]["remote"]["asked"] == false);

  world.watches("app", "myapp:1");
  world.engine.add_image("myapp:1", 'e', "");
  world.runs("shop", "app", "myapp:1", 'e');
  const Explained explained = explain(world, "app");
  CHECK(explained.out.starts_with("app: local (no_origin)\n"));
  CHECK(contains(explained.out, "not asked: no registry in its name"));
  CHECK(contains(explained.out, "docker.io/library/myapp:1"));
}

TEST_CASE("explain of a broken drop-in, of what does not run, and of what runs by an image's id") {
  TickWorld world;
  world.with_broken("bad");
  const Explained bad = explain(world, "bad");
  CHECK(bad.status == 1);
  CHECK(bad.out ==
        "bad: unknown (config_error)\n"
        "  rule   the drop-in cannot be used, so nothing is decided\n"
        "  error  /etc/tallyman/conf.d/bad.toml:3:1: imge: unknown key\n"
        "  error  /etc/tallyman/conf.d/bad.toml:4:2: no\n"
        "  next   nothing, until the drop-in is mended\n"
        "         by hand: tallyman validate\n");
  CHECK(world.asked("observe").empty());
  CHECK(explained_json(world, "bad")["problems"].size() == 2);

  world.config.watches.at(0).mode = Mode::notify;
  world.engine.containers.at(0).status = ContainerStatus::exited;
  CHECK(explain(world).out ==
        "web: absent (not_running)\n"
        "  rule   nothing of it runs, and nothing is started that was stopped\n"
        "  why    no running container of harbor.lan/shop/web:1\n"
        "  file   /etc/tallyman/conf.d/web.toml, mode notify\n"
        "  picks  running containers of harbor.lan/shop/web:1\n"
        "  next   a run starts nothing\n"
        "         by hand: start it with compose\n");

  world.config.watches.at(0).image.reset();
  world.config.watches.at(0).compose.services = {"web"};
  world.config.watches.at(0).compose.project = "shop";
  world.engine.containers.at(0).status = ContainerStatus::running;
  world.engine.containers.at(0).image = id_of('a');
  const Explained by_id = explain(world);
  CHECK(contains(by_id.out, "  picks  compose service web of project shop\n"));
  CHECK(contains(by_id.out, "  runs   shop-web-1, created from an image id:\n         #a\n"));
}

TEST_CASE("explain shows what is remembered, in one screen") {
  TickWorld world;
  world.registry.has(k_web, '2');
  Memory memory = eventful(world);
  const Explained explained = explain(world, "web", memory);
  CHECK(explained.out.starts_with("web: quarantined (failed_here)\n"));
  for (const char* line :
       {"  good   what runs, deployed 1 d ago\n",
        "  agreed the registry and this host last agreed on 555555555555\n",
        "  last   deployment 111111111111 -> 222222222222: rolled_back, 1 d ago\n"
        "         /state/deployments/20261121T184514Z-web\n",
        "  waits  for 1 d\n", "  failed 4 runs in a row\n",
        "  tried  333333333333 3 times, last 2 min ago\n",
        "  bad    222222222222, 1 d ago: shop-web-1 exited 1\n",
        "  kept   888888888888, ran until 1 d ago\n",
        "  next   a run leaves it alone until harbor.lan/shop/web:1 moves\n"
        "         by hand: tallyman deploy web --retry-quarantined\n"}) {
    CAPTURE(line);
    CHECK_MESSAGE(contains(explained.out, line), explained.out);
  }
  CHECK(std::ranges::count(explained.out, '\n') <= 24);

  // Worse than held: then the reason does not tell of the hold.
  memory.holds.emplace("web", annas_hold());
  CHECK(contains(explain(world, "web", memory).out,
                 "  hold   held by anna since 2026-11-21T08:00:00Z: exam week\n"));

  world.registry.has(k_web, '3');
  world.registry.holds('3', '7', 'b');
  const Explained held = explain(world, "web", memory);
  CHECK(held.out.starts_with("web: held (held)\n"));
  CHECK_FALSE(contains(held.out, "  hold "));
  CHECK_FALSE(contains(held.out, "  bad "));  // its tag has moved
  CHECK(
      held.out.ends_with("  next   a run leaves it alone until it is released\n"
                         "         by hand: tallyman release web\n"));

  memory.holds.clear();
  const Explained waiting = explain(world, "web", memory);
  CHECK(waiting.out.starts_with("web: pending (backing_off)\n"));
  CHECK(contains(waiting.out, "  next   the timer leaves it alone until "));
  CHECK(explained_json(world, "web", memory)["memory"]["attempts"]["next_at"] ==
        "2026-11-22T19:53:14Z");
}

TEST_CASE("explain counts the checks that stable_checks waits for, and adds none") {
  TickWorld world;
  world.pushes_web();
  world.config.watches.at(0).stable_checks = 3;
  Memory memory;
  memory.services["web"].candidates.emplace(ref(k_web).str(), Candidate{digest('2'), 1});
  const Explained explained = explain(world, "web", memory);
  CHECK(explained.out.starts_with("web: pending (not_yet_stable)\n"));
  CHECK(contains(explained.out, "mode auto, stable_checks 3\n"));
  CHECK(contains(explained.out, "  seen   222222222222 in 1 of 3 runs\n"));
}

TEST_CASE("explain shows what it is deployed after, and whether that is in the way") {
  TickWorld world;
  world.pushes_web();
  world.with_api();
  world.config.watches.at(0).after = {"api"};
  const Explained fine = explain(world);
  CHECK(contains(fine.out, "  after  api: current (up_to_date)\n"));
  CHECK(contains(fine.out, "  next   the next run deploys it"));

  world.registry.fails("harbor.lan/shop/api:1", {ErrorKind::transient, "harbor.lan is down"});
  const Explained waits = explain(world);
  CHECK(waits.status == 0);
  CHECK(waits.out.starts_with("web: pending (predecessor)\n"));
  CHECK(contains(waits.out, "  why    waits for api, which is unknown\n"));
  CHECK(contains(waits.out,
                 "  after  api: unknown (registry_error); nothing is deployed after it\n"));
  CHECK(waits.out.ends_with("         by hand: tallyman explain api\n"));
  CHECK(explained_json(world)["after"][0]["failed"] == true);
}

TEST_CASE("explain shows what is one transaction with it, and whose hold that is") {
  TickWorld world;
  world.pushes_web();
  world.config.watches.at(0).compose = {.project = "shop", .services = {"web"}};
  world.watches("worker", k_web).compose = {.project = "shop", .services = {"worker"}};
  world.runs("shop", "worker");
  const Explained both = explain(world);
  CHECK(
      contains(both.out, "  with   worker: they share an image, so they are deployed together\n"));
  CHECK(contains(both.out, "  picks  compose service web of project shop that run"));

  Memory memory;
  memory.holds.emplace("worker", annas_hold());
  const Explained held = explain(world, "web", memory);
  CHECK(held.out.starts_with("web: held (held)\n"));
  CHECK(held.out.ends_with("         by hand: tallyman release worker\n"));
  CHECK(explained_json(world, "web", memory)["transaction"] == json::array({"worker"}));
}

TEST_CASE("the JSON of explain has what text has, by the names of the status file") {
  TickWorld world;
  world.registry.has(k_web, '2');
  world.registry.holds('2', '7', 'b');
  world.engine.images.at(id_of('a')).image.labels = {
      {"org.opencontainers.image.version", "v1.2.0"}};
  Memory memory = eventful(world);
  memory.holds.emplace("web", annas_hold());
  const json document = explained_json(world, "web", memory);

  StatusDocument status;
  status.services.push_back({.name = "web"});
  const json entry = json::parse(status_to_json(status))["services"][0];
  for (const auto& [name, value] : entry.items()) {
    CAPTURE(name);
    CHECK(document.contains(name));
  }
  CHECK(document["state"] == "quarantined");
  CHECK(document["pending_since"] == "2026-11-21T18:45:14Z");
  CHECK(document["consecutive_failures"] == 4);
  CHECK(document["hold"]["by"] == "anna");
  CHECK(document["last_deployment"]["log"] == "/state/deployments/20261121T184514Z-web");
  CHECK(document["drop_in"]["mode"] == "auto");
  CHECK(document["drop_in"]["selected_by"] == "image");
  const json& remote = document["images"][0]["remote"];
  CHECK(remote["digest"] == id_of('2'));
  CHECK(remote["access"] == "https, anonymous");
  CHECK(remote["manifest"] == id_of('7'));
  CHECK(remote["config"] == id_of('b'));
  CHECK(document["images"][0]["decision"]["reason_code"] == "failed_here");
  const json& container = document["containers"][0];
  CHECK(container["digest"] == id_of('1'));
  CHECK(container["image_id"] == id_of('a'));
  CHECK(container["created_from"] == k_web);
  CHECK(container["version"] == "v1.2.0");
  CHECK(container["restarts"] == 0);
  CHECK(container["match"] == "differs");
  CHECK(document["memory"]["settled"][ref(k_web).str()] == id_of('5'));
  CHECK(document["memory"]["attempts"]["count"] == 3);
  CHECK(document["memory"]["quarantine"][0]["reason"] == "shop-web-1 exited 1");
  CHECK(document["memory"]["kept"][0]["digest"] == id_of('8'));
  CHECK(document["next"]["by_hand"] == "tallyman deploy web --retry-quarantined");

  world.registry.has(k_web, '1');
  const json current = explained_json(world);
  CHECK(current["memory"]["attempts"].is_null());
  CHECK(current["hold"].is_null());
  CHECK(current["next"]["commands"] == json::array());
}

TEST_CASE("explain while the engine is not there") {
  TickWorld world;
  world.engine.fails("observe", {ErrorKind::io, "no Docker Engine listens", "start it"});
  const Explained explained = explain(world);
  CHECK(explained.status == 1);
  CHECK(explained.out ==
        "web: unknown (engine_error)\n"
        "  rule   what runs is not known, so nothing is decided\n"
        "  error  no Docker Engine listens\n"
        "  fix    start it\n"
        "  file   /etc/tallyman/conf.d/web.toml, mode auto\n"
        "  picks  running containers of harbor.lan/shop/web:1\n"
        "  next   every run asks again\n");
}
