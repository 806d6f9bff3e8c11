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
                                         .finished_at = at("2026-11-20T00:00:07Z")};
  web.pending_since = at("2026-11-21T00:00:00Z");
  web.consecutive_failures = 3;
  memory.services["caf\u00e9 \"quoted\""].last_deployment =
      DeploymentRecord{.id = "x", .result = "failed", .from = std::nullopt, .to = std::nullopt};
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
}

void check_same(const ServiceMemory& a, const ServiceMemory& b) {
  CHECK((a.last_good == b.last_good));
  CHECK((a.deployed_at == b.deployed_at));
  CHECK((a.pending_since == b.pending_since));
  CHECK(a.consecutive_failures == b.consecutive_failures);
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
      "odd": []
    },
    "of a later version": {"deep": [[[1]]]}
  })");
  REQUIRE(memory.seen.size() == 1);
  CHECK((memory.seen.at("good").digest == digest('1')));
  CHECK((memory.seen.at("good").at == Timestamp{}));
  REQUIRE(memory.equivalent.size() == 1);
  CHECK((memory.equivalent.begin()->first == digest('2')));

  REQUIRE(memory.services.size() == 3);
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
