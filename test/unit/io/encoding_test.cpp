#include "tallyman/io/encoding.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <tuple>
#include <utility>

using tallyman::base64_decode;
using tallyman::base64_encode;
using tallyman::base64url_encode;
using tallyman::cut_utf8;
using tallyman::is_utf8;
using tallyman::percent_encode;
using tallyman::sha256_hex;
using std::string_literals::operator""s;

TEST_CASE("sha256_hex gives the digests of FIPS 180-4") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("base64 goes both ways as in RFC 4648 section 10") {
  const std::array<std::pair<std::string, std::string>, 9> cases{{{"", ""},
                                                                  {"f", "Zg=="},
                                                                  {"fo", "Zm8="},
                                                                  {"foo", "Zm9v"},
                                                                  {"foob", "Zm9vYg=="},
                                                                  {"fooba", "Zm9vYmE="},
                                                                  {"foobar", "Zm9vYmFy"},
                                                                  {"\xff\xef\xbe"s, "/+++"},
                                                                  {"\0\0\0\0"s, "AAAAAA=="}}};
  for (const auto& [bytes, text] : cases) {
    CAPTURE(text);
    CHECK(base64_encode(bytes) == text);
    CHECK(base64_decode(text) == bytes);
  }
}

TEST_CASE("base64url uses - and _") {
  CHECK(base64url_encode("\xff\xef\xbe") == "_---");
  CHECK(base64url_encode("\xfb\xff") == "-_8=");
}

TEST_CASE("base64_decode passes over white space around the text only") {
  CHECK(base64_decode(" \t\r\nZm9v\n") == "foo");
  CHECK(base64_decode("  ") == "");
}

TEST_CASE("base64_decode refuses what is not strictly base64") {
  for (const char* text : {"Zg", "Zg=", "Zg===", "Zm9v=", "Zm 9v", "Zm\n9v", "Zm9-", "_---", "=",
                           "====", "Z===", "Zg==Zg==", "Zh==", "Zm9=", "Zm9v\x80"}) {
    CAPTURE(text);
    CHECK_FALSE(base64_decode(text).has_value());
  }
}

TEST_CASE("percent_encode keeps only the unreserved characters") {
  CHECK(percent_encode("AZaz09-._~") == "AZaz09-._~");
  CHECK(percent_encode("repository:a/b:pull,push") == "repository%3Aa%2Fb%3Apull%2Cpush");
  CHECK(percent_encode("a b+c%\n\xc3\xa9\xff"s + "\0"s) == "a%20b%2Bc%25%0A%C3%A9%FF%00");
}

TEST_CASE("cut_utf8 cuts between characters") {
  for (const auto& [text, most, expected] : {std::tuple{"", 3, ""},
                                             {"abc", 3, "abc"},
                                             {"abcd", 3, "abc"},
                                             {"abc", 0, ""},
                                             {"a\u00e4b", 3, "a\u00e4"},
                                             {"a\u00e4b", 2, "a"},
                                             {"a\u20acb", 3, "a"},
                                             {"a\u20acb", 4, "a\u20ac"},
                                             {"\U0001f6a2b", 3, ""},
                                             {"\U0001f6a2b", 4, "\U0001f6a2"},
                                             {"\u00e4", 2, "\u00e4"},
                                             {"a\x80\x80\x80", 3, ""},
                                             {"\xff\xff", 1, "\xff"}}) {
    CAPTURE(text);
    CAPTURE(most);
    CHECK(cut_utf8(text, static_cast<std::size_t>(most)) == expected);
  }
}

TEST_CASE("is_utf8 accepts all well-formed sequences") {
  for (const std::string& text :
       {""s, "plain"s, "\0"s, "\xc2\x80"s, "\xdf\xbf"s, "\xe0\xa0\x80"s, "\xed\x9f\xbf"s,
        "\xee\x80\x80"s, "\xef\xbf\xbf"s, "\xf0\x90\x80\x80"s, "\xf4\x8f\xbf\xbf"s,
        "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x9a\xa2z"s}) {
    CAPTURE(text);
    CHECK(is_utf8(text));
  }
}

TEST_CASE("is_utf8 refuses overlong forms, surrogates, what is above U+10FFFF, and fragments") {
  for (const std::string& text :
       {"\x80"s, "\xbf"s, "\xc0\x80"s, "\xc1\xbf"s, "\xe0\x9f\xbf"s, "\xed\xa0\x80"s,
        "\xed\xbf\xbf"s, "\xf0\x8f\xbf\xbf"s, "\xf4\x90\x80\x80"s, "\xf5\x80\x80\x80"s, "\xff"s,
        "\xc3"s, "\xe2\x82"s, "\xf0\x9f\x9a"s, "\xc3z"s, "\xe2\x82z"s, "\xf0\x9f\x9az"s,
        "good\xfe"s}) {
    CAPTURE(text);
    CHECK_FALSE(is_utf8(text));
  }
}
