#include <doctest/doctest.h>

#include "unit/deploy/yard.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

constexpr const char* k_rollback = "harbor.lan/shop/web:tallyman-rollback-";

/// A memory that keeps the image of a rollback tag.
Memory keeping(char id) {
  Memory memory;
  memory.services["web"].kept.push_back({.reference = ref(k_web).str(),
                                         .image_id = id_of(id),
                                         .tag = rollback_reference(ref(k_web), id_of(id)).str()});
  return memory;
}

void close(Yard& yard, const Outcome& outcome, const Memory& memory) {
  yard.calls.clear();
  REQUIRE(yard.deployer.close(*outcome.journal, memory).has_value());
}

}  // namespace

TEST_CASE("closing writes the record and forgets the journal") {
  Yard yard;
  const Outcome outcome = yard.deploy();
  close(yard, outcome, keeping('a'));
  CHECK(yard.journals().empty());
  CHECK(contains(yard.folder.read("state/deployments/" + outcome.journal->id + "/record.json"),
                 "\"result\": \"updated\""));
  CHECK(yard.asked() == Calls{"observe"});
  CHECK(yard.tag_of(k_rollback + std::string(12, 'a')) == "#a");
}

TEST_CASE("closing removes the rollback tags that nobody keeps, of these repositories alone") {
  Yard yard;
  yard.has_image("harbor.lan/shop/api:tallyman-rollback-dddddddddddd", '4', 'd');
  yard.has_image(k_rollback + std::string(12, 'c'), '3', 'c');
  yard.has_image("harbor.lan/shop/web:mine", '5', 'e');
  const Outcome outcome = yard.deploy();
  close(yard, outcome, keeping('a'));
  CHECK(yard.asked("remove") ==
        Calls{"remove image harbor.lan/shop/web:tallyman-rollback-cccccccccccc"});
}

TEST_CASE("closing without anything to keep removes the tag of what ran") {
  Yard yard;
  const Outcome outcome = yard.deploy();
  close(yard, outcome, {});
  CHECK(yard.asked("remove") ==
        Calls{"remove image harbor.lan/shop/web:tallyman-rollback-aaaaaaaaaaaa"});
}

TEST_CASE("an image that failed is removed if it came with this deployment") {
  struct Row {
    const char* what;
    bool was_here;
    bool judged;
    bool removed;
  };
  const Row rows[] = {
      {"it came, and failed", false, true, true},
      {"it was here before", true, true, false},
      {"it came, and something else failed", false, false, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Yard yard;
    if (row.was_here) {
      yard.has_image("harbor.lan/shop/web:next", '2', 'b');
    }
    if (row.judged) {
      yard.is_unhealthy('b');
    } else {
      yard.fail_at(Phase::verify, true);
    }
    const Outcome outcome = yard.deploy();
    check(outcome, ServiceState::rolled_back,
          row.judged ? ReasonCode::unhealthy : ReasonCode::recreate_failed);
    close(yard, outcome, keeping('a'));
    CHECK(yard.asked("remove") == (row.removed ? Calls{"remove image #b"} : Calls{}));
    CHECK(yard.engine.images.contains(id_of('b')) != row.removed);
  }
}

TEST_CASE("a new image that runs is not removed, even where it failed") {
  Yard yard;
  yard.plan.parts[0].rollback.enabled = false;
  yard.is_unhealthy('b');
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::failed, ReasonCode::unhealthy);
  close(yard, outcome, keeping('a'));
  CHECK(yard.asked("remove").empty());
}

TEST_CASE("images that cannot be removed only take up space") {
  Yard yard;
  const Outcome outcome = yard.deploy();
  yard.engine.fails("remove", {ErrorKind::transient, "in use"});
  close(yard, outcome, {});
  CHECK(yard.journals().empty());

  Yard blind;
  const Outcome unseen = blind.deploy();
  blind.engine.fails("observe", {ErrorKind::transient, "no engine"});
  close(blind, unseen, {});
  CHECK(blind.journals().empty());
}

TEST_CASE("a record that cannot be written leaves the journal") {
  Yard yard;
  const Outcome outcome = yard.deploy();
  REQUIRE(std::filesystem::create_directories(outcome.journal->folder + "/record.json/in-its-way"));
  const Error error = error_of(yard.deployer.close(*outcome.journal, keeping('a')));
  CHECK(contains(error.message, outcome.journal->folder + "/record.json"));
  CHECK(yard.journals().size() == 1);
}

TEST_CASE("a journal that is closed by the next start after a kill is closed once") {
  Yard yard;
  const Outcome outcome = yard.deploy();
  yard.kill_at(Phase::committed, true);
  CHECK_THROWS_AS((void)yard.deployer.close(*outcome.journal, keeping('a')), Killed);
  const Outcome again = yard.recover_one();
  check(again, ServiceState::updated, ReasonCode::deployed);
  CHECK(yard.asked().empty());
  CHECK((again.journal->finished_at == outcome.journal->finished_at));
  close(yard, again, keeping('a'));
  CHECK(yard.recover().empty());
}
