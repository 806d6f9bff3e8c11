#include "unit/config/support.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using tallyman::test::mistakes_of;

namespace {

struct Row {
  std::string text;
  std::string_view mistakes;
};

void check_all(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(mistakes_of(row.text) == row.mistakes);
  }
}

std::string repeated(std::string_view text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) {
    result += text;
  }
  return result;
}

}  // namespace

TEST_CASE("what is not TOML is said in words of what was meant") {
  check_all({
      {"image = nginx:latest",
       "web.toml:1:10: not valid TOML: text must stand in quotes: image = \"…\""},
      {"\n  image = ghcr.io/acme/web # mine",
       "web.toml:2:11: not valid TOML: text must stand in quotes: image = \"…\""},
      {"image = \"a\"\n[compose]\ntimeout = 10m",
       "web.toml:3:13: not valid TOML: text must stand in quotes: timeout = \"…\""},
      {"flag = yes", "web.toml:1:8: not valid TOML: write flag = true or flag = false"},
      {"flag = True", "web.toml:1:8: not valid TOML: write flag = true or flag = false"},
      {"image =", "web.toml:1:8: not valid TOML: image has no value"},
      {"image = # \"nginx\"\n", "web.toml:1:9: not valid TOML: image has no value"},
      {"image: nginx",
       "web.toml:1:6: not valid TOML: a key and its value are joined by =, not by a colon"},
      {"[registry.h.lan:80]\n",
       "web.toml:1:16: not valid TOML: a domain in a section's name needs quotes: "
       "[registry.\"harbor.lan:8443\"]"},
      {"image = \"a\"\nimage = \"b\"",
       "web.toml:2:9: it is there already: cannot redefine existing string 'image'"},
      {"[compose]\n[compose]\n",
       "web.toml:2:1: it is there already: cannot redefine existing table 'compose'"},
      {"[compose]\nservices = [\"a\" \"b\"]",
       "web.toml:2:17: not valid TOML: array: expected comma or closing ']', saw '\"'"},
  });
}

TEST_CASE("a string without an end is found where it begins, also at the end of the file") {
  check_all({
      {"image = \"nginx",
       "web.toml:1:9: not valid TOML: the \" that opens here is not closed in its line"},
      {"image = \"nginx\nmode = \"auto\"",
       "web.toml:1:9: not valid TOML: the \" that opens here is not closed in its line"},
      {"image = \"",
       "web.toml:1:9: not valid TOML: the \" that opens here is not closed in its line"},
      {"image = \"a\\",
       "web.toml:1:9: not valid TOML: the \" that opens here is not closed in its line"},
      {"image = \"a\\\"",
       "web.toml:1:9: not valid TOML: the \" that opens here is not closed in its line"},
      {"image = 'a\\'b'",
       "web.toml:1:14: not valid TOML: the ' that opens here is not closed in its line"},
      {"a = 1\nimage = \"\"\"nginx\nmode = \"\"\n",
       "web.toml:2:9: not valid TOML: the \"\"\" that opens here is never closed"},
      {"image = '''", "web.toml:1:9: not valid TOML: the ''' that opens here is never closed"},
  });
}

TEST_CASE("quotes next to the closing ones belong to the text") {
  check_all({
      {"image = \"nginx\"\n[compose.environment]\nA = \"\"\"\"x\"\"\"\"\"\nB = ''''y'''''\nC = "
       "\"\"",
       ""},
      {"image = \"nginx\"\n[compose.environment]\nA = \"# no comment\" # a \"comment\nB = 'c:\\'\n",
       ""},
  });
}

TEST_CASE("characters outside of ASCII are refused where TOML has none") {
  check_all({
      {"image = “nginx”",
       "web.toml:1:9: not valid TOML: U+201C cannot stand outside of quotes; this is a typographic "
       "quote, write a plain \""},
      {"image\xC2\xA0= \"nginx\"",
       "web.toml:1:6: not valid TOML: U+00A0 cannot stand outside of quotes; this is a special "
       "space, write a plain one"},
      {"größe = 1",
       "web.toml:1:3: not valid TOML: U+00F6 cannot stand outside of quotes; text must stand in "
       "quotes"},
      {"# ä\nx = 'ä' 🚢",
       "web.toml:2:9: not valid TOML: U+1F6A2 cannot stand outside of quotes; text must stand in "
       "quotes"},
      {"\xEF\xBB\xBB*",
       "web.toml:1:1: not valid TOML: U+FEFB cannot stand outside of quotes; text must stand in "
       "quotes"},
      {"\xEF\xBB\xBF\xEF\xBB\xBFimage = \"nginx\"",
       "web.toml:1:1: not valid TOML: U+FEFF cannot stand outside of quotes; this is a special "
       "space, write a plain one"},
  });
}

TEST_CASE("what is no text at all says so, with the first bad byte's place") {
  check_all({
      {std::string("image\0 = 1", 10), "web.toml:1:6: a NUL byte: this is not a text file"},
      {"# ä\n# ö\xFF",
       "web.toml:2:4: not UTF-8: the byte 0xFF cannot stand here; save the file as "
       "UTF-8"},
      {"image = \"gr\xF6\xDF"
       "e\"",
       "web.toml:1:12: not UTF-8: the byte 0xF6 cannot stand here; save the file as UTF-8"},
      {"# \xED\xA0\x80",
       "web.toml:1:3: not UTF-8: the byte 0xED cannot stand here; save the file "
       "as UTF-8"},
      {"# \xC0\xAF",
       "web.toml:1:3: not UTF-8: the byte 0xC0 cannot stand here; save the file as "
       "UTF-8"},
      {"# ä\xC3",
       "web.toml:1:4: not UTF-8: the byte 0xC3 cannot stand here; save the file as "
       "UTF-8"},
      {std::string("\xFF\xFEi\0m\0", 6),
       "web.toml:1:1: not UTF-8: the byte 0xFF cannot stand here; this looks like UTF-16, save the "
       "file as UTF-8"},
  });
}

TEST_CASE("size and depth are bounded") {
  const std::string image = "image = \"nginx\"\n";
  const std::size_t limit = std::size_t{1024} * 1024;
  CHECK(mistakes_of(image + std::string(limit - image.size(), '#')).empty());
  CHECK(mistakes_of(image + std::string(limit - image.size() + 1, '#')) ==
        "web.toml: larger than 1024 KiB");
  CHECK(mistakes_of("a = " + repeated("[", 100'000)) ==
        "web.toml:1:37: values are nested too deeply");
  CHECK(mistakes_of("a = " + repeated("{a=", 100'000)).find("nested too deeply") !=
        std::string::npos);
  CHECK(mistakes_of(repeated("a.", 100'000) + "b = 1") ==
        "web.toml:1:32: a key with more than 16 parts");
  CHECK(mistakes_of("[" + repeated("a . ", 100'000) + "b]") ==
        "web.toml:1:64: a key with more than 16 parts");
  CHECK(mistakes_of(image + "a = [" + repeated("0.5, ", 1000) + "]") ==
        "web.toml:2:1: a: unknown key; known here: image, mode, stable_checks, after, compose, "
        "health, rollback, "
        "redeploy, hooks");
}
