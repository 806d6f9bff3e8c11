#include "tallyman/tick/remember.hpp"

#include <doctest/doctest.h>

#include "unit/tick/ticking.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

const std::string k_reference(k_web);

/// Web went from digest #1, image #a, to another one.
Outcome outcome_of(ServiceState state, char hex, char image, const std::string& id) {
  Journal journal{.id = id, .folder = "/state/deployments/" + id, .plan = {}};
  journal.phase = state == ServiceState::updated       ? Phase::committed
                  : state == ServiceState::rolled_back ? Phase::rolled_back
                  : state == ServiceState::failed      ? Phase::failed
                                                       : Phase::abandoned;
  journal.started_at = at("2026-11-22T19:45:14Z");
  journal.finished_at = at("2026-11-22T19:46:00Z");
  journal.plan.parts = {
      {.service = "web", .references = {ref(k_web)}, .from = digest('1'), .to = digest(hex)}};
  journal.plan.images = {{.reference = ref(k_web),
                          .digest = digest(hex),
                          .platform = {"linux", "amd64"},
                          .manifest = digest('7'),
                          .old = {{"shop", id_of('a'), digest('1')}}}};
  journal.images = {{.image_id = id_of(image), .tag_before = id_of('a')}};
  Outcome outcome{.state = state, .reason_code = ReasonCode::deployed};
  if (state != ServiceState::updated) {
    journal.judged = state != ServiceState::pending;
    journal.suspects = {k_reference};
    outcome.reason_code = ReasonCode::unhealthy;
    outcome.error = Error{ErrorKind::process, "shop-web-1 exited"};
  }
  outcome.journal = std::move(journal);
  return outcome;
}

/// What is kept of web, newest first: "a deployed", "b".
Calls kept(const ServiceMemory& web) {
  Calls names;
  for (const KeptImage& image : web.kept) {
    names.push_back(image.image_id.substr(7, 1) + (image.deployed ? " deployed" : ""));
  }
  return names;
}

Calls rollback_tags(const TickWorld& world) {
  Calls tags;
  for (const auto& [name, id] : world.engine.tags) {
    if (contains(name.familiar(), ":tallyman-rollback-")) {
      tags.push_back(id.substr(7, 1));
    }
  }
  return tags;
}

}  // namespace

TEST_CASE("learning the same deployment twice changes nothing") {
  for (const ServiceState state : {ServiceState::updated, ServiceState::rolled_back,
                                   ServiceState::failed, ServiceState::pending}) {
    CAPTURE(to_string(state));
    const Outcome outcome = outcome_of(state, '2', 'b', "20261122T194514Z-web");
    Memory memory;
    memory.services["web"].settled.emplace(k_reference, digest('1'));
    remember_deployment(outcome, memory);
    const std::string once = memory_to_json(memory);
    remember_deployment(outcome, memory);
    CHECK(memory_to_json(memory) == once);
  }
}

TEST_CASE("what is learned of a deployment, by how it ended") {
  struct Row {
    ServiceState state;
    std::size_t settled;  ///< number of entries afterwards
    std::size_t quarantined;
    int count;
    int touched;
    const char* broken;
  };
  const Row rows[] = {
      {ServiceState::updated, 1, 0, 0, 0, ""},
      {ServiceState::rolled_back, 0, 1, 1, 1, ""},
      {ServiceState::failed, 0, 1, 1, 1, "shop-web-1 exited"},
      {ServiceState::pending, 1, 0, 1, 0, "as before"},
  };
  for (const Row& row : rows) {
    CAPTURE(to_string(row.state));
    Memory memory;
    ServiceMemory& web = memory.services["web"];
    web.settled.emplace(k_reference, digest('1'));
    web.broken = "as before";
    remember_deployment(outcome_of(row.state, '2', 'b', "id"), memory);
    CHECK(web.settled.size() == row.settled);
    CHECK(web.quarantined.size() == row.quarantined);
    CHECK(web.attempts.count == row.count);
    CHECK(web.attempts.touched == row.touched);
    CHECK(web.broken == row.broken);
    CHECK(web.last_good.size() == (row.state == ServiceState::updated ? 1 : 0));
    CHECK(web.last_deployment->result == to_string(row.state));
    CHECK(web.last_deployment->log == "/state/deployments/id");
    CHECK((web.last_deployment->finished_at == at("2026-11-22T19:46:00Z")));
  }
}

