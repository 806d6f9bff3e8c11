#include "tallyman/state/hold_store.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "support/temp_folder.hpp"
#include "support/values.hpp"
#include "tallyman/state/state_directory.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

const Timestamp k_now = at("2026-11-22T19:45:14Z");

Hold hold_of(std::string by, Timestamp moment = k_now) {
  return {.reason = "exam week", .by = std::move(by), .at = moment};
}

struct Stored {
  TempFolder folder;
  HoldStore store{folder / "state/holds"};

  [[nodiscard]] Hold held(const ServiceName& name) const {
    const auto holds = value_of(store.load());
    REQUIRE(holds.contains(name));
    return value_of(holds.at(name));
  }
  [[nodiscard]] std::size_t count() const { return value_of(store.load()).size(); }
};

}  // namespace

TEST_CASE("a hold that was put is there, with all that was said") {
  const Stored stored;
  Hold hold = hold_of("anna");
  hold.until = at("2026-12-01T08:00:00Z");
  hold.command = "rollback";
  REQUIRE(stored.store.put("web", hold).has_value());
  const Hold there = stored.held("web");
  CHECK(there.reason == "exam week");
  CHECK((there.until == hold.until));
  CHECK(there.by == "anna");
  CHECK(there.command == "rollback");
  CHECK((there.at == k_now));
}

TEST_CASE("holds are nobody's business but root's, and leave nothing else behind") {
  const Stored stored;
  REQUIRE(stored.store.put("web", hold_of("anna")).has_value());
  struct stat status{};
  REQUIRE(::stat((stored.folder / "state/holds/web.json").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  REQUIRE(::stat((stored.folder / "state/holds").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0700);
}

TEST_CASE("without a folder nothing is held") {
  CHECK(Stored().count() == 0);
}

TEST_CASE("the last hold counts, and a release ends it, once") {
  const Stored stored;
  REQUIRE(stored.store.put("web", hold_of("anna")).has_value());
  REQUIRE(stored.store.put("web", hold_of("bert")).has_value());
  CHECK(stored.held("web").by == "bert");
  const auto removed = value_of(stored.store.remove("web"));
  REQUIRE(removed.has_value());
  CHECK(value_of(*removed).by == "bert");
  CHECK_FALSE(value_of(stored.store.remove("web")).has_value());
  CHECK(stored.count() == 0);
}

TEST_CASE("a deployment's own hold does not take the place of a later one") {
  const Stored stored;
  REQUIRE(stored.store.put("web", hold_of("anna", k_now)).has_value());
  REQUIRE(stored.store.put_unless_changed_since(k_now, "web", hold_of("bert")).has_value());
  CHECK(stored.held("web").by == "bert");
  const Timestamp later = k_now + std::chrono::seconds(1);
  REQUIRE(stored.store.put("web", hold_of("carla", later)).has_value());
  REQUIRE(stored.store.put_unless_changed_since(k_now, "web", hold_of("bert")).has_value());
  CHECK(stored.held("web").by == "carla");
}

TEST_CASE("only what is over is tidied up") {
  const Stored stored;
  Hold hold = hold_of("anna");
  hold.until = k_now + std::chrono::hours(1);
  REQUIRE(stored.store.put("web", hold).has_value());
  REQUIRE(stored.store.tidy("web", k_now).has_value());
  CHECK(stored.count() == 1);
  REQUIRE(stored.store.tidy("web", *hold.until).has_value());
  CHECK(stored.count() == 0);
  REQUIRE(stored.store.tidy("web", *hold.until).has_value());
}

TEST_CASE("a hold that cannot be understood is an error that says how to get rid of it") {
  const char* const texts[] = {
      "",
      "{",
      "[]",
      "{}",
      R"({"schema":2})",
      R"({"schema":1,"reason":"","until":null,"by":"anna"})",
      R"({"schema":1,"reason":"","until":7,"by":"anna","at":"2026-11-22T19:45:14Z"})",
      R"({"schema":1,"reason":"","until":null,"by":"anna","at":"soon"})"};
  for (const char* text : texts) {
    CAPTURE(text);
    const Stored stored;
    REQUIRE(stored.store.put("web", hold_of("anna")).has_value());
    stored.folder.write("state/holds/web.json", text);
    const auto holds = value_of(stored.store.load());
    REQUIRE(holds.contains("web"));
    const Error error = error_of(holds.at("web"));
    CHECK(contains(error.message, "holds/web.json"));
    CHECK(contains(error.remedy, "tallyman release web"));
    const auto removed = value_of(stored.store.remove("web"));
    REQUIRE(removed.has_value());
    CHECK_FALSE(removed->has_value());
    CHECK(stored.count() == 0);
  }
}

TEST_CASE("a folder that cannot be read is an error: nobody knows what is held") {
  const Stored stored;
  REQUIRE(::mkdir((stored.folder / "state").c_str(), 0700) == 0);
  stored.folder.write("state/holds", "");
  CHECK_FALSE(stored.store.load().has_value());
  CHECK_FALSE(stored.store.put("web", hold_of("anna")).has_value());
  CHECK_FALSE(StateDirectory(stored.folder / "state").load_memory().has_value());
}

TEST_CASE("memory comes with what is held, and is saved without") {
  const TempFolder folder;
  const StateDirectory state(folder / "state");
  REQUIRE(state.holds().put("web", hold_of("anna")).has_value());
  Memory memory = value_of(state.load_memory());
  CHECK(value_of(memory.holds.at("web")).by == "anna");
  REQUIRE(state.save_memory(memory).has_value());
  CHECK_FALSE(contains(folder.read("state/memory.json"), "anna"));
  CHECK(value_of(state.load_memory()).holds.size() == 1);
}

TEST_CASE("many at once: every file is whole at any time, and nobody fails") {
  const Stored stored;
  std::vector<std::thread> people;
  std::atomic<int> failures = 0;
  for (int person = 0; person < 8; ++person) {
    people.emplace_back([&, person] {
      for (int i = 0; i < 25; ++i) {
        const bool done =
            (i + person) % 3 == 0
                ? stored.store.remove("web").has_value()
                : stored.store.put("web", hold_of(std::to_string(person))).has_value();
        const auto holds = stored.store.load();
        const bool whole = holds && (!holds->contains("web") || holds->at("web").has_value());
        failures += done && whole ? 0 : 1;
      }
    });
  }
  for (std::thread& person : people) {
    person.join();
  }
  CHECK(failures == 0);
  REQUIRE(stored.store.put("web", hold_of("last")).has_value());
  CHECK(stored.held("web").by == "last");
}

TEST_CASE("a reason is one line of text that is not too long") {
  CHECK(check_hold_reason("").has_value());
  CHECK(check_hold_reason("Prüfungswoche: bis Montag").has_value());
  CHECK(check_hold_reason(std::string(k_longest_hold_reason, 'a')).has_value());
  const std::string bad[] = {std::string(k_longest_hold_reason + 1, 'a'), "two\nlines", "a\tb",
                             "\x1b[31mred", "\xff\xfe"};
  for (const std::string& reason : bad) {
    CAPTURE(reason);
    CHECK(error_of(check_hold_reason(reason)).kind == ErrorKind::config);
  }
}
