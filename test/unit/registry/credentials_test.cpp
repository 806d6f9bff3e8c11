#include "tallyman/registry/credentials.hpp"

#include <string>

#include "unit/registry/world.hpp"

namespace tallyman::test {
namespace {

Credential found_in(World& world, const std::string& domain) {
  const auto found = world.credentials().find(domain, "shop/web");
  REQUIRE_MESSAGE(found.has_value(), (found ? "" : found.error().message));
  REQUIRE(found->has_value());
  return **found;
}

bool nothing_in(World& world, const std::string& domain) {
  const auto found = world.credentials().find(domain, "shop/web");
  REQUIRE_MESSAGE(found.has_value(), (found ? "" : found.error().message));
  return !found->has_value();
}

Error failure_in(World& world, const std::string& domain) {
  const auto found = world.credentials().find(domain, "shop/web");
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
    CHECK(credential.secret.reveal() == "s3cr3t x");
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
    world.settings["harbor.lan"] = {.username = "robot", .password_file = world.folder / row.what};
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
  CHECK(found_in(world, "harbor.lan").secret.reveal().size() == 64 * 1024 - 1);
}

TEST_CASE("a secret file that others can read is warned about, once") {
  World world;
  world.section("harbor.lan", "robot", "s3cr3t");
  world.section("zot.lan", "robot", "s3cr3t");
  world.settings["zot.lan"].password_file = world.settings["harbor.lan"].password_file;
  const std::string path = world.settings["harbor.lan"].password_file;
  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  CHECK(found_in(world, "harbor.lan").secret.reveal() == "s3cr3t");
  CHECK(found_in(world, "harbor.lan").secret.reveal() == "s3cr3t");
  CHECK(found_in(world, "zot.lan").secret.reveal() == "s3cr3t");
  CHECK(occurrences(world.captured.text(), "chmod 600 " + path) == 1);
}

TEST_CASE("files are read once, when they are needed") {
  World world;
  world.section("harbor.lan", "robot", "s3cr3t-1");
  world.credentials();
  world.section("harbor.lan", "robot", "s3cr3t-2");
  CHECK(found_in(world, "harbor.lan").secret.reveal() == "s3cr3t-2");
  world.section("harbor.lan", "robot", "s3cr3t-3");
  CHECK(found_in(world, "harbor.lan").secret.reveal() == "s3cr3t-2");
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

/// A credential of systemd's, and the folder that it hands over.
void systemd_credential(World& world, const std::string& domain, const std::string& username,
                        std::string_view text) {
  world.places.credentials_directory = world.folder.path();
  world.folder.write("pull", text);
  world.settings[domain] = {false, username, "", "pull"};
}

TEST_CASE("a systemd credential is the password of the section's username") {
  World world;
  systemd_credential(world, "harbor.lan", "robot$shop+pull", "s3cr3t x\n");
  const Credential credential = found_in(world, "harbor.lan");
  CHECK(credential.username == "robot$shop+pull");
  CHECK(credential.secret.reveal() == "s3cr3t x");
  CHECK(credential.origin == "[registry.\"harbor.lan\"]");
  CHECK(world.captured.text().empty());  // 0644, but systemd looks after that
}

TEST_CASE("a systemd credential without a username holds docker's auths") {
  World world;
  systemd_credential(world, "ghcr.io", "",
                     R"({"auths":{"ghcr.io":{"auth":"cm9ib3Qkc2hvcCtwdWxsOnMzY3IzdA=="}}})");
  const Credential credential = found_in(world, "ghcr.io");
  CHECK(credential.username == "robot$shop+pull");
  CHECK(credential.secret.reveal() == "s3cr3t");
  CHECK(credential.origin == "[registry.\"ghcr.io\"]");
  for (const std::string text :
       {"s3cr3t", "me:s3cr3t", R"({"auths":{"zot.lan":{"auth":"bWU6czNjcjN0"}}})",
        R"({"auths":{"ghcr.io":{"auth":"s3cr3t"}}})", R"({"credsStore":"pass"})"}) {
    CAPTURE(text);
    World bad;
    systemd_credential(bad, "ghcr.io", "", text);
    const Error error = failure_in(bad, "ghcr.io");
    CHECK(error.kind == ErrorKind::auth);
    CHECK(contains(error.message, "the credential pull of [registry.\"ghcr.io\"]"));
    CHECK(contains(error.remedy, R"({"auths":{"ghcr.io":{"auth")"));
    CHECK(bad.process.commands.empty());
  }
}

TEST_CASE("a systemd credential that is not there says how to hand it over") {
  World by_hand;
  by_hand.settings["harbor.lan"] = {false, "robot", "", "pull"};
  const Error unset = failure_in(by_hand, "harbor.lan");
  CHECK(unset.kind == ErrorKind::auth);
  CHECK(contains(unset.message, "CREDENTIALS_DIRECTORY is not set"));
  CHECK(contains(unset.remedy, "systemd-run --pipe --wait -p LoadCredential=pull:"));
  World service;
  systemd_credential(service, "harbor.lan", "robot", "s3cr3t");
  service.settings["harbor.lan"].credential = "other";
  const Error missing = failure_in(service, "harbor.lan");
  CHECK(missing.kind == ErrorKind::auth);
  CHECK(contains(missing.message, "no credential other"));
  CHECK(contains(missing.remedy, "LoadCredential=other:"));
}

TEST_CASE("a password that cannot be one is not sent") {
  for (const auto& [text, flaw] : {std::pair{"", "is empty"},
                                   {"\r\n\n", "is empty"},
                                   {"s3cr3t\nme\n", "has more than one line"},
                                   {"me\r\ns3cr3t", "has more than one line"},
                                   {"\xef\xbb\xbfs3cr3t\n", "begins with a byte order mark"},
                                   {"s3cr3t\t", "has a control character in it"},
                                   {"s3cr3t\x7f", "has a control character in it"}}) {
    CAPTURE(flaw);
    World of_file;
    of_file.section("harbor.lan", "robot", "s3cr3t");
    const std::string path = of_file.folder.write("password-harbor.lan", text);
    const Error error = failure_in(of_file, "harbor.lan");
    CHECK(error.kind == ErrorKind::auth);
    CHECK(error.message == path + ", the password_file of [registry.\"harbor.lan\"], " + flaw);
    CHECK(error.remedy ==
          "write the password or token of robot into " + path + ", and nothing else");
    World of_systemd;
    systemd_credential(of_systemd, "harbor.lan", "robot", text);
    CHECK(contains(failure_in(of_systemd, "harbor.lan").message, flaw));
  }
  for (const std::string_view text : {"s3cr3t", "s3cr3t\r\n", "s3cr3t\n\n", " s3cr3t \xc3\xa4"}) {
    World good;
    good.section("harbor.lan", "robot", "");
    good.folder.write("password-harbor.lan", text);
    CHECK(found_in(good, "harbor.lan").secret.reveal() ==
          text.substr(0, text.find_last_not_of("\r\n") + 1));
  }
}

TEST_CASE("the places are asked in their order, and the first that knows somebody decides") {
  const auto auths = [](const std::string& user) {
    return R"({"auths":{"ghcr.io":{"username":")" + user + R"(","password":"s3cr3t"}}})";
  };
  World world;
  world.places.docker_auth_config = Secret(auths("variable"));
  world.docker_config = world.folder.write("config.json", auths("docker"));
  REQUIRE(::chmod(world.docker_config.c_str(), 0600) == 0);
  const Credential credential = found_in(world, "ghcr.io");
  CHECK(credential.username == "variable");
  CHECK(credential.origin == "$DOCKER_AUTH_CONFIG");
  CHECK(world.credentials().places() ==
        "tallyman.toml, $DOCKER_AUTH_CONFIG, " + world.docker_config);

  World podman;
  podman.add_file("config.json", R"({"auths":{"ghcr.io":{}}})");
  podman.add_file("missing", "");
  REQUIRE(::unlink((podman.folder / "missing").c_str()) == 0);
  const std::string path = podman.add_file("auth.json", auths("podman"));
  podman.add_file("last.json", auths("last"));
  CHECK(found_in(podman, "ghcr.io").username == "podman");
  CHECK(found_in(podman, "ghcr.io").origin == path);
}

TEST_CASE("a place of no use does not keep the next one from being asked") {
  for (const std::string text : {"{", R"({"auths":{"ghcr.io":{"auth":"s3cr3t"}}})",
                                 R"({"credsStore":"../sh"})", R"({"credHelpers":{"ghcr.io":7}})"}) {
    CAPTURE(text);
    World world;
    world.add_file("config.json", text);
    world.add_file("auth.json", R"({"auths":{"ghcr.io":{"auth":"bWU6czNjcjN0"}}})");
    CHECK(found_in(world, "ghcr.io").username == "me");
    World alone;
    alone.add_file("config.json", text);
    CHECK(failure_in(alone, "ghcr.io").kind == ErrorKind::config);
    CHECK(alone.process.commands.empty());
  }
}

TEST_CASE("the variable has auths only, and is not repeated") {
  for (const std::string text :
       {"s3cr3t", R"({"credsStore":"pass","auths":{}})", R"({"credHelpers":{"ghcr.io":"pass"}})"}) {
    CAPTURE(text);
    World world;
    world.places.docker_auth_config = Secret(text);
    const Error error = failure_in(world, "ghcr.io");
    CHECK(error.kind == ErrorKind::config);
    CHECK(contains(error.message, "$DOCKER_AUTH_CONFIG"));
    CHECK(contains(error.remedy, "auths"));
    CHECK(world.process.commands.empty());
  }
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
