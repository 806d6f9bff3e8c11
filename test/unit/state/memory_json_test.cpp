#include <doctest/doctest.h>

#include "support/values.hpp"
#include "tallyman/state/state_directory.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

Memory rich_memory() {
  Memory memory;
  memory.seen.emplace("harbor.lan/shop/web:1",
                      Memory::Seen{digest('1'), at("2026-11-22T19:45:14.250Z")});
  memory.seen.emplace("docker.io/library/nginx:1", Memory::Seen{digest('2'), {}});
  memory.equivalent.emplace(digest('3'), id_of('a'));
  memory.equivalent.emplace(digest('3'), id_of('b'));
  ServiceMemory& web = memory.services["web"];
  web.last_good = {{"harbor.lan/shop/web:1", digest('1')}, {"harbor.lan/shop/db:1", digest('4')}};
  web.deployed_at = at("2026-11-20T00:00:00Z");
  web.last_deployment = DeploymentRecord{.id = "2026-11-20T00:00:00Z",
                                         .result = "updated",
                                         .from = digest('5'),
                                         .to = digest('1'),
                                         .finished_at = at("2026-11-20T00:00:07Z"),
                                         .log = "/var/lib/tallyman/deployments/x"};
  web.pending_since = at("2026-11-21T00:00:00Z");
  web.consecutive_failures = 3;
  web.settled = {{"harbor.lan/shop/web:1", digest('6')}};
  web.attempts = {digest('2'), 4, 1, at("2026-11-22T19:00:00Z"), true};
  web.candidates = {{"harbor.lan/shop/web:1", {digest('2'), 3}},
                    {"harbor.lan/shop/db:1", {digest('4'), 1}}};
  web.broken = "shop-web-1 exited with status 1";
  web.quarantined = {
      {"harbor.lan/shop/web:1", digest('7'), digest('8'), "it exited", at("2026-11-22T18:00:00Z")},
      {"harbor.lan/shop/web:2", digest('9'), std::nullopt, "", {}}};
  web.kept = {
      {"harbor.lan/shop/web:1", id_of('a'), digest('1'),
       "harbor.lan/shop/web:tallyman-rollback-aaaaaaaaaaaa", true, at("2026-11-22T17:00:00Z")},
      {"harbor.lan/shop/web:1",
       id_of('b'),
       std::nullopt,
       "harbor.lan/shop/web:tallyman-rollback-bbbbbbbbbbbb",
       false,
       {}}};
  web.models[{"shop", "web"}] = {
      .applied = {"2.26.1", "hash", {"settings", {{"/srv/web/.env", "1.5 7 9"}, {"/x", ""}}}},
      .label = "label",
      .at = at("2026-11-22T16:00:00Z"),
      .changed =
          ServiceModels::Changed{{"1.29.2", "other", {"more", {}}}, at("2026-11-22T16:30:00Z")}};
  web.models[{"shop", "db"}] = {.applied = {"2.26.1", "db", {}}};
  memory.services["caf\u00e9 \"quoted\""].last_deployment =
      DeploymentRecord{.id = "x", .result = "failed", .from = std::nullopt, .to = std::nullopt};
  RegistryMemory& hub = memory.registries["docker.io"];
  hub.token_service = {"https://auth.lan/token", "registry", at("2026-11-22T19:00:00Z")};
  hub.rate_limit = {100, 76, std::chrono::seconds(21600)};
  hub.not_before = at("2026-11-22T20:00:00Z");
  hub.single_tokens_since = at("2026-11-22T19:30:00Z");
  memory.registries["harbor.lan"] = {};
  memory.asked = {"harbor.lan/shop/web:1", "docker.io/library/nginx:1"};
  return memory;
}

Memory parsed(const std::string& text) {
  auto memory = parse_memory(text);
  REQUIRE_MESSAGE(memory.has_value(), (memory ? "" : memory.error().message));
  return std::move(*memory);
}

void check_same(const DeploymentRecord& a, const DeploymentRecord& b) {
  CHECK(a.id == b.id);
  CHECK(a.result == b.result);
  CHECK((a.from == b.from));
  CHECK((a.to == b.to));
  CHECK((a.finished_at == b.finished_at));
  CHECK(a.log == b.log);
}

void check_same(const Quarantined& a, const Quarantined& b) {
  CHECK(a.reference == b.reference);
  CHECK((a.digest == b.digest));
  CHECK((a.manifest == b.manifest));
  CHECK(a.reason == b.reason);
  CHECK((a.at == b.at));
}

