#include "unit/config/support.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using tallyman::parse_drop_in;
using tallyman::test::mistakes_of;
using Strings = std::vector<std::string>;

namespace {

struct Row {
  std::string_view line;
  std::string_view mistakes;
};

/// Of one line within [health] or [rollback]; it is line 3.
void check_all(std::string_view section, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.line);
    CHECK(mistakes_of("image = \"a\"\n[" + std::string(section) + "]\n" + std::string(row.line)) ==
          row.mistakes);
  }
}

std::optional<int> http_status_of(const std::string& text) {
  const auto watch = parse_drop_in(text, "web.toml");
  return watch ? watch->health.http_status : std::optional(-1);
}

}  // namespace

TEST_CASE("every key of [health] and [rollback] arrives where it belongs") {
  const auto watch = parse_drop_in(R"(
image = "nginx"
[health]
timeout = "2m"
settle = "0s"
http = ["http://127.0.0.1:3000/health?deep=1", "https://[::1]", "https://web.lan/@a:b"]
http_status = 204
tcp = ["127.0.0.1:5432", "[::1]:80", "db.lan:65535"]
command = ["wget", "-q", "http://127.0.0.1/ok"]
[rollback]
enabled = false
keep = 0
)",
                                   "web.toml");
  REQUIRE(watch.has_value());
  CHECK(watch->health.timeout == std::chrono::minutes(2));
  CHECK(watch->health.settle == std::chrono::seconds(0));
  CHECK(watch->health.http ==
        Strings{"http://127.0.0.1:3000/health?deep=1", "https://[::1]", "https://web.lan/@a:b"});
  CHECK(watch->health.http_status == 204);
  CHECK(watch->health.tcp == Strings{"127.0.0.1:5432", "[::1]:80", "db.lan:65535"});
  CHECK(watch->health.command == Strings{"wget", "-q", "http://127.0.0.1/ok"});
  CHECK_FALSE(watch->rollback.enabled);
  CHECK(watch->rollback.keep == 0);
}

TEST_CASE("empty sections say nothing, and that is fine") {
  const auto watch = parse_drop_in("image = 'a'\n[health]\n[rollback]\n", "web.toml");
  REQUIRE(watch.has_value());
  CHECK(watch->health.timeout == std::chrono::seconds(90));
  CHECK(watch->rollback.enabled);
  CHECK(watch->rollback.keep == 3);
}

TEST_CASE("timeout and settle have bounds") {
  check_all("health",
            {{"timeout = '1s'", ""},
             {"timeout = '1h'", ""},
             {"settle = '0s'", ""},
             {"settle = '1h'", ""},
             {"timeout = '999ms'",
              "web.toml:3:11: health.timeout: \"999ms\" is out of bounds: from \"1s\" to \"1h\""},
             {"timeout = '3601s'",
              "web.toml:3:11: health.timeout: \"3601s\" is out of bounds: from \"1s\" to \"1h\""},
             {"settle = '61m'",
              "web.toml:3:10: health.settle: \"61m\" is out of bounds: from \"0s\" to \"1h\""},
             {"settle = 10",
              "web.toml:3:10: health.settle: expected a string, found an integer; write settle = "
              "\"10s\""}});
  CHECK(mistakes_of("image = 'a'\nhealth.timeout = '10 min'")
            .starts_with("web.toml:2:18: health.timeout: \"10 min\""));
}

