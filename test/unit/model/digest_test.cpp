#include "tallyman/model/digest.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using tallyman::Digest;
using tallyman::ErrorKind;

namespace {

constexpr std::string_view k_short = "4be7d0c1a2f3";

std::string hex() {
  return std::string(k_short) + std::string(52, '0');
}

}  // namespace

TEST_CASE("a sha256 digest is taken apart") {
  const auto digest = Digest::parse("sha256:" + hex());
  REQUIRE(digest.has_value());
  CHECK(digest->str() == "sha256:" + hex());
  CHECK(digest->algorithm() == "sha256");
  CHECK(digest->hex() == hex());
  CHECK(digest->short_hex() == k_short);
}

TEST_CASE("a sha512 digest is taken apart") {
  const auto digest = Digest::parse("sha512:" + hex() + hex());
  REQUIRE(digest.has_value());
  CHECK(digest->algorithm() == "sha512");
  CHECK(digest->hex() == hex() + hex());
  CHECK(digest->short_hex() == k_short);
}

TEST_CASE("what is no digest is a protocol error") {
  struct Row {
    std::string text;
    std::string_view says;
  };
  const std::vector<Row> rows = {
      {"", "no algorithm"},
      {":", "not supported"},
      {"sha256", "no algorithm"},
      {hex(), "no algorithm"},
      {"sha256:", "has 0 characters"},
      {":" + hex(), "not supported"},
      {"sha256:" + hex().substr(1), "63 characters"},
      {"sha256:" + hex() + "0", "65 characters"},
      {"sha512:" + hex(), "not 128"},
      {"sha256:" + hex().substr(1) + "A", "lower-case hex"},
      {"sha256:" + hex().substr(1) + "g", "lower-case hex"},
      {"sha256:" + hex().substr(1) + ":", "lower-case hex"},
      {"sha256:" + hex().substr(1) + std::string(1, '\0'), "lower-case hex"},
      {"SHA256:" + hex(), "not supported"},
      {" sha256:" + hex(), "not supported"},
      {"sha256:" + hex() + " ", "65 characters"},
      {"sha384:" + std::string(96, 'a'), "not supported"},
      {"sha256+b64:" + hex(), "not supported"},
      {"md5:d41d8cd98f00b204e9800998ecf8427e", "not supported"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto digest = Digest::parse(row.text);
    REQUIRE_FALSE(digest.has_value());
    CHECK(digest.error().kind == ErrorKind::protocol);
    CAPTURE(digest.error().message);
    CHECK(digest.error().message.find(row.says) != std::string::npos);
  }
}

TEST_CASE("the message about a bad digest is short and has no control characters") {
  const auto digest = Digest::parse("sha256:\x1b[2J\n" + std::string(100'000, 'a'));
  REQUIRE_FALSE(digest.has_value());
  CHECK(digest.error().message.size() < 1'000);
  CHECK(digest.error().message.find('\x1b') == std::string::npos);
  CHECK(digest.error().message.find('\n') == std::string::npos);
  CHECK(digest.error().message.find("\\x1b[2J\\x0a") != std::string::npos);
}

TEST_CASE("digests compare by their text") {
  const auto low = Digest::parse("sha256:" + std::string(64, '0'));
  const auto high = Digest::parse("sha256:" + std::string(64, 'f'));
  REQUIRE(low.has_value());
  REQUIRE(high.has_value());
  CHECK(*low < *high);
  CHECK(*low == *Digest::parse("sha256:" + std::string(64, '0')));
  CHECK(*low != *high);
}
