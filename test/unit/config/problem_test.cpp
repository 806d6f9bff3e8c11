#include "unit/config/support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using tallyman::Problem;
using tallyman::test::mistakes_of;

TEST_CASE("a problem names file, line, column and key, as far as they are known") {
  Problem problem{.file = "/etc/tallyman/conf.d/web.toml",
                  .line = 3,
                  .column = 1,
                  .key = "compose.servces",
                  .message = "unknown key; did you mean \"services\"?"};
  CHECK(problem.str() ==
        "/etc/tallyman/conf.d/web.toml:3:1: compose.servces: unknown key; did you mean "
        "\"services\"?");
  problem.key.clear();
  CHECK(problem.str() ==
        "/etc/tallyman/conf.d/web.toml:3:1: unknown key; did you mean \"services\"?");
  problem.line = 0;
  CHECK(problem.str() == "/etc/tallyman/conf.d/web.toml: unknown key; did you mean \"services\"?");
}

TEST_CASE("nothing that a file says can drive the terminal") {
  const auto has_control = [](const std::string& text) {
    return std::ranges::any_of(text, [](char c) {
      return (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == '\x7F';
    });
  };
  const std::string key = mistakes_of("\"\\u001B[31m\\u0085\\u007F\" = 1");
  CHECK_FALSE(has_control(key));
  CHECK(key.find(R"(\x1B[31m\xC2\x85\x7F)") != std::string::npos);
  const std::string value = mistakes_of("mode = \"\\u001B[31m\"\nimage = \"nginx\"");
  CHECK_FALSE(has_control(value));
  CHECK(value.find(R"(\x1B[31m)") != std::string::npos);
  const std::string file = mistakes_of("image = \"nginx\"", "/x/\x1B\xFFq.toml");
  CHECK_FALSE(has_control(file));
  CHECK(file.starts_with(R"(/x/\x1B\xFFq.toml: )"));
}

TEST_CASE("long keys and values are cut, at the end of a character") {
  const std::string key(500, 'k');
  CHECK(mistakes_of("image = \"nginx\"\n" + key + " = 1").find(key.substr(0, 81)) ==
        std::string::npos);
  std::string value = "x";
  for (int i = 0; i < 100; ++i) {
    value += "ä";
  }
  const auto text = mistakes_of("image = \"nginx\"\nmode = \"" + value + "\"");
  CHECK(text.find("ä…\" is no mode") != std::string::npos);
  CHECK(text.find("\\x") == std::string::npos);
}

TEST_CASE("mistakes come in the order of the file, and no more than anybody reads") {
  std::string text = "image = \"nginx\"\n";
  for (int i = 0; i < 250; ++i) {
    text += "wrong" + std::to_string(i) + " = 1\n";
  }
  const auto watch = tallyman::parse_drop_in(text, "web.toml");
  REQUIRE_FALSE(watch.has_value());
  REQUIRE(watch.error().size() == 101);
  CHECK(std::ranges::is_sorted(watch.error(), {}, &Problem::line));
  CHECK(watch.error().front().key == "wrong0");
  CHECK(watch.error().back().str() == "web.toml:102:1: … and 150 more mistakes in this file");
}
