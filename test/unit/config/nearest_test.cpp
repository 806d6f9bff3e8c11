#include "tallyman/config/config.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using tallyman::nearest;

TEST_CASE("a slip of the pen finds the key that was meant") {
  const std::vector<std::string_view> keys = {"image",   "mode",    "directory", "files",
                                              "project", "timeout", "env_files", "password_file"};
  struct Row {
    std::string_view word;
    std::string_view meant;
  };
  const std::vector<Row> rows = {
      {"image", "image"},
      {"imgae", "image"},   // neighbours swapped
      {"imag", "image"},    // one left out
      {"images", "image"},  // one too many
      {"imaga", "image"},   // one wrong
      {"Image", "image"},   // case
      {"env-files", "env_files"},
      {"ENV_FILES", "env_files"},
      {"envfiles", "env_files"},
      {"direktori", "directory"},
      {"pasword_fil", "password_file"},
      {"file", "files"},
      {"imgea", ""},  // two slips in a short word
      {"passwort", ""},
      {"health", ""},
      {"fo", ""},
      {"", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.word);
    CHECK(nearest(row.word, keys) == row.meant);
  }
}

TEST_CASE("the closest candidate wins, and the first of equals") {
  CHECK(nearest("profile", {"files", "profiles", "project"}) == "profiles");
  CHECK(nearest("cat", {"bat", "rat"}) == "bat");
  CHECK(nearest("abcdef", {"abcdxx", "abcdex"}) == "abcdex");
}

TEST_CASE("no candidates and very long words are no trouble") {
  CHECK(nearest("image", {}).empty());
  CHECK(nearest(std::string(1'000'000, 'a'), {"image"}).empty());
  const std::string long_key(65, 'a');
  CHECK(nearest(std::string(64, 'a'), {long_key}).empty());
  const std::string longest(64, 'a');
  CHECK(nearest(std::string(64, 'a'), {longest}) == longest);
}