TEST_CASE("only the images that failed are quarantined, unless it is hopeless") {
  const std::string worker = "harbor.lan/shop/worker:1";
  const auto learned = [&](ServiceState state, int touched_before) {
    Outcome outcome = outcome_of(state, '2', 'b', "id");
    Journal& journal = *outcome.journal;
    journal.plan.parts[0].references.push_back(test::ref(worker));
    journal.plan.images.push_back(
        {.reference = test::ref(worker), .digest = digest('6'), .platform = {"linux", "amd64"}});
    journal.images.push_back({.image_id = id_of('d')});
    Memory memory;
    memory.services["web"].attempts = {
        .digest = digest('2'), .count = touched_before, .touched = touched_before};
    remember_deployment(outcome, memory);
    Calls names;
    for (const Quarantined& entry : memory.services.at("web").quarantined) {
      names.push_back(entry.reference);
    }
    return names;
  };
  CHECK(learned(ServiceState::rolled_back, 0) == Calls{k_reference});
  CHECK(learned(ServiceState::rolled_back, 1) == Calls{k_reference});
  CHECK(learned(ServiceState::rolled_back, 2) == Calls{k_reference, worker});
  CHECK(learned(ServiceState::failed, 0) == Calls{k_reference, worker});
}

TEST_CASE("a refusal is a try that touched nothing") {
  Memory memory;
  const Timestamp now = at("2026-11-22T19:45:14Z");
  remember_refusal("web", digest('2'), now, memory);
  remember_refusal("web", digest('2'), now, memory);
  const FailedAttempts& attempts = memory.services.at("web").attempts;
  CHECK(attempts.count == 2);
  CHECK(attempts.touched == 0);
  CHECK((attempts.last == now));
  remember_refusal("web", digest('3'), now, memory);
  CHECK(attempts.count == 1);
}

TEST_CASE("previous images are kept as the drop-in says, newest first") {
  Ticking world;
  world.config.watches.at(0).rollback.keep = 2;
  // '1' and 'a' were there before tallyman.
  const char deployments[][2] = {{'2', 'b'}, {'3', 'c'}, {'4', 'd'}, {'5', 'e'}};
  const Calls expected[] = {
      {"a"},
      {"b deployed", "a"},
      {"c deployed", "b deployed", "a"},
      {"d deployed", "c deployed", "a"},
  };
  const Calls tags[] = {{"a"}, {"a", "b"}, {"a", "b", "c"}, {"a", "c", "d"}};
  for (std::size_t i = 0; i < std::size(deployments); ++i) {
    CAPTURE(i);
    world.pushes(k_web, deployments[i][0], deployments[i][0], deployments[i][1]);
    check_state(world.next(), ServiceState::updated, ReasonCode::deployed);
    const ServiceMemory web = world.remembered("web");
    CHECK(kept(web) == expected[i]);
    CHECK(rollback_tags(world) == tags[i]);
  }
  const KeptImage newest = world.remembered("web").kept.at(0);
  CHECK(newest.reference == k_web);
  CHECK((newest.digest == digest('4')));
  CHECK(newest.tag == "harbor.lan/shop/web:tallyman-rollback-dddddddddddd");
  CHECK((newest.at == world.remembered("web").last_deployment->finished_at));
}

TEST_CASE("an image that is deployed again is no previous one any more") {
  Ticking world;
  world.pushes_web();
  check_state(world.next(), ServiceState::updated, ReasonCode::deployed);
  world.pushes(k_web, '3', '3', 'c');
  check_state(world.next(), ServiceState::updated, ReasonCode::deployed);
  CHECK(kept(world.remembered("web")) == Calls{"b deployed", "a"});
  world.pushes_web();
  check_state(world.next(), ServiceState::updated, ReasonCode::deployed);
  CHECK(kept(world.remembered("web")) == Calls{"c deployed", "a"});
  CHECK(rollback_tags(world) == Calls{"a", "c"});
}

TEST_CASE("keep = 0 keeps only what tallyman did not bring") {
  Ticking world;
  world.config.watches.at(0).rollback.keep = 0;
  world.pushes_web();
  (void)world.next();
  world.pushes(k_web, '3', '3', 'c');
  (void)world.next();
  CHECK(kept(world.remembered("web")) == Calls{"a"});
  CHECK(rollback_tags(world) == Calls{"a"});
}

TEST_CASE("without rollback nothing is kept") {
  Ticking world;
  world.config.watches.at(0).rollback.enabled = false;
  world.pushes_web();
  check_state(world.next(), ServiceState::updated, ReasonCode::deployed);
  CHECK(world.remembered("web").kept.empty());
  CHECK(rollback_tags(world).empty());
}

TEST_CASE("a rollback keeps what was kept before") {
  Ticking world;
  world.pushes_web();
  check_state(world.next(), ServiceState::updated, ReasonCode::deployed);
  world.pushes(k_web, '3', '3', 'c');
  world.is_bad('c');
  check_state(world.next(), ServiceState::rolled_back, ReasonCode::unhealthy);
  CHECK(kept(world.remembered("web")) == Calls{"a"});
  CHECK(rollback_tags(world) == Calls{"a"});
  CHECK(world.engine.containers.at(0).image_id == id_of('b'));
}
