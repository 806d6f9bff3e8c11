#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "support/temp_folder.hpp"
#include "tallyman/io/files.hpp"
#include "tallyman/state/state_directory.hpp"
#include "unit/state/journals.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

const Timestamp k_now = at("2026-11-22T19:45:14.900Z");

/// A state folder that is there.
struct State {
  TempFolder folder;
  StateDirectory directory{folder.path()};

  void save(const std::string& id) const {
    REQUIRE(directory.save_journal(full_journal(id)).has_value());
  }
  void close(const std::string& id) const {
    REQUIRE(directory.close_journal(full_journal(id)).has_value());
  }
  [[nodiscard]] Calls open() const {
    Calls ids;
    for (const Journal& journal : value_of(directory.open_journals())) {
      ids.push_back(journal.id);
    }
    return ids;
  }
  [[nodiscard]] Calls names(const std::string& path = "deployments") const {
    return value_of(list_directory(folder / path));
  }
};

mode_t mode_of(const std::string& path) {
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

}  // namespace

TEST_CASE("a journal is kept for its owner alone, in a folder of its own") {
  const State state;
  CHECK(state.open().empty());
  state.save("20261122T194514Z-web");
  const std::string folder = state.directory.deployment_folder("20261122T194514Z-web");
  CHECK(folder == state.folder / "deployments/20261122T194514Z-web");
  CHECK(mode_of(folder) == 0700);
  CHECK(mode_of(folder + "/journal.json") == 0600);
  CHECK(state.names("deployments/20261122T194514Z-web") == Calls{"journal.json"});
  CHECK(state.open() == Calls{"20261122T194514Z-web"});
  CHECK(journal_to_json(value_of(state.directory.open_journals()).at(0)) ==
        journal_to_json(full_journal()));
}

TEST_CASE("a journal that is saved again takes the place of the one before") {
  const State state;
  state.save("a");
  Journal journal = full_journal("a");
  journal.phase = Phase::rolled_back;
  REQUIRE(state.directory.save_journal(journal).has_value());
  const auto journals = value_of(state.directory.open_journals());
  REQUIRE(journals.size() == 1);
  CHECK(to_string(journals[0].phase) == "rolled_back");
}

TEST_CASE("journals that were left open come oldest first, without those that are closed") {
  const State state;
  state.save("20261122T194514Z-web");
  state.save("20261121T000000Z-worker");
  state.save("20261122T194513Z-zoo");
  state.save("20261122T194514Z-web.2");
  state.close("20261122T194513Z-zoo");
  CHECK(state.open() ==
        Calls{"20261121T000000Z-worker", "20261122T194514Z-web", "20261122T194514Z-web.2"});
}

TEST_CASE("what is no deployment in its folder stops nobody") {
  const State state;
  state.save("20261122T194514Z-web");
  state.folder.write("deployments/note.txt", "mine");
  REQUIRE(std::filesystem::create_directory(state.folder / "deployments/empty"));
  CHECK(state.open() == Calls{"20261122T194514Z-web"});
}

TEST_CASE("a journal that cannot be understood is an error that names it and a way out") {
  for (const char* text : {"", "{", "[]", "{\"schema\": 2}"}) {
    CAPTURE(text);
    const State state;
    state.save("20261121T000000Z-good");
    state.save("20261122T194514Z-web");
    const std::string path = "deployments/20261122T194514Z-web/journal.json";
    state.folder.write(path, text);
    const Error error = error_of(state.directory.open_journals());
    CHECK(error.kind == ErrorKind::protocol);
    CHECK(error.message.starts_with((state.folder / path) + ": "));
    CHECK(contains(error.remedy, "move the file away"));
    CHECK(state.folder.read(path) == text);
  }
}

TEST_CASE("a journal that is no file, or a folder that cannot be listed, is an error") {
  const State state;
  REQUIRE(std::filesystem::create_directories(state.folder / "deployments/web/journal.json"));
  CHECK(contains(error_of(state.directory.open_journals()).message,
                 state.folder / "deployments/web/journal.json"));

  const TempFolder other;
  other.write("deployments", "");
  CHECK(contains(error_of(StateDirectory(other.path()).open_journals()).message,
                 other / "deployments"));
}

TEST_CASE("a journal that cannot be written is an error that names the folder") {
  const TempFolder folder;
  const StateDirectory state(folder.write("state", ""));
  CHECK(contains(error_of(state.save_journal(full_journal())).message, folder / "state"));
  CHECK(contains(error_of(state.save_evidence("x", "y", "z")).message, folder / "state"));
  CHECK(contains(error_of(state.close_journal(full_journal())).message, folder / "state"));
}

