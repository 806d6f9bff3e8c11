#include <string>

#include "unit/registry/world.hpp"

namespace tallyman::test {
namespace {

/// "user:password", "identity user:token", "registry user:token", "none", or "error: …"
std::string look_up(World& world, const std::string& domain, const std::string& path = "a/b") {
  const auto found = world.credentials().find(domain, path);
  if (!found) {
    CHECK(found.error().kind == ErrorKind::config);
    CHECK(contains(found.error().message, world.docker_config));
    CHECK_FALSE(found.error().remedy.empty());
    return "error: " + found.error().message;
  }
  if (!*found) {
    return "none";
  }
  const char* const kinds[] = {"", "identity ", "registry "};
  const Credential& credential = **found;
  return kinds[static_cast<int>(credential.kind)] + credential.username + ":" +
         credential.secret.reveal();
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

TEST_CASE("tokens go before the password of the same entry") {
  World world;
  write_config(world, R"({"auths":{
    "identity.lan":{"auth":"dTo=","identitytoken":"s3cr3t i"}, "bare.lan":{"identitytoken":"s3cr3t"},
    "registry.lan":{"registrytoken":"s3cr3t.r"},
    "both.lan":{"username":"u","identitytoken":"s3cr3t-i","registrytoken":"s3cr3t-r"},
    "junk.lan":{"auth":"s3cr3t","identitytoken":"s3cr3t"},
    "space.lan":{"registrytoken":"s3cr3t r"}, "lines.lan":{"auth":"dQoxOnMzY3IzdA=="}}})");
  CHECK(look_up(world, "identity.lan") == "identity u:s3cr3t i");
  CHECK(look_up(world, "bare.lan") == "identity :s3cr3t");
  CHECK(look_up(world, "registry.lan") == "registry :s3cr3t.r");
  CHECK(look_up(world, "both.lan") == "registry u:s3cr3t-r");
  CHECK(look_up(world, "junk.lan") == "identity :s3cr3t");
  CHECK(contains(look_up(world, "space.lan"), "not plain ASCII"));
  CHECK(contains(look_up(world, "lines.lan"), "no plain text"));
}

TEST_CASE("the most specific namespace decides") {
  World world;
  const auto user = [](const std::string& name) {
    return "{\"username\":\"" + name + "\",\"password\":\"s3cr3t\"}";
  };
  write_config(world, R"({"auths":{"h.lan":)" + user("host") + R"(,"h.lan/shop":)" + user("shop") +
                          R"(,"h.lan/shop/web":)" + user("web") +
                          R"(,"h.lan/empty":{},"other.lan/x":)" + user("x") + R"(,"docker.io":)" +
                          user("hub") + R"(,"docker.io/acme":)" + user("acme") +
                          R"(,"v1.lan/v1/":)" + user("v1") + "}}");
  struct Row {
    std::string domain, path, found;
  };
  for (const Row& row : {
           Row{"h.lan", "shop/web", "web:s3cr3t"},
           Row{"h.lan", "shop/web/debug", "web:s3cr3t"},
           Row{"h.lan", "shop/webx", "shop:s3cr3t"},
           Row{"h.lan", "shop", "shop:s3cr3t"},
           Row{"h.lan", "shopx", "host:s3cr3t"},
           Row{"h.lan", "empty/web", "host:s3cr3t"},
           Row{"other.lan", "x/web", "x:s3cr3t"},
           Row{"other.lan", "y/web", "none"},
           Row{"docker.io", "library/nginx", "hub:s3cr3t"},
           Row{"docker.io", "acme/web", "acme:s3cr3t"},
           Row{"v1.lan", "a", "v1:s3cr3t"},
       }) {
    CAPTURE(row.domain + "/" + row.path);
    CHECK(look_up(world, row.domain, row.path) == row.found);
  }
}

TEST_CASE("whom a file names is asked: credHelpers, then credsStore, and never auths besides") {
  World world;
  world.process.prints("docker-credential-store", R"({"Username":"of-store","Secret":"s3cr3t"})");
  world.process.prints("docker-credential-pass", R"({"Username":"of-pass","Secret":"s3cr3t"})");
  write_config(world, R"({"credsStore":"store",
    "credHelpers":{"pass.lan":"pass","auths.lan":"","https://index.docker.io/v1/":"pass"},
    "auths":{"pass.lan":{"auth":"dTpzM2NyM3Q="},"auths.lan":{"auth":"dTpzM2NyM3Q="},"any.lan":{}}})");
  struct Row {
    std::string domain, found, server;
  };
  for (const Row& row : {
           Row{"pass.lan", "of-pass:s3cr3t", "pass.lan"},
           Row{"auths.lan", "u:s3cr3t", ""},
           Row{"docker.io", "of-pass:s3cr3t", "https://index.docker.io/v1/"},
           Row{"any.lan", "of-store:s3cr3t", "any.lan"},
           Row{"port.lan:5000", "of-store:s3cr3t", "port.lan:5000"},
       }) {
    CAPTURE(row.domain);
    world.process.commands.clear();
    CHECK(look_up(world, row.domain) == row.found);
    CHECK(look_up(world, row.domain, "c/d") == row.found);
    CHECK(world.process.commands.size() == (row.server.empty() ? 0 : 1));
    if (!row.server.empty()) {
      CHECK(world.process.commands.front().input == row.server);
    }
  }
  CHECK(world.captured.text().empty());
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
