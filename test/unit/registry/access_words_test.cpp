#include <string>

#include "unit/registry/world.hpp"

namespace tallyman::test {
namespace {

const char* const k_head = "HEAD https://harbor.lan/v2/a/manifests/1";

std::string user_of(World& world, std::string_view image) {
  const auto credential = world.registry().credential(image_ref(image));
  REQUIRE_MESSAGE(credential.has_value(), (credential ? "" : credential.error().message));
  return *credential ? (*credential)->username : "none";
}

TEST_CASE("before anything was asked, the access is what would be used") {
  World world;
  world.docker_config =
      world.folder.write("config.json", R"({"auths":{"ghcr.io":{"auth":"bWU6czNjcjN0"}}})");
  world.section("harbor.lan", "robot$shop+pull", "s3cr3t");
  world.section("plain.lan", "robot", "s3cr3t", true);
  world.settings["open.lan"] = {true, "", ""};
  struct Row {
    std::string image, access, user;
  };
  for (const Row& row : {
           Row{"harbor.lan/a", "https as robot$shop+pull from [registry.\"harbor.lan\"]",
               "robot$shop+pull"},
           Row{"plain.lan/a", "http as robot from [registry.\"plain.lan\"]", "robot"},
           Row{"open.lan/a", "http, anonymous", "none"},
           Row{"ghcr.io/a/b", "https as me from " + world.docker_config, "me"},
           Row{"nginx", "https, anonymous", "none"},
       }) {
    CAPTURE(row.image);
    CHECK(world.registry().describe_access(image_ref(row.image)) == row.access);
    CHECK(user_of(world, row.image) == row.user);
  }
  CHECK(world.http.requests.empty());
}

TEST_CASE("a credential that cannot be read is an error for who needs it") {
  World world;
  world.settings["harbor.lan"] = {.username = "robot", .password_file = world.folder / "missing"};
  const auto credential = world.registry().credential(image_ref("harbor.lan/a"));
  REQUIRE_FALSE(credential.has_value());
  CHECK(credential.error().kind == ErrorKind::auth);
  CHECK(contains(world.registry().describe_access(image_ref("harbor.lan/a")), "unusable"));
}

TEST_CASE("a registry that answered without a credential can be pulled from without one") {
  World world;
  world.docker_config = world.folder.write("config.json", "not JSON");
  const auto before = world.registry().credential(image_ref("harbor.lan/a"));
  REQUIRE_FALSE(before.has_value());
  CHECK(before.error().kind == ErrorKind::config);
  world.network[k_head] = {tag(some_digest('a'))};
  REQUIRE(world.resolve("harbor.lan/a:1").has_value());
  CHECK(user_of(world, "harbor.lan/a") == "none");
  CHECK(world.registry().describe_access(image_ref("harbor.lan/a")) == "https, anonymous");
}

TEST_CASE("a host that cannot be asked has no access") {
  World world;
  CHECK_FALSE(world.registry().credential(image_ref("127.1/a")).has_value());
  CHECK(world.registry().describe_access(image_ref("127.1/a")) == "no way");
}

}  // namespace
}  // namespace tallyman::test
