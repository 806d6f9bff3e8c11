#include "tallyman/registry/credentials.hpp"

#include <string>

#include "unit/registry/world.hpp"

namespace tallyman::test {
namespace {

Credential found_in(World& world, const std::string& domain) {
  const auto found = world.credentials().find(domain);
  REQUIRE_MESSAGE(found.has_value(), (found ? "" : found.error().message));
  REQUIRE(found->has_value());
  return **found;
}

bool nothing_in(World& world, const std::string& domain) {
  const auto found = world.credentials().find(domain);
  REQUIRE_MESSAGE(found.has_value(), (found ? "" : found.error().message));
  return !found->has_value();
}

Error failure_in(World& world, const std::string& domain) {
  const auto found = world.credentials().find(domain);
  REQUIRE_FALSE(found.has_value());
  CHECK_FALSE(contains(found.error().message + found.error().remedy, k_mark));
  return found.error();
}

TEST_CASE("a section's password comes from its file, without the newline at its end") {
  for (const std::string text : {"s3cr3t x", "s3cr3t x\n", "s3cr3t x\r\n", "s3cr3t x\n\n"}) {
    CAPTURE(text);
    World world;
    world.section("harbor.lan", "robot$shop+pull", text);
    const Credential credential = found_in(world, "harbor.lan");
    CHECK(credential.username == "robot$shop+pull");
    CHECK(credential.password.reveal() == "s3cr3t x");
    CHECK(credential.origin == "[registry.\"harbor.lan\"]");
    CHECK(nothing_in(world, "harbor.lan:8443"));
    CHECK(world.captured.text().empty());
  }
}

TEST_CASE("a section's password file that is of no use is an auth error that names it") {
  struct Row {
    std::string what, expected;
  };
  for (const Row& row : {Row{"missing", "missing"}, Row{"empty", "empty"}, Row{"newline", "empty"},
                         Row{"large", "large"}, Row{"folder", "folder"}}) {
    CAPTURE(row.what);
    World world;
    world.folder.write("empty", "");
    world.folder.write("newline", "\n");
    world.folder.write("large", std::string(64 * 1024 + 1, 'x'));
    std::filesystem::create_directory(world.folder / "folder");
    world.settings["harbor.lan"] = {false, "robot", world.folder / row.what};
    const Error error = failure_in(world, "harbor.lan");
    CHECK(error.kind == ErrorKind::auth);
    CHECK(contains(error.message, world.folder / row.what));
    CHECK(contains(error.message, "[registry.\"harbor.lan\"]"));
    CHECK(contains(error.message, row.expected));
  }
}

TEST_CASE("a username without a password_file is an auth error") {
  World world;
  world.settings["harbor.lan"] = {false, "robot", ""};
  const Error error = failure_in(world, "harbor.lan");
  CHECK(error.kind == ErrorKind::auth);
  CHECK(contains(error.message, "password_file"));
}

TEST_CASE("a password of exactly 64 KiB is taken") {
  World world;
  world.section("harbor.lan", "robot", std::string(64 * 1024 - 1, 'x'));
  CHECK(found_in(world, "harbor.lan").password.reveal().size() == 64 * 1024 - 1);
}

TEST_CASE("a secret file that others can read is warned about, once") {
  World world;
  world.section("harbor.lan", "robot", "s3cr3t");
  world.section("zot.lan", "robot", "s3cr3t");
  world.settings["zot.lan"].password_file = world.settings["harbor.lan"].password_file;
  const std::string path = world.settings["harbor.lan"].password_file;
  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  CHECK(found_in(world, "harbor.lan").password.reveal() == "s3cr3t");
  CHECK(found_in(world, "harbor.lan").password.reveal() == "s3cr3t");
  CHECK(found_in(world, "zot.lan").password.reveal() == "s3cr3t");
  CHECK(occurrences(world.captured.text(), "chmod 600 " + path) == 1);
}

TEST_CASE("files are read once, when they are needed") {
  World world;
  world.section("harbor.lan", "robot", "s3cr3t-1");
  world.credentials();
  world.section("harbor.lan", "robot", "s3cr3t-2");
  CHECK(found_in(world, "harbor.lan").password.reveal() == "s3cr3t-2");
  world.section("harbor.lan", "robot", "s3cr3t-3");
  CHECK(found_in(world, "harbor.lan").password.reveal() == "s3cr3t-2");
}

TEST_CASE("the section goes before the Docker configuration, and one without username does not") {
  World world;
  world.docker_config = world.folder.write(
      "config.json", R"({"auths":{"harbor.lan":{"username":"d","password":"s3cr3t-d"},)"
                     R"("zot.lan":{"username":"d","password":"s3cr3t-d"}}})");
  world.section("harbor.lan", "robot", "s3cr3t");
  world.settings["zot.lan"] = {true, "", ""};
  CHECK(found_in(world, "harbor.lan").username == "robot");
  const Credential credential = found_in(world, "zot.lan");
  CHECK(credential.username == "d");
  CHECK(credential.origin == world.docker_config);
}

TEST_CASE("no Docker configuration, no credential") {
  World none;
  CHECK(nothing_in(none, "ghcr.io"));
  World missing;
  missing.docker_config = missing.folder / "config.json";
  CHECK(nothing_in(missing, "ghcr.io"));
  CHECK(missing.captured.text().empty());
}

}  // namespace
}  // namespace tallyman::test
