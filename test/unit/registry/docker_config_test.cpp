#include <string>

#include "unit/registry/world.hpp"

namespace tallyman::test {
namespace {

/// "user:password", "none", or "error: …"
std::string look_up(World& world, const std::string& domain) {
  const auto found = world.credentials().find(domain);
  if (!found) {
    CHECK(found.error().kind == ErrorKind::config);
    CHECK(contains(found.error().message, world.docker_config));
    CHECK_FALSE(found.error().remedy.empty());
    return "error: " + found.error().message;
  }
  return *found ? (*found)->username + ":" + (*found)->password.reveal() : "none";
}

void write_config(World& world, std::string_view text) {
  world.docker_config = world.folder.write("config.json", text);
  REQUIRE(::chmod(world.docker_config.c_str(), 0600) == 0);
}

TEST_CASE("the entry of a host is found as docker finds it") {
  World world;
  const auto entry = [](const std::string& pair) {
    return "{\"auth\":\"" + base64_encode(pair) + "\"}";
  };
  write_config(world, R"({"auths":{
    "ghcr.io":)" + entry("me:s3cr3t-g") +
                          R"(,
    "https://index.docker.io/v1/":)" +
                          entry("hub:s3cr3t-h") + R"(,
    "https://old.lan/v1/":)" +
                          entry("old:s3cr3t-o") + R"(,
    "http://plain.lan:5000":)" +
                          entry("plain:s3cr3t-p") + R"(,
    "colon.lan":)" + entry("u:s3cr3t:with:colons") +
                          R"(,
    "robot.lan":)" + entry("robot$shop+pull:s3cr3t-r") +
                          R"(,
    "nul.lan":)" + entry(std::string("u:s3cr3t\0\0", 10)) +
                          R"(,
    "nopass.lan":)" + entry("u:") +
                          R"(,
    "fields.lan":{"username":"f","password":"s3cr3t-f"},
    "nulls.lan":{"auth":null,"username":"n","password":"s3cr3t-n","identitytoken":null},
    "empty.lan":{}, "port.lan:8443":)" +
                          entry("port:s3cr3t-8443") + R"(}})");
  struct Row {
    std::string domain, found;
  };
  for (const Row& row : {
           Row{"ghcr.io", "me:s3cr3t-g"},
           Row{"docker.io", "hub:s3cr3t-h"},
           Row{"index.docker.io", "hub:s3cr3t-h"},
           Row{"old.lan", "old:s3cr3t-o"},
           Row{"plain.lan:5000", "plain:s3cr3t-p"},
           Row{"plain.lan", "none"},
           Row{"colon.lan", "u:s3cr3t:with:colons"},
           Row{"robot.lan", "robot$shop+pull:s3cr3t-r"},
           Row{"nul.lan", "u:s3cr3t"},
           Row{"nopass.lan", "u:"},
           Row{"fields.lan", "f:s3cr3t-f"},
           Row{"nulls.lan", "n:s3cr3t-n"},
           Row{"empty.lan", "none"},
           Row{"port.lan:8443", "port:s3cr3t-8443"},
           Row{"port.lan", "none"},
           Row{"other.lan", "none"},
           Row{"hcr.io", "none"},
       }) {
    CAPTURE(row.domain);
    CHECK(look_up(world, row.domain) == row.found);
  }
  CHECK(world.captured.text().empty());
}

TEST_CASE("an exact key goes before one of the same host") {
  World world;
  write_config(world, R"({"auths":{"a.lan":{"username":"exact","password":"s3cr3t-1"},
                                   "A":{}, "https://a.lan/v1/":{"username":"old","password":"2"}}})");
  CHECK(look_up(world, "a.lan") == "exact:s3cr3t-1");
}

