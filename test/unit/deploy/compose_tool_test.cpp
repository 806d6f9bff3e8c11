#include <doctest/doctest.h>

#include "support/values.hpp"
#include "tallyman/deploy/compose_target.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

std::map<std::string, std::string> images_in(std::string_view text) {
  std::map<std::string, std::string> images;
  for (const auto& [name, service] : value_of(parse_compose_model(text))) {
    images.emplace(name, service.image);
  }
  return images;
}

}  // namespace

TEST_CASE("parse_compose_version reads what the releases print") {
  struct Row {
    const char* text;
    int major;
    int minor;
    int patch;
  };
  for (const Row& row :
       {Row{"2.26.1", 2, 26, 1}, Row{"v2.26.1-ds1\n", 2, 26, 1}, Row{"1.29.2\n", 1, 29, 2},
        Row{"5.1.0", 5, 1, 0}, Row{"2.40.3+ds1-0~deb13", 2, 40, 3}, Row{"v2.3", 2, 3, 0},
        Row{"1.25.0-rc1", 1, 25, 0}}) {
    CAPTURE(row.text);
    const auto tool = parse_compose_version(row.text);
    REQUIRE(tool.has_value());
    CHECK(tool->major == row.major);
    CHECK(tool->minor == row.minor);
    CHECK(tool->patch == row.patch);
  }
}

TEST_CASE("parse_compose_version takes nothing else for a version") {
  for (const char* text : {"", "v", "2", "2.", "2.x", "two", "-2.26.1", "2.-6", "vv2.26.1", "2 26",
                           "99999999999.1", "2.26.", "docker-compose version 1.29.2", "dev"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_compose_version(text).has_value());
  }
}

TEST_CASE("ComposeTool compares and names versions") {
  const ComposeTool tool{{"docker", "compose"}, 2, 26, 1};
  CHECK(tool.at_least(2, 26));
  CHECK(tool.at_least(2, 8));
  CHECK(tool.at_least(1, 99));
  CHECK_FALSE(tool.at_least(2, 27));
  CHECK_FALSE(tool.at_least(3, 0));
  CHECK_FALSE(tool.is_v1());
  CHECK(ComposeTool{{"docker-compose"}, 1, 29, 2}.is_v1());
  CHECK(tool.str() == "docker compose 2.26.1");
}

TEST_CASE("shell_line can be pasted into a shell") {
  struct Row {
    Command command;
    std::map<std::string, std::string> environment;
    const char* line;
  };
  const Row rows[] = {
      {{.argv = {"docker", "compose", "-p", "web", "up", "-d", "web"}, .directory = "/srv/web"},
       {{"IMAGE_CHANNEL", "stable"}},
       "cd /srv/web && IMAGE_CHANNEL=stable docker compose -p web up -d web"},
      {{.argv = {"docker", "-f", "a b.yaml", ""}, .directory = "/srv/it's"},
       {{"A", ""}, {"B", "$HOME;rm *"}},
       "cd '/srv/it'\\''s' && A='' B='$HOME;rm *' docker -f 'a b.yaml' ''"},
      {{.argv = {"x", "caf\u00e9", "a\nb", "@%+=:,./-_"}, .directory = "/"},
       {},
       "cd / && x 'caf\u00e9' 'a\nb' @%+=:,./-_"},
  };
  for (const Row& row : rows) {
    CHECK(shell_line(row.command, row.environment) == row.line);
  }
}

TEST_CASE("parse_compose_model reads what v2 prints") {
  const auto images = images_in(R"(name: shop
services:
  web:
    image: harbor.lan/shop/web:1
    environment:
      image: not this one
  api:
    build:
      context: /srv/shop
  number:
    image: 5
networks:
  default:
    name: shop_default
)");
  CHECK((images == std::map<std::string, std::string>{
                       {"api", ""}, {"number", "5"}, {"web", "harbor.lan/shop/web:1"}}));
}

TEST_CASE("parse_compose_model reads what v1 prints") {
  const auto images = images_in(R"(services:
  web:
    image: 'harbor.lan/shop/web:1'
    ports:
    - published: 80
      target: 80
version: '3.9'
)");
  CHECK((images == std::map<std::string, std::string>{{"web", "harbor.lan/shop/web:1"}}));
}

TEST_CASE("parse_compose_model: an image that is no text is none") {
  const auto images = images_in("services: {a: {image: [x]}, b: text, c: {image: }}");
  CHECK((images == std::map<std::string, std::string>{{"a", ""}, {"b", ""}, {"c", ""}}));
}

TEST_CASE("parse_compose_model refuses what is no model of compose") {
  for (const char* text : {"", "[]", "services: 5", "services: []", "version: '3'", "text",
                           "services:\n", "- a\n- b", "services: {[a]: {image: x}}",
                           "services: {a: {image: x}", "a: b: c", "\t\x01", "&a [*a, *b]"}) {
    CAPTURE(text);
    const auto images = parse_compose_model(text);
    CHECK(error_of(images).kind == ErrorKind::protocol);
    CHECK(contains(error_of(images).message, "compose config printed no "));
  }
}
