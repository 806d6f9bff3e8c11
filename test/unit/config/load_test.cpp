#include "unit/config/support.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace fs = std::filesystem;
using tallyman::load_config;
using tallyman::test::ConfigFolder;
using tallyman::test::lines_of;
using tallyman::test::set_mode;
using tallyman::test::TempFolder;
using tallyman::test::WithoutPrivileges;

namespace {

std::vector<std::string> names_of(const auto& things) {
  std::vector<std::string> names;
  names.reserve(things.size());
  for (const auto& thing : things) {
    names.push_back(thing.name);
  }
  return names;
}

using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("drop-ins come by name, each with its file") {
  const ConfigFolder folder;
  folder.drop_in("web.toml", "image = 'nginx'");
  folder.drop_in("api.toml", "image = 'api'");
  folder.drop_in("Zebra.toml", "image = 'zebra'");
  const auto config = load_config(folder.path() + "//");
  REQUIRE(config.has_value());
  CHECK(names_of(config->watches) == Strings{"Zebra", "api", "web"});
  CHECK(config->watches[1].file == folder.path() + "/conf.d/api.toml");
  CHECK(config->watches[1].image->familiar() == "api:latest");
  CHECK(config->broken.empty());
}

TEST_CASE("a broken drop-in takes out its own service and no other") {
  const ConfigFolder folder;
  folder.drop_in("web.toml", "image = 'nginx'");
  folder.drop_in("bad.toml", "imgae = 'nginx'\nfoo = 1");
  folder.drop_in("a b\x1B.toml", "image = 'nginx'");
  folder.drop_in("odd\xFF.toml", "image = 'nginx'");
  const auto config = folder.load();
  REQUIRE(config.has_value());
  CHECK(names_of(config->watches) == Strings{"web"});
  CHECK(names_of(config->broken) == Strings{"a b\\x1B", "bad", "odd\\xFF"});
  REQUIRE(config->broken[1].problems.size() == 2);
  CHECK(folder.without_path(lines_of(config->broken[1].problems)) ==
        "conf.d/bad.toml:1:1: imgae: unknown key; did you mean \"image\"?\n"
        "conf.d/bad.toml:2:1: foo: unknown key; known here: image, mode, stable_checks, after, "
        "compose, "
        "health, rollback, "
        "redeploy, hooks");
}

TEST_CASE("only visible files that end in .toml are drop-ins") {
  const ConfigFolder folder;
  for (const auto* name : {".hidden.toml", ".toml", "web.toml.example", "web.toml~", "web.toml.bak",
                           "#web.toml#", "README", "web.TOML", "web.conf"}) {
    folder.drop_in(name, "not a drop-in");
  }
  fs::create_directory(folder.path() + "/conf.d/folder");
  const auto config = folder.load();
  REQUIRE(config.has_value());
  CHECK(config->watches.empty());
  CHECK(config->broken.empty());
}

TEST_CASE("conf.d may be missing or empty") {
  const ConfigFolder folder;
  CHECK(folder.load().has_value());
  fs::remove(folder.path() + "/conf.d");
  const auto config = folder.load();
  REQUIRE(config.has_value());
  CHECK(config->watches.empty());
}

TEST_CASE("a symbolic link to a drop-in is one, a dangling one is broken") {
  const ConfigFolder folder;
  const TempFolder elsewhere;
  fs::create_symlink(elsewhere.write("real", "image = 'nginx'"),
                     folder.path() + "/conf.d/web.toml");
  fs::create_symlink(elsewhere / "gone", folder.path() + "/conf.d/gone.toml");
  const auto config = folder.load();
  REQUIRE(config.has_value());
  CHECK(names_of(config->watches) == Strings{"web"});
  REQUIRE(names_of(config->broken) == Strings{"gone"});
  CHECK(folder.without_path(lines_of(config->broken[0].problems)) ==
        "conf.d/gone.toml: a symbolic link to a file that is not there; mend or remove it");
}

TEST_CASE("what cannot be read as a file is broken, as a whole") {
  const ConfigFolder folder;
  fs::create_directory(folder.path() + "/conf.d/folder.toml");
  REQUIRE(::mkfifo((folder.path() + "/conf.d/pipe.toml").c_str(), 0600) == 0);
  folder.drop_in("large.toml", std::string(1024 * 1024 + 1, '#'));
  folder.drop_in("ok.toml", "image = 'nginx'");
  const auto config = folder.load();
  REQUIRE(config.has_value());
  CHECK(names_of(config->watches) == Strings{"ok"});
  REQUIRE(names_of(config->broken) == Strings{"folder", "large", "pipe"});
  for (const auto& broken : config->broken) {
    CAPTURE(broken.name);
    REQUIRE(broken.problems.size() == 1);
    CHECK(broken.problems[0].line == 0);
    CHECK(broken.problems[0].file == folder.path() + "/conf.d/" + broken.name + ".toml");
    CHECK_FALSE(broken.problems[0].message.empty());
  }
}

TEST_CASE("a file without permission is broken, and says who may not read it") {
  const ConfigFolder folder;
  set_mode(folder.path(), 0755);
  set_mode(folder.drop_in("web.toml", "image = 'nginx'"), 0);
  folder.drop_in("api.toml", "image = 'api'");
  const WithoutPrivileges nobody;
  const auto config = folder.load();
  REQUIRE(config.has_value());
  CHECK(names_of(config->watches) == Strings{"api"});
  REQUIRE(names_of(config->broken) == Strings{"web"});
  CHECK(folder.without_path(lines_of(config->broken[0].problems)) ==
        "conf.d/web.toml: cannot be read: permission denied; run tallyman as root, or let its user "
        "read conf.d/web.toml");
}

TEST_CASE("settings that cannot be read make all of it unusable") {
  const ConfigFolder folder;
  SUBCASE("no permission") {
    set_mode(folder.path(), 0755);
    set_mode(folder.settings(""), 0);
    const WithoutPrivileges nobody;
    CHECK(folder.mistakes().starts_with("tallyman.toml: cannot be read: permission denied"));
  }
  SUBCASE("a folder") {
    fs::create_directory(folder.path() + "/tallyman.toml");
    CHECK(folder.mistakes().starts_with("tallyman.toml: "));
  }
  SUBCASE("a dangling link") {
    fs::create_symlink("gone", folder.path() + "/tallyman.toml");
    CHECK(folder.mistakes() ==
          "tallyman.toml: a symbolic link to a file that is not there; mend or remove it");
  }
}

TEST_CASE("a conf.d that cannot be read makes all of it unusable") {
  const ConfigFolder folder;
  SUBCASE("a file") {
    fs::remove(folder.path() + "/conf.d");
    fs::create_symlink("/dev/null", folder.path() + "/conf.d");
    CHECK(folder.mistakes() == "conf.d: cannot be read as a folder: Not a directory");
  }
  SUBCASE("a dangling link") {
    fs::remove(folder.path() + "/conf.d");
    fs::create_symlink("gone", folder.path() + "/conf.d");
    CHECK(folder.mistakes() ==
          "conf.d: a symbolic link to a folder that is not there; mend or remove it");
  }
  SUBCASE("no permission") {
    set_mode(folder.path(), 0755);
    set_mode(folder.path() + "/conf.d", 0);
    {
      const WithoutPrivileges nobody;
      CHECK(folder.mistakes().starts_with("conf.d: cannot be read: permission denied"));
    }
    set_mode(folder.path() + "/conf.d", 0700);
  }
}

TEST_CASE("a missing folder says how to make it") {
  const TempFolder folder;
  const auto config = load_config(folder / "etc");
  REQUIRE_FALSE(config.has_value());
  REQUIRE(config.error().size() == 1);
  CHECK(config.error()[0].line == 0);
  CHECK(config.error()[0].str() == (folder / "etc") + ": no such folder; make it with: mkdir -p " +
                                       (folder / "etc") + "/conf.d");
}

TEST_CASE("a folder that is none, or may not be entered, is unusable") {
  const TempFolder folder;
  const auto file = load_config(folder.write("file", ""));
  REQUIRE_FALSE(file.has_value());
  CHECK(file.error()[0].message == "cannot be read as a folder: Not a directory");
  set_mode(folder.path(), 0);
  {
    const WithoutPrivileges nobody;
    const auto closed = load_config(folder.path());
    REQUIRE_FALSE(closed.has_value());
    CHECK(closed.error()[0].message.find("permission denied") != std::string::npos);
  }
  set_mode(folder.path(), 0700);
}

TEST_CASE("unusable settings are reported together with the broken drop-ins") {
  const ConfigFolder folder;
  folder.settings("[engin]\nx = 1\n");
  folder.drop_in("b.toml", "image = 1");
  folder.drop_in("a.toml", "foo = 1\nimage = 'a'");
  CHECK(folder.mistakes() ==
        "tallyman.toml:1:2: engin: unknown key; did you mean \"engine\"?\n"
        "conf.d/a.toml:1:1: foo: unknown key; known here: image, mode, stable_checks, after, "
        "compose, "
        "health, rollback, "
        "redeploy, hooks\n"
        "conf.d/b.toml:1:9: image: expected a string, found an integer; write image = "
        "\"HOST/NAME:TAG\"");
}
