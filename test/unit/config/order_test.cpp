#include <doctest/doctest.h>

#include "unit/config/support.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

/// Writes drop-ins with an image and this `after`: {"web", "db, cache"}.
void write(const ConfigFolder& folder,
           const std::vector<std::pair<std::string, std::string>>& all) {
  for (const auto& [name, after] : all) {
    folder.drop_in(name + ".toml", "image = \"harbor.lan/shop/" + name + ":1\"\n" +
                                       (after.empty() ? "" : "after = [" + after + "]\n"));
  }
}

/// "web: after: …" of each that is broken
std::string broken_of(const Config& config) {
  std::string result;
  for (const BrokenDropIn& broken : config.broken) {
    for (const Problem& problem : broken.problems) {
      result +=
          (result.empty() ? "" : "\n") + broken.name + ": " + problem.key + ": " + problem.message;
    }
  }
  return result;
}

}  // namespace

TEST_CASE("drop-ins are deployed after others") {
  const ConfigFolder folder;
  write(folder, {{"api", R"("db", "cache")"}, {"cache", ""}, {"db", ""}, {"web", R"("api")"}});
  const auto config = folder.load();
  REQUIRE(config.has_value());
  CHECK(broken_of(*config).empty());
  CHECK(config->watches.at(0).after == std::vector<std::string>{"db", "cache"});
  CHECK(config->watches.at(1).after.empty());
  CHECK(config->watches.at(3).after == std::vector<std::string>{"api"});
}

TEST_CASE("a predecessor that is not there, and circles, are mistakes of those that name them") {
  struct Row {
    std::vector<std::pair<std::string, std::string>> drop_ins;
    std::string broken;
  };
  const Row rows[] = {
      {{{"web", R"("databse")"}, {"database", ""}},
       "web: after: conf.d has no databse.toml; did you mean \"database\"?"},
      {{{"web", R"("zookeeper")"}, {"db", ""}}, "web: after: conf.d has no zookeeper.toml"},
      {{{"web", R"("db")"}, {"db", R"("web")"}},
       "db: after: a circle, each waits for the next one: db -> web -> db\n"
       "web: after: a circle, each waits for the next one: web -> db -> web"},
      {{{"a", R"("b")"}, {"b", R"("c")"}, {"c", R"("a")"}, {"d", R"("a")"}, {"e", ""}},
       "a: after: a circle, each waits for the next one: a -> b -> c -> a\n"
       "b: after: a circle, each waits for the next one: b -> c -> a -> b\n"
       "c: after: a circle, each waits for the next one: c -> a -> b -> c"},
      {{{"a", R"("b", "c")"}, {"b", R"("d")"}, {"c", R"("d")"}, {"d", ""}}, ""},
  };
  for (const Row& row : rows) {
    const ConfigFolder folder;
    write(folder, row.drop_ins);
    const auto config = folder.load();
    REQUIRE(config.has_value());
    CHECK(broken_of(*config) == row.broken);
    CHECK(config->watches.size() + config->broken.size() == row.drop_ins.size());
  }
}

TEST_CASE("a predecessor that is broken is there all the same") {
  const ConfigFolder folder;
  write(folder, {{"web", R"("db")"}});
  folder.drop_in("db.toml", "imge = 1");
  const auto config = folder.load();
  REQUIRE(config.has_value());
  REQUIRE(config->broken.size() == 1);
  CHECK(config->broken.at(0).name == "db");
}

TEST_CASE("what after may be") {
  const std::string image = "image = \"harbor.lan/shop/web:1\"\n";
  CHECK(mistakes_of(image + "after = [\"web\"]") ==
        "web.toml:2:10: after: web cannot wait for itself");
  CHECK(mistakes_of(image + "after = [\"db\", \"db\"]") ==
        "web.toml:2:16: after: \"db\" is there twice");
  CHECK(mistakes_of(image + "after = [\"conf.d/db.toml\"]") ==
        "web.toml:2:10: after: \"conf.d/db.toml\" is no service's name: that is a file of conf.d, "
        "without .toml");
  CHECK(mistakes_of(image + "[compose]\nafter = [\"db\"]") ==
        "web.toml:3:1: compose.after: unknown key; after belongs at the top of the file, above the "
        "first [section] or under [hooks]");
}