TEST_CASE("what is no URL to ask says why") {
  check_all(
      "health",
      {{"http = 'http://a/b c'",
        "web.toml:3:8: health.http: expected an array of strings, found a string; write "
        "[\"http://a/b c\"]"},
       {"http = []",
        "web.toml:3:8: health.http: an empty array says nothing; name at least one, or leave the "
        "key out"},
       {"http = ['http://a/', '127.0.0.1:80/x']",
        "web.toml:3:22: health.http: \"127.0.0.1:80/x\": a URL begins with http:// or https://"},
       {"http = ['ftp://a/']",
        "web.toml:3:9: health.http: \"ftp://a/\": a URL begins with http:// or https://"},
       {"http = ['']", "web.toml:3:9: health.http: \"\": a URL begins with http:// or https://"},
       {"http = ['http:///x']", "web.toml:3:9: health.http: \"http:///x\": it names no host"},
       {"http = ['http://:80']", "web.toml:3:9: health.http: \"http://:80\": it names no host"},
       {"http = ['https://?a']", "web.toml:3:9: health.http: \"https://?a\": it names no host"},
       {"http = ['http://a:0/']",
        "web.toml:3:9: health.http: \"http://a:0/\": its port is no number from 1 to 65535"},
       {"http = ['http://a:65536/']",
        "web.toml:3:9: health.http: \"http://a:65536/\": its port is no number from 1 to 65535"},
       {"http = ['http://a:/']",
        "web.toml:3:9: health.http: \"http://a:/\": its port is no number from 1 to 65535"},
       {"http = ['http://[::1]x/']",
        "web.toml:3:9: health.http: \"http://[::1]x/\": its port is no number from 1 to 65535"},
       {"http = ['http://::1/']",
        "web.toml:3:9: health.http: \"http://::1/\": an IPv6 address stands in brackets: "
        "\"[::1]:5432\""},
       {"http = ['http://[]/']",
        "web.toml:3:9: health.http: \"http://[]/\": no IPv6 address ends within these brackets"},
       {"http = ['http://[::1/']",
        "web.toml:3:9: health.http: \"http://[::1/\": no IPv6 address ends within these brackets"},
       {"http = ['http://a/b c']",
        "web.toml:3:9: health.http: \"http://a/b c\": a space or a control character in it; write "
        "%20 for a space"},
       {"http = [\"http://a/\\u001b[0m\"]",
        "web.toml:3:9: health.http: \"http://a/\\x1B[0m\": a space or a control character in it; "
        "write %20 for a space"},
       {"http = ['http://a/', 'http://a/']",
        "web.toml:3:22: health.http: \"http://a/\" is there twice"}});
}

TEST_CASE("a password within a URL is refused and not shown") {
  for (const auto* url : {"http://bob:s3cret@web.lan/", "https://s3cret@web.lan",
                          "http://bob:s3/cret@web.lan/", "http://bob:s3 cret@web.lan/"}) {
    CAPTURE(url);
    const auto mistakes = mistakes_of(std::string("image='a'\nhealth.http = ['") + url + "']");
    CHECK(mistakes.starts_with("web.toml:2:16: health.http: "));
    CHECK(mistakes.find("s3") == std::string::npos);
  }
  CHECK(mistakes_of("image='a'\nhealth.http = ['http://bob:s3cret@web.lan/']") ==
        "web.toml:2:16: health.http: user and password do not belong into a URL: they would be "
        "seen in messages; ask for something that needs none, or write a command");
}

TEST_CASE("what is no address to connect to says why") {
  check_all(
      "health",
      {{"tcp = 'db:5432'",
        "web.toml:3:7: health.tcp: expected an array of strings, found a string; write "
        "[\"db:5432\"]"},
       {"tcp = ['db']", "web.toml:3:8: health.tcp: \"db\": it names no port; write \"HOST:PORT\""},
       {"tcp = ['[::1]']",
        "web.toml:3:8: health.tcp: \"[::1]\": it names no port; write \"HOST:PORT\""},
       {"tcp = [':80']", "web.toml:3:8: health.tcp: \":80\": it names no host"},
       {"tcp = ['']", "web.toml:3:8: health.tcp: \"\": it names no host"},
       {"tcp = ['db:http']",
        "web.toml:3:8: health.tcp: \"db:http\": its port is no number from 1 to 65535"},
       {"tcp = ['db:-1']",
        "web.toml:3:8: health.tcp: \"db:-1\": its port is no number from 1 to 65535"},
       {"tcp = ['::1:80']",
        "web.toml:3:8: health.tcp: \"::1:80\": an IPv6 address stands in brackets: "
        "\"[::1]:5432\""},
       {"tcp = ['http://db:80']",
        "web.toml:3:8: health.tcp: \"http://db:80\": that is a URL; write it under http, or only "
        "its \"HOST:PORT\" here"},
       {"tcp = ['db:80/tcp']",
        "web.toml:3:8: health.tcp: \"db:80/tcp\": no address; write \"HOST:PORT\""},
       {"tcp = ['db :80']",
        "web.toml:3:8: health.tcp: \"db :80\": no address; write \"HOST:PORT\""},
       {"tcp = [5432]",
        "web.toml:3:8: health.tcp: expected only strings in here, found an integer"}});
}

TEST_CASE("a health command is checked like that of compose") {
  check_all(
      "health",
      {{"command = 'wget -q http://a/'",
        "web.toml:3:11: health.command: expected an array of strings, found a string; write "
        "[\"wget\", \"-q\", \"http://a/\"]"},
       {"command = [\"./ok\", \"\", \"a\\u0000\"]",
        "web.toml:3:12: health.command: a program is a name that PATH knows, or an absolute path; "
        "no shell reads this\n"
        "web.toml:3:20: health.command: an empty word\n"
        "web.toml:3:24: health.command: a word with a NUL byte in it"}});
}

