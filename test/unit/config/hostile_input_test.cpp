#include "unit/config/support.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using tallyman::parse_drop_in;

namespace {

std::string full_example() {
  std::ifstream file(std::filesystem::path(TALLYMAN_SOURCE_DIR) / "conf.d/full.toml.example",
                     std::ios::binary);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Whatever comes in: a drop-in, or problems that have something to say.
bool is_sound(const std::string& text) {
  const auto watch = parse_drop_in(text, "web.toml");
  if (watch) {
    return watch->image.has_value() || !watch->compose.services.empty();
  }
  for (const auto& problem : watch.error()) {
    if (problem.message.empty() || problem.line < 0 || (problem.line > 0 && problem.column < 1)) {
      return false;
    }
  }
  return !watch.error().empty();
}

std::string mutated(std::string text, std::mt19937& random) {
  const std::vector<std::string_view> pieces = {
      "\"",
      "'",
      "\"\"\"",
      "'''",
      "[",
      "]",
      "[[",
      "{",
      "}",
      "=",
      ".",
      ",",
      "#",
      "\\",
      "\n",
      "\r",
      "\t",
      "\xEF\xBB\xBF",
      "\xC3",
      "ä",
      "\xFF",
      "0x",
      "1e9",
      "1979-05-",
      "T7:",
      "\\u00e4",
      "[compose]\n",
      "inf",
      "nan",
      "true",
      "_",
      "-",
      "+",
      ":",
      "9223372036854775808",
      "“",
  };
  const auto below = [&random](std::size_t limit) { return random() % limit; };
  for (auto count = 1 + below(6); count > 0; --count) {
    const auto at = below(text.size() + 1);
    switch (below(4)) {
      case 0:
        text.insert(at, pieces[below(pieces.size())]);
        break;
      case 1:
        text.erase(at, 1 + below(20));
        break;
      case 2:
        text.insert(at, text.substr(below(text.size() + 1), 1 + below(60)));
        break;
      default:
        text.insert(text.begin() + static_cast<std::ptrdiff_t>(at),
                    static_cast<char>(static_cast<unsigned char>(below(256))));
    }
  }
  return text;
}

}  // namespace

TEST_CASE("every beginning of a drop-in gives a drop-in or problems") {
  const std::string text = full_example();
  for (std::size_t length = 0; length <= text.size(); ++length) {
    CAPTURE(length);
    CHECK(is_sound(text.substr(0, length)));
  }
}

TEST_CASE("bytes that went wrong give a drop-in or problems") {
  const std::string text = full_example();
  std::mt19937 random(20'260'807);  // the same ones each time
  for (int round = 0; round < 600; ++round) {
    const std::string bytes = mutated(text, random);
    CAPTURE(round);
    CHECK(is_sound(bytes));
  }
}

TEST_CASE("bytes that toml++ must not stumble over") {
  const std::vector<std::string> inputs = {
      "\xEF\xBB\xBB*",
      "\xEF\xBB\xBF",
      "\xEF\xBB",
      "\xEF",
      "a = 5\"ä\"",
      "a = 5'\xEF\xBB\xBB'",
      "a = \"\"\"\\\n  ä\"\"\"",
      "a = \"\"\"\\ä\"\"\"",
      "a=1979-05-27Tx",
      "[=",
      "[ #",
      "[\n",
      "[[",
      "[[=",
      "a = [\n=",
      "a = {=",
      "a = {\n",
      "a = 1979-05-27 \"ä",
      "\"ä\" = 1",
      "a = \"\xC2\x85\"",
      "a = +",
      "a = -",
      "a = 0x",
      "a = 1_",
      "a = 1e",
      "a = .5",
      "a = '\xF0\x9F\x9A\xA2' \"",
      "a.\"ä\" . 'ö' = 1",
      "a = \"\\UFFFFFFFF\"",
      "a = \"\\ud800\"",
  };
  for (const std::string& input : inputs) {
    CAPTURE(input);
    CHECK(is_sound(input));
  }
}
