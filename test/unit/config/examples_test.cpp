#include "unit/config/support.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

namespace fs = std::filesystem;
using tallyman::parse_drop_in;
using tallyman::test::ConfigFolder;
using tallyman::test::mistakes_of;
using Strings = std::vector<std::string>;

namespace {

const fs::path& examples() {
  static const fs::path folder = fs::path(TALLYMAN_SOURCE_DIR) / "conf.d";
  return folder;
}

std::string read_example(const std::string& name) {
  std::ifstream file(examples() / (name + ".toml.example"), std::ios::binary);
  REQUIRE_MESSAGE(file.good(), name);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("the smallest example with an image") {
  const std::string text = read_example("smallest-image");
  REQUIRE(mistakes_of(text).empty());
  const auto watch = parse_drop_in(text, "web.toml");
  CHECK(watch->image->str() == "ghcr.io/acme/web:latest");
  CHECK(watch->mode == tallyman::Mode::automatic);
  CHECK(watch->compose.services.empty());
}

TEST_CASE("the smallest example with compose") {
  const std::string text = read_example("smallest-compose");
  REQUIRE(mistakes_of(text).empty());
  const auto watch = parse_drop_in(text, "web.toml");
  CHECK_FALSE(watch->image.has_value());
  CHECK(watch->compose.directory == "/srv/web");
  CHECK(watch->compose.services == Strings{"web", "worker"});
}

TEST_CASE("the full example") {
  const std::string text = read_example("full");
  REQUIRE(mistakes_of(text).empty());
  const auto watch = parse_drop_in(text, "api.toml");
  CHECK(watch->image->str() == "harbor.lan/shop/api:stable");
  CHECK(watch->mode == tallyman::Mode::automatic);
  const auto& compose = watch->compose;
  CHECK(compose.directory == "/srv/shop");
  CHECK(compose.files == Strings{"compose.yaml", "compose.prod.yaml"});
  CHECK(compose.project == "shop");
  CHECK(compose.env_files == Strings{".env"});
  CHECK(compose.profiles == Strings{"prod"});
  CHECK(compose.services == Strings{"api"});
  CHECK(compose.environment == std::map<std::string, std::string>{{"IMAGE_CHANNEL", "stable"}});
  CHECK(compose.command == Strings{"docker", "compose"});
  CHECK(compose.timeout == std::chrono::minutes(10));
  CHECK(watch->stable_checks == 1);
  const auto& health = watch->health;
  CHECK(health.timeout == std::chrono::seconds(90));
  CHECK(health.settle == std::chrono::seconds(10));
  CHECK(health.http == Strings{"http://127.0.0.1:3000/health"});
  CHECK(health.http_status == 200);
  CHECK(health.tcp == Strings{"127.0.0.1:5432"});
  CHECK(health.command == Strings{"/usr/local/bin/is-shop-well", "--quick"});
  CHECK(watch->rollback.enabled);
  CHECK(watch->rollback.keep == 3);
}

TEST_CASE("the example with a script and hooks") {
  const std::string text = read_example("redeploy");
  REQUIRE(mistakes_of(text).empty());
  const auto watch = parse_drop_in(text, "app.toml");
  CHECK(watch->image->str() == "ghcr.io/acme/app:stable");
  CHECK(watch->redeploy.command == Strings{"./start.sh", "--no-rag"});
  CHECK(watch->redeploy.directory == "/opt/app");
  CHECK(watch->redeploy.timeout == std::chrono::minutes(10));
  CHECK(watch->redeploy.environment == std::map<std::string, std::string>{{"CHANNEL", "stable"}});
  CHECK(watch->hooks.before == Strings{"/usr/local/bin/dump", "db"});
  CHECK(watch->hooks.after == Strings{"/usr/local/bin/tell", "all"});
  CHECK(watch->hooks.on_failure == Strings{"/usr/local/bin/tell", "me"});
  CHECK(watch->hooks.directory == "/opt/app");
  CHECK(watch->hooks.timeout == std::chrono::minutes(10));
}

TEST_CASE("the example of the settings") {
  const ConfigFolder folder;
  folder.settings(read_example("tallyman"));
  REQUIRE(folder.mistakes().empty());
  const auto config = folder.load();
  CHECK(config->engine_host == "unix:///run/docker.sock");
  CHECK(config->status_file == "/run/tallyman/status.json");
  REQUIRE(config->registries.size() == 3);
  CHECK(config->registries.at("harbor.lan").username == "robot$shop+pull");
  CHECK(config->registries.at("harbor.lan").password_file == "/etc/tallyman/harbor.secret");
  CHECK_FALSE(config->registries.at("harbor.lan").plain_http);
  CHECK(config->registries.at("ghcr.io").username == "acme-bot");
  CHECK(config->registries.at("ghcr.io").credential == "ghcr");
  CHECK(config->registries.at("172.21.138.103:5000").plain_http);
}

TEST_CASE("no example is active where it is installed, and each has a test above") {
  const ConfigFolder folder;
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(examples())) {
    fs::copy(entry.path(), folder.path() + "/conf.d");
    ++count;
  }
  CHECK(count == 5);
  const auto config = folder.load();
  REQUIRE(config.has_value());
  CHECK(config->watches.empty());
  CHECK(config->broken.empty());
}