TEST_CASE("a file that makes no sense is an error of every host, and a warning, once") {
  for (const std::string& text : {
           std::string(""),
           std::string("{"),
           std::string("[]"),
           std::string("null"),
           std::string("{\"auths\":{\"ghcr.io\":{\"auth\":\"czNjcjN0\"}}"),
           std::string("{\"auths\":[]}"),
           std::string("{\"auths\":{},\"credsStore\":7}"),
           std::string("{\"auths\":{},\"credHelpers\":\"x\"}"),
           std::string("\xff\xfe"),
           std::string(100, '[') + std::string(100, ']'),
           std::string(100'000, '['),
           "{\"x\":" + std::string(100, '[') + std::string(100, ']') + "}",
       }) {
    CAPTURE(text);
    World world;
    write_config(world, text);
    CHECK(contains(look_up(world, "ghcr.io"), "error: "));
    CHECK(contains(look_up(world, "docker.io"), "error: "));
    CHECK(occurrences(world.captured.text(), world.docker_config) == 1);
  }
}

TEST_CASE("a file that cannot be read is an error of every host") {
  World world;
  world.docker_config = world.folder / "folder";
  std::filesystem::create_directory(world.docker_config);
  CHECK(contains(look_up(world, "ghcr.io"), "error: "));
}

TEST_CASE("an entry that makes no sense is an error of its own host only") {
  World world;
  write_config(world, R"({"auths":{
    "string.lan":"x", "number.lan":{"auth":7}, "base64.lan":{"auth":"czNjcjN0!"},
    "colon.lan":{"auth":"czNjcjN0"}, "user.lan":{"auth":"OnMzY3IzdA=="},
    "good.lan":{"auth":"dTpzM2NyM3Q="}}})");
  for (const std::string host :
       {"string.lan", "number.lan", "base64.lan", "colon.lan", "user.lan"}) {
    CAPTURE(host);
    const std::string found = look_up(world, host);
    CHECK(contains(found, "error: "));
    CHECK(contains(found, host));
  }
  CHECK(look_up(world, "good.lan") == "u:s3cr3t");
}

TEST_CASE("what is not supported yet is said once, of the hosts that it concerns") {
  World world;
  write_config(world, R"({"credsStore":"desktop\u001b", "credHelpers":{"gcr.io":"gcloud"},
    "auths":{"https://index.docker.io/v1/":{}, "token.lan":{"auth":"dTo=","identitytoken":"s3cr3t"},
             "bearer.lan":{"registrytoken":"s3cr3t"}, "inline.lan":{"auth":"dTpzM2NyM3Q="}}})");
  struct Row {
    std::string domain, found, warning;
  };
  for (const Row& row : {
           Row{"docker.io", "none", "docker-credential-desktop\\x1b for docker.io"},
           Row{"gcr.io", "none", "docker-credential-gcloud for gcr.io"},
           Row{"token.lan", "none", "token for token.lan"},
           Row{"bearer.lan", "none", "token for bearer.lan"},
           Row{"inline.lan", "u:s3cr3t", ""},
           Row{"ghcr.io", "none", ""},
       }) {
    CAPTURE(row.domain);
    CHECK(look_up(world, row.domain) == row.found);
    CHECK(look_up(world, row.domain) == row.found);
    CHECK(occurrences(world.captured.text(), " for " + row.domain) ==
          (row.warning.empty() ? 0 : 1));
    CHECK(contains(world.captured.text(), row.warning));
  }
}

TEST_CASE("a configuration that others can read is warned about once, if it is used") {
  World world;
  write_config(world,
               R"({"auths":{"a.lan":{"auth":"dTpzM2NyM3Q="},"b.lan":{"auth":"dTpzM2NyM3Q="}}})");
  REQUIRE(::chmod(world.docker_config.c_str(), 0644) == 0);
  CHECK(look_up(world, "other.lan") == "none");
  CHECK(world.captured.text().empty());
  CHECK(look_up(world, "a.lan") == "u:s3cr3t");
  CHECK(look_up(world, "b.lan") == "u:s3cr3t");
  CHECK(occurrences(world.captured.text(), "chmod 600") == 1);
}

}  // namespace
}  // namespace tallyman::test