void check_same(const KeptImage& a, const KeptImage& b) {
  CHECK(a.reference == b.reference);
  CHECK(a.image_id == b.image_id);
  CHECK((a.digest == b.digest));
  CHECK(a.tag == b.tag);
  CHECK(a.deployed == b.deployed);
  CHECK((a.at == b.at));
}

template <class Entry>
void check_same(const std::vector<Entry>& a, const std::vector<Entry>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    check_same(a[i], b[i]);
  }
}

void check_same(const ComposeModel& a, const ComposeModel& b) {
  CHECK(a.made_by == b.made_by);
  CHECK(a.hash == b.hash);
  CHECK((a.inputs == b.inputs));
}

void check_same(const ModelMemory& a, const ModelMemory& b) {
  REQUIRE(a.size() == b.size());
  for (const auto& [key, models] : a) {
    REQUIRE(b.contains(key));
    check_same(models.applied, b.at(key).applied);
    CHECK(models.label == b.at(key).label);
    CHECK((models.at == b.at(key).at));
    REQUIRE(models.changed.has_value() == b.at(key).changed.has_value());
    if (models.changed) {
      check_same(models.changed->model, b.at(key).changed->model);
      CHECK((models.changed->since == b.at(key).changed->since));
    }
  }
}

void check_same(const ServiceMemory& a, const ServiceMemory& b) {
  CHECK((a.last_good == b.last_good));
  CHECK((a.deployed_at == b.deployed_at));
  CHECK((a.pending_since == b.pending_since));
  CHECK(a.consecutive_failures == b.consecutive_failures);
  CHECK((a.settled == b.settled));
  CHECK((a.attempts.digest == b.attempts.digest));
  CHECK(a.attempts.count == b.attempts.count);
  CHECK(a.attempts.touched == b.attempts.touched);
  CHECK((a.attempts.last == b.attempts.last));
  CHECK(a.attempts.mirror_lags == b.attempts.mirror_lags);
  REQUIRE(a.candidates.size() == b.candidates.size());
  for (const auto& [reference, candidate] : a.candidates) {
    CAPTURE(reference);
    REQUIRE(b.candidates.contains(reference));
    CHECK((b.candidates.at(reference).digest == candidate.digest));
    CHECK(b.candidates.at(reference).checks == candidate.checks);
  }
  CHECK(a.broken == b.broken);
  check_same(a.quarantined, b.quarantined);
  check_same(a.kept, b.kept);
  check_same(a.models, b.models);
  REQUIRE(a.last_deployment.has_value() == b.last_deployment.has_value());
  if (a.last_deployment) {
    check_same(*a.last_deployment, *b.last_deployment);
  }
}

}  // namespace

TEST_CASE("memory goes to its text and back without a loss") {
  const Memory before = rich_memory();
  const std::string text = memory_to_json(before);
  CHECK(text.ends_with("}\n"));
  const Memory after = parsed(text);

  REQUIRE(after.seen.size() == before.seen.size());
  for (const auto& [reference, seen] : before.seen) {
    CAPTURE(reference);
    REQUIRE(after.seen.contains(reference));
    CHECK((after.seen.at(reference).digest == seen.digest));
    CHECK((after.seen.at(reference).at == seen.at));
  }
  CHECK((after.equivalent == before.equivalent));
  REQUIRE(after.services.size() == before.services.size());
  for (const auto& [name, service] : before.services) {
    CAPTURE(name);
    REQUIRE(after.services.contains(name));
    check_same(after.services.at(name), service);
  }
  REQUIRE(after.registries.size() == 2);
  const RegistryMemory& hub = after.registries.at("docker.io");
  REQUIRE(hub.token_service.has_value());
  CHECK(hub.token_service->realm == "https://auth.lan/token");
  CHECK(hub.token_service->service == "registry");
  CHECK((hub.token_service->at == at("2026-11-22T19:00:00Z")));
  REQUIRE(hub.rate_limit.has_value());
  CHECK(hub.rate_limit->limit == 100);
  CHECK(hub.rate_limit->remaining == 76);
  CHECK(hub.rate_limit->window.count() == 21600);
  CHECK((hub.not_before == at("2026-11-22T20:00:00Z")));
  CHECK((hub.single_tokens_since == at("2026-11-22T19:30:00Z")));
  CHECK_FALSE(after.registries.at("harbor.lan").token_service.has_value());
  CHECK((after.asked == before.asked));
  CHECK(memory_to_json(after) == text);
}

TEST_CASE("an empty memory goes to its text and back") {
  const Memory memory = parsed(memory_to_json(Memory{}));
  CHECK(memory.seen.empty());
  CHECK(memory.equivalent.empty());
  CHECK(memory.services.empty());
}