TEST_CASE("a status is a number from 100 to 599, however TOML writes it") {
  const std::string section = "image = 'a'\n[health]\n";
  for (const auto* literal : {"200", "+200", "2_00", "0xC8", "0xc8", "0o310", "0b11001000"}) {
    CAPTURE(literal);
    CHECK(http_status_of(section + "http_status = " + literal) == 200);
    CHECK(http_status_of(section + "http_status =" + literal + "# c") == 200);
    CHECK(http_status_of(section + "http_status = " + literal + "\r\ntimeout = '2s'") == 200);
  }
  CHECK(http_status_of(section + "http_status = 100") == 100);
  CHECK(http_status_of(section + "http_status = 599") == 599);
  CHECK(http_status_of("\xEF\xBB\xBFimage = 'a' # für 東京\r\n\r\n\thealth.http_status = 404") ==
        404);
  CHECK(http_status_of(
            "image = 'a'\nhealth = { http = ['http://größe.東京/'], http_status = 201 }") == 201);
  CHECK(http_status_of("\xEF\xBB\xBFhealth.http_status = 202\nimage = 'a'") == 202);
  CHECK(http_status_of("image = '''\na'''\n[health]\nhttp_status=203") == 203);
  CHECK(http_status_of("image = 'a'\n[compose]\nenvironment.A = \"\"\"\nä\n\n\"\"\"\n[health]\n"
                       "http_status=203") == 203);
}

TEST_CASE("what is no such number says so") {
  check_all(
      "health",
      {{"http_status = 99",
        "web.toml:3:15: health.http_status: 99 is out of bounds: from 100 to 599"},
       {"http_status = 600",
        "web.toml:3:15: health.http_status: 600 is out of bounds: from 100 to 599"},
       {"http_status = -200",
        "web.toml:3:15: health.http_status: -200 is out of bounds: from 100 to 599"},
       {"http_status = 9223372036854775807",
        "web.toml:3:15: health.http_status: 9223372036854775807 is out of bounds: from 100 to "
        "599"},
       {"http_status = '200'",
        "web.toml:3:15: health.http_status: expected an integer, found a string; write http_status "
        "= 200"},
       {"http_status = 200.0",
        "web.toml:3:15: health.http_status: expected an integer, found a fractional number; write "
        "http_status = 200"},
       {"http_status = [200, 204]",
        "web.toml:3:15: health.http_status: expected an integer, found an array; write http_status "
        "= 200"},
       {"http_status = {a = 1}",
        "web.toml:3:15: health.http_status: expected an integer, found a table; write http_status "
        "= 200"}});
}

TEST_CASE("[rollback] is checked, too") {
  check_all(
      "rollback",
      {{"keep = 100", ""},
       {"keep = 0", ""},
       {"keep = 101", "web.toml:3:8: rollback.keep: 101 is out of bounds: from 0 to 100"},
       {"keep = -1", "web.toml:3:8: rollback.keep: -1 is out of bounds: from 0 to 100"},
       {"keep = true",
        "web.toml:3:8: rollback.keep: expected an integer, found a boolean; write keep = 3"},
       {"enabled = 'no'",
        "web.toml:3:11: rollback.enabled: expected a boolean, found a string; write true or false, "
        "without quotes"},
       {"enable = true", "web.toml:3:1: rollback.enable: unknown key; did you mean \"enabled\"?"},
       {"settle = '1s'",
        "web.toml:3:1: rollback.settle: unknown key; settle belongs under [health]"},
       {"banana = 1", "web.toml:3:1: rollback.banana: unknown key; known here: enabled, keep"}});
}

TEST_CASE("unknown keys and wrong types of [health]") {
  check_all(
      "health",
      {{"https = ['https://a']", "web.toml:3:1: health.https: unknown key; did you mean \"http\"?"},
       {"http-status = 200",
        "web.toml:3:1: health.http-status: unknown key; did you mean \"http_status\"?"},
       {"keep = 1", "web.toml:3:1: health.keep: unknown key; keep belongs under [rollback]"},
       {"banana = 1",
        "web.toml:3:1: health.banana: unknown key; known here: timeout, settle, http, "
        "http_status, tcp, command"}});
  CHECK(mistakes_of("image = 'a'\nhealth = 'yes'") ==
        "web.toml:2:10: health: expected a table, found a string; write it as a section, [health]");
  CHECK(mistakes_of("image = 'a'\n[[rollback]]\nkeep = 1") ==
        "web.toml:2:1: rollback: expected a table, found an array of tables; write [rollback] in "
        "single brackets");
}