TEST_CASE("an id says when and for whom, and no deployment has had it") {
  const State state;
  CHECK(state.directory.new_deployment_id(k_now, "web") == "20261122T194514Z-web");
  std::set<std::string> ids;
  for (int i = 0; i < 12; ++i) {
    const std::string id = state.directory.new_deployment_id(k_now, "web");
    CHECK(ids.insert(id).second);
    state.save(id);
    if (i % 2 == 0) {
      state.close(id);  // its record is still there
    }
  }
  CHECK(ids.contains("20261122T194514Z-web.2"));
  CHECK(state.directory.new_deployment_id(k_now, "worker") == "20261122T194514Z-worker");
}

TEST_CASE("closing writes a record without secrets and forgets the journal") {
  const State state;
  state.save("a");
  REQUIRE(state.directory.save_evidence("a", "shop-web-1", "its log").has_value());
  CHECK(contains(state.folder.read("deployments/a/journal.json"), k_secret));
  state.close("a");
  CHECK(state.open().empty());
  CHECK(state.names("deployments/a") == Calls{"record.json", "shop-web-1.txt"});
  CHECK(mode_of(state.folder / "deployments/a/record.json") == 0600);
  CHECK(state.folder.read("deployments/a/record.json") ==
        record_to_json(past_of(full_journal("a"))));
  CHECK_FALSE(contains(state.folder.read("deployments/a/record.json"), k_secret));
  state.close("a");  // again, after a kill
  CHECK(state.names("deployments/a") == Calls{"record.json", "shop-web-1.txt"});
}

TEST_CASE("a record that cannot be written leaves the journal") {
  const State state;
  state.save("a");
  REQUIRE(std::filesystem::create_directories(state.folder / "deployments/a/record.json/x"));
  CHECK(contains(error_of(state.directory.close_journal(full_journal("a"))).message,
                 state.folder / "deployments/a/record.json"));
  CHECK(state.open() == Calls{"a"});
}

TEST_CASE("only so many records stay, and what is open is never removed") {
  const State state;
  const auto id = [](std::size_t i) { return fmt::format("20261122T{:06}Z-web", i); };
  constexpr std::size_t k_open = 3;
  for (std::size_t i = 0; i < StateDirectory::k_most_records + 9; ++i) {
    REQUIRE(std::filesystem::create_directories(state.directory.deployment_folder(id(i))));
    state.folder.write("deployments/" + id(i) + "/record.json", "{}");
  }
  state.save(id(k_open));
  const std::string newest = id(StateDirectory::k_most_records + 9);
  state.save(newest);
  state.close(newest);
  const Calls names = state.names();
  CHECK(names.size() == StateDirectory::k_most_records + 1);  // and the open one
  CHECK(names.front() == id(k_open));
  CHECK(names.back() == newest);
  CHECK(state.open() == Calls{id(k_open)});
}

TEST_CASE("what is no deployment does not stop one from being closed") {
  const State state;
  for (std::size_t i = 0; i <= StateDirectory::k_most_records; ++i) {
    REQUIRE(std::filesystem::create_directories(
        state.directory.deployment_folder(fmt::format("20261122T{:06}Z-web", i))));
  }
  state.folder.write("deployments/.note", "mine");
  state.save("20261123T000000Z-web");
  CHECK(state.directory.close_journal(full_journal("20261123T000000Z-web")).has_value());
  CHECK(state.open().empty());
}

TEST_CASE("evidence is named after what it is of, for its owner alone") {
  struct Row {
    const char* name;
    const char* file;
  };
  const Row rows[] = {
      {"shop-web-1", "shop-web-1.txt"},
      {"Shop_Web.1", "Shop_Web.1.txt"},
      {"../../etc/passwd", ".._.._etc_passwd.txt"},
      {"a b\nc", "a_b_c.txt"},
      {"caf\xc3\xa9", "caf__.txt"},
      {"", ".txt"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const State state;
    REQUIRE(state.directory.save_evidence("a", row.name, "text\xff").has_value());
    CHECK(state.names("deployments/a") == Calls{row.file});
    const std::string path = std::string("deployments/a/") + row.file;
    CHECK(state.folder.read(path) == "text\xff");
    CHECK(mode_of(state.folder / path) == 0600);
    CHECK(mode_of(state.folder / "deployments/a") == 0700);
  }
}

TEST_CASE("evidence alone is no open deployment") {
  const State state;
  REQUIRE(state.directory.save_evidence("a", "shop-web-1", "text").has_value());
  CHECK(state.open().empty());
}