TEST_CASE("a name that is not UTF-8 does not stop the memory from being written") {
  Memory memory;
  memory.services["we\xff"].consecutive_failures = 1;
  CHECK(parsed(memory_to_json(memory)).services.size() == 1);
}

TEST_CASE("what has the wrong type in a memory is left out, the rest stays") {
  const Memory memory = parsed(R"({
    "schema": 1,
    "seen": {"good": {"digest": ")" +
                               id_of('1') + R"(", "at": 7},
             "no digest": {"digest": "sha256:12", "at": null},
             "no object": 5, "null": null},
    "equivalent": [null, 7, {"digest": 3}, {"digest": ")" +
                               id_of('2') + R"(", "image_id": "x"}],
    "services": {
      "web": {"last_good": ["a"], "deployed_at": "yesterday", "pending_since": 3,
              "consecutive_failures": "many", "last_deployment": "none"},
      "api": {"last_good": {"a": 5, "b": ")" +
                               id_of('3') + R"("},
              "last_deployment": {"id": 5, "result": null, "from": "x", "to": [], "finished_at": ""}},
      "bad": {"settled": 3, "attempts": [1], "candidates": [1], "broken": 7, "quarantined": {"digest": "x"},
              "kept": "all", "models": "none"},
      "half": {"attempts": {"digest": 1, "count": "x", "touched": null, "last": 5, "mirror_lags": 1},
               "candidates": {"a": null, "b": {"digest": "x", "checks": 1}, "c": {"checks": 1},
                              "d": {"digest": ")" +
                               id_of('5') + R"(", "checks": 0}, "e": {"digest": ")" + id_of('5') +
                               R"(", "checks": 2000000000}},
               "quarantined": [null, {"digest": "x"}, {"digest": ")" +
                               id_of('4') + R"(", "manifest": 5, "at": "never"}],
               "kept": [null, {"deployed": "yes"}],
               "models": [null, {"project": "p", "service": "s", "applied": 3, "changed": {"hash": 5, "files": {"a": 1}}}]},
      "odd": []
    },
    "of a later version": {"deep": [[[1]]]}
  })");
  REQUIRE(memory.seen.size() == 1);
  CHECK((memory.seen.at("good").digest == digest('1')));
  CHECK((memory.seen.at("good").at == Timestamp{}));
  REQUIRE(memory.equivalent.size() == 1);
  CHECK((memory.equivalent.begin()->first == digest('2')));

  REQUIRE(memory.services.size() == 5);
  const ServiceMemory& bad = memory.services.at("bad");
  CHECK(bad.settled.empty());
  CHECK(bad.attempts.count == 0);
  CHECK(bad.candidates.empty());
  CHECK(bad.broken.empty());
  CHECK(bad.quarantined.empty());
  CHECK(bad.kept.empty());
  CHECK(bad.models.empty());
  const ServiceMemory& half = memory.services.at("half");
  CHECK_FALSE(half.attempts.digest.has_value());
  CHECK(half.attempts.count == 0);
  CHECK_FALSE(half.attempts.mirror_lags);
  REQUIRE(half.candidates.size() == 1);
  CHECK(half.candidates.at("e").checks == k_most_stable_checks);
  REQUIRE(half.quarantined.size() == 1);
  CHECK((half.quarantined[0].digest == digest('4')));
  CHECK_FALSE(half.quarantined[0].manifest.has_value());
  for (const KeptImage& kept : half.kept) {
    CHECK(kept.tag.empty());  // so it keeps nothing
    CHECK_FALSE(kept.deployed);
  }

  REQUIRE(half.models.contains({"p", "s"}));
  CHECK(half.models.at({"p", "s"}).applied.hash.empty());
  CHECK(half.models.at({"p", "s"}).latest().inputs.files.at("a").empty());

  const ServiceMemory& web = memory.services.at("web");
  CHECK(web.last_good.empty());
  CHECK_FALSE(web.deployed_at.has_value());
  CHECK_FALSE(web.pending_since.has_value());
  CHECK(web.consecutive_failures == 0);
  CHECK_FALSE(web.last_deployment.has_value());
  const ServiceMemory& api = memory.services.at("api");
  REQUIRE(api.last_good.size() == 1);
  CHECK((api.last_good.at("b") == digest('3')));
  REQUIRE(api.last_deployment.has_value());
  CHECK_FALSE(api.last_deployment->from.has_value());
}

TEST_CASE("a memory whose parts have the wrong type is an empty one") {
  const Memory memory =
      parsed(R"({"schema": 1, "seen": [], "equivalent": {"digest": 1}, "services": "web"})");
  CHECK(memory.seen.empty());
  CHECK(memory.equivalent.empty());
  CHECK(memory.services.empty());
}
