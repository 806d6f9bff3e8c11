#include "unit/config/support.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

using tallyman::Mode;
using tallyman::parse_drop_in;
using Strings = std::vector<std::string>;

TEST_CASE("an image alone is a drop-in") {
  const auto watch = parse_drop_in("image = \"ghcr.io/acme/web:1\"", "/etc/t/conf.d/web.toml");
  REQUIRE(watch.has_value());
  CHECK(watch->name == "web");
  CHECK(watch->file == "/etc/t/conf.d/web.toml");
  REQUIRE(watch->image.has_value());
  CHECK(watch->image->str() == "ghcr.io/acme/web:1");
  CHECK(watch->mode == Mode::automatic);
  CHECK(watch->stable_checks == 1);
  CHECK(watch->compose.services.empty());
  CHECK(watch->compose.directory.empty());
  CHECK(watch->compose.command.empty());
  CHECK(watch->compose.timeout == std::chrono::minutes(10));
  CHECK((watch->compose.on_drift == tallyman::OnDrift::apply));
  CHECK(watch->health.timeout == std::chrono::seconds(90));
  CHECK(watch->health.settle == std::chrono::seconds(10));
  CHECK(watch->health.http.empty());
  CHECK_FALSE(watch->health.http_status.has_value());
  CHECK(watch->health.tcp.empty());
  CHECK(watch->health.command.empty());
  CHECK(watch->rollback.enabled);
  CHECK(watch->rollback.keep == 3);
}

TEST_CASE("services with a directory or a project are a drop-in") {
  for (const auto* place : {"directory = \"/srv/web\"", "project = \"web\""}) {
    const auto watch = parse_drop_in(
        std::string("[compose]\nservices = [\"web\", \"worker\"]\n") + place, "web.toml");
    CAPTURE(place);
    REQUIRE(watch.has_value());
    CHECK_FALSE(watch->image.has_value());
    CHECK(watch->compose.services == Strings{"web", "worker"});
  }
}

TEST_CASE("every key arrives where it belongs") {
  const auto watch = parse_drop_in(R"(
image = "nginx"
mode = "notify"
stable_checks = 10
[compose]
directory = "/srv/shop/"
files = ["compose.yaml", "/srv/other.yaml"]
project = "shop_1-a"
env_files = [".env", "prod.env"]
profiles = ["prod", "x.y"]
services = ["*"]
command = ["/usr/bin/docker", "compose", "--ansi=never"]
timeout = "1h30m"
on_drift = "refuse"
[compose.environment]
CHANNEL = "stäble\n"
_EMPTY = ""
)",
                                   "shop.toml");
  REQUIRE(watch.has_value());
  CHECK(watch->image->str() == "docker.io/library/nginx:latest");
  CHECK(watch->mode == Mode::notify);
  CHECK(watch->stable_checks == 10);
  CHECK(watch->compose.directory == "/srv/shop");
  CHECK(watch->compose.files == Strings{"compose.yaml", "/srv/other.yaml"});
  CHECK(watch->compose.project == "shop_1-a");
  CHECK(watch->compose.env_files == Strings{".env", "prod.env"});
  CHECK(watch->compose.profiles == Strings{"prod", "x.y"});
  CHECK(watch->compose.services == Strings{"*"});
  CHECK(watch->compose.command == Strings{"/usr/bin/docker", "compose", "--ansi=never"});
  CHECK(watch->compose.timeout == std::chrono::minutes(90));
  CHECK((watch->compose.on_drift == tallyman::OnDrift::refuse));
  CHECK(watch->compose.environment ==
        std::map<std::string, std::string>{{"CHANNEL", "stäble\n"}, {"_EMPTY", ""}});
}

TEST_CASE("all spellings of TOML are understood") {
  const auto dotted = parse_drop_in(
      "image = '''nginx'''\r\ncompose.services = [ # which\r\n  'web',\r\n]\r\n"
      "compose.environment.A = \"\"\"\r\none \\\r\n   zwei — drei\"\"\"\r\n",
      "web.toml");
  REQUIRE(dotted.has_value());
  CHECK(dotted->image->familiar() == "nginx:latest");
  CHECK(dotted->compose.services == Strings{"web"});
  CHECK(dotted->compose.environment.at("A") == "one zwei — drei");
}

TEST_CASE("a byte order mark is skipped, and letters of all languages are fine in text") {
  const auto watch = parse_drop_in(
      "\xEF\xBB\xBF# für die Straße, для, 東京\nimage = \"nginx\"\n[compose]\nfiles = "
      "[\"größe.yaml\", '東京.yaml', \"\xEF\xBB\xBB*\", \"\\u00e4\"]",
      "web.toml");
  REQUIRE(watch.has_value());
  CHECK(watch->compose.files == Strings{"größe.yaml", "東京.yaml", "\xEF\xBB\xBB*", "ä"});
}

TEST_CASE("a timeout is from one second to one day") {
  for (const auto* good : {"1s", "1000ms", "24h", "1d", "90s"}) {
    CAPTURE(good);
    CHECK(parse_drop_in(std::string("image='a'\ncompose.timeout='") + good + "'", "a.toml"));
  }
  for (const auto* bad : {"999ms", "0s", "24h1ms", "2d", "", "10", "soon", "1s 2s", "-1s"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_drop_in(std::string("image='a'\ncompose.timeout='") + bad + "'", "a.toml"));
  }
}

TEST_CASE("the name of the file is the name of the service") {
  struct Row {
    std::string file;
    bool good;
  };
  const std::vector<Row> rows = {
      {"web.toml", true},
      {"/a.b/c/api-prod_2.v1.toml", true},
      {"0.toml", true},
      {std::string(63, 'x') + ".toml", true},
      {std::string(64, 'x') + ".toml", false},
      {"-web.toml", false},
      {"_web.toml", false},
      {".toml", false},
      {"a b.toml", false},
      {"wéb.toml", false},
      {"a\nb.toml", false},
      {"a\"b.toml", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.file);
    const auto watch = parse_drop_in("image = 'nginx'", row.file);
    CHECK(watch.has_value() == row.good);
    if (!row.good) {
      REQUIRE(watch.error().size() == 1);
      CHECK(watch.error().front().line == 0);
      CHECK(watch.error().front().message.find("is the service's name") != std::string::npos);
    }
  }
}
