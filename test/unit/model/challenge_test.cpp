#include "tallyman/model/challenge.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using tallyman::Challenge;
using tallyman::choose_challenge;
using tallyman::parse_challenges;

TEST_CASE("challenges of real registries and of the RFC are read") {
  struct Row {
    std::string_view what;
    std::vector<std::string> headers;
    std::vector<Challenge> challenges;
  };
  const std::vector<Row> rows = {
      {"GHCR",
       {R"(Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:o/i:pull")"},
       {{"bearer",
         {{"realm", "https://ghcr.io/token"},
          {"service", "ghcr.io"},
          {"scope", "repository:o/i:pull"}}}}},
      {"an error of distribution",
       {R"(Bearer realm="https://a/t",service="s",scope="x",error="invalid_token")"},
       {{"bearer",
         {{"realm", "https://a/t"},
          {"service", "s"},
          {"scope", "x"},
          {"error", "invalid_token"}}}}},
      {"zot, lower case and a realm without quotes",
       {R"(bearer realm=https://zot.lan:8443/auth/token,service=zot.lan,scope="repository:a:pull")"},
       {{"bearer",
         {{"realm", "https://zot.lan:8443/auth/token"},
          {"service", "zot.lan"},
          {"scope", "repository:a:pull"}}}}},
      {"a bare realm with a query",
       {"Bearer realm=http://h/t?a=b&c==,service=x"},
       {{"bearer", {{"realm", "http://h/t?a=b&c=="}, {"service", "x"}}}}},
      {"Harbor, basic", {R"(Basic realm="harbor")"}, {{"basic", {{"realm", "harbor"}}}}},
      {"Harbor, empty", {""}, {}},
      {"only white space and commas", {" ,\t, "}, {}},
      {"no header", {}, {}},
      {"commas within quotes",
       {R"(Bearer realm="https://a/t",scope="repository:a/b:pull,push repository:c:pull")"},
       {{"bearer",
         {{"realm", "https://a/t"}, {"scope", "repository:a/b:pull,push repository:c:pull"}}}}},
      {"two in one header",
       {R"(Bearer realm="https://a/t", service="s", Basic realm="b")"},
       {{"bearer", {{"realm", "https://a/t"}, {"service", "s"}}}, {"basic", {{"realm", "b"}}}}},
      {"two headers, as of old Gitea",
       {R"(Bearer realm="https://a/t")", R"(Basic realm="b")"},
       {{"bearer", {{"realm", "https://a/t"}}}, {"basic", {{"realm", "b"}}}}},
      {"escapes within quotes",
       {R"(Basic realm="say \"hi\", \\o/ \x")"},
       {{"basic", {{"realm", R"(say "hi", \o/ x)"}}}}},
      {"white space anywhere",
       {"  Bearer   realm = \"https://a/t\" ,\t service\t=\ts ,, scope= \"x\"  "},
       {{"bearer", {{"realm", "https://a/t"}, {"service", "s"}, {"scope", "x"}}}}},
      {"names in any case",
       {R"(BEARER Realm="https://A/T",SERVICE="S")"},
       {{"bearer", {{"realm", "https://A/T"}, {"service", "S"}}}}},
      {"a space where a comma belongs",
       {R"(Bearer realm="https://a/t" service="s" Basic realm="b")"},
       {{"bearer", {{"realm", "https://a/t"}, {"service", "s"}}}, {"basic", {{"realm", "b"}}}}},
      {"schemes without parameters",
       {R"(Negotiate, NTLM, Bearer realm="r")"},
       {{"negotiate", {}}, {"ntlm", {}}, {"bearer", {{"realm", "r"}}}}},
      {"a token68 is no parameter and no scheme",
       {R"(Negotiate YIIabc+/==, NTLM TlRMTVNTUAAC, Basic realm="b")"},
       {{"negotiate", {}}, {"ntlm", {}}, {"basic", {{"realm", "b"}}}}},
      {"the RFC's own example",
       {R"(Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"")"},
       {{"basic", {{"realm", "simple"}}},
        {"newauth", {{"realm", "apps"}, {"type", "1"}, {"title", R"(Login to "apps")"}}}}},
      {"empty values",
       {R"(Bearer realm="",service=)"},
       {{"bearer", {{"realm", ""}, {"service", ""}}}}},
      {"the first of two equal names counts",
       {R"(Bearer realm="https://good/t",realm="https://evil/t")"},
       {{"bearer", {{"realm", "https://good/t"}}}}},
      {"a name without a scheme",
       {R"(realm="x", Bearer realm="y")"},
       {{"bearer", {{"realm", "y"}}}}},
      {"parameters do not carry over to the next header",
       {"Bearer", R"(realm="x")"},
       {{"bearer", {}}}},
      {"a quote that is not closed",
       {R"(Bearer service="s",realm="https://a/t)"},
       {{"bearer", {{"service", "s"}}}}},
      {"a quote that ends in a backslash", {"Bearer realm=\"a\\"}, {{"bearer", {}}}},
      {"a value without a name",
       {R"(Bearer "a, Basic realm=b", realm="c")"},
       {{"bearer", {{"realm", "c"}}}}},
      {"an equals sign without a name",
       {R"(Bearer realm="c", ="a")"},
       {{"bearer", {{"realm", "c"}}}}},
      {"garbage before a good one",
       {R"(<html>; realm="evil", Bearer realm="y")"},
       {{"bearer", {{"realm", "y"}}}}},
      {"control characters in a value",
       {"Bearer realm=\"https://a/t\r\nX-Evil: 1\",service=\"s\""},
       {{"bearer", {{"service", "s"}}}}},
      {"bytes that are no text", {"\xff\xfe\x80=\x01\"\x02"}, {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const auto challenges = parse_challenges(row.headers);
    REQUIRE(challenges.size() == row.challenges.size());
    for (std::size_t i = 0; i < challenges.size(); ++i) {
      CHECK(challenges[i].scheme == row.challenges[i].scheme);
      CHECK(challenges[i].parameters == row.challenges[i].parameters);
    }
  }
}

TEST_CASE("a parameter that is missing is empty") {
  const Challenge challenge{"bearer", {{"realm", "r"}}};
  CHECK(challenge.get("realm") == "r");
  CHECK(challenge.get("scope").empty());
}

TEST_CASE("at most 16 challenges are kept, over all headers") {
  std::string many;
  for (int i = 0; i < 15; ++i) {
    many += "Basic realm=" + std::to_string(i) + ", ";
  }
  const auto challenges =
      parse_challenges({many, "Basic realm=15, Bearer realm=late, service=s", "Bearer realm=r"});
  REQUIRE(challenges.size() == 16);
  CHECK(challenges.back() == Challenge{"basic", {{"realm", "15"}}});
}

TEST_CASE("at most 32 parameters are kept") {
  std::string many = "Bearer p0=0";
  for (int i = 1; i < 40; ++i) {
    many += ",p" + std::to_string(i) + "=x";
  }
  const auto challenges = parse_challenges({many});
  REQUIRE(challenges.size() == 1);
  CHECK(challenges[0].parameters.size() == 32);
  CHECK(challenges[0].get("p31") == "x");
  CHECK(challenges[0].get("p32").empty());
}

TEST_CASE("of a long header only what is whole within 8 KiB counts") {
  const std::string head = "Bearer realm=r,pad=";
  for (const std::string_view tail : {",service=", ",service=\"", ","}) {
    CAPTURE(tail);
    // The last 3 characters of the value or scheme would be cut off.
    std::string header = head + std::string(8192 - head.size() - tail.size() - 5, 'p');
    header += tail;
    header += "wordword";
    const auto challenges = parse_challenges({header, "Basic realm=b"});
    REQUIRE(challenges.size() == 2);
    CHECK(challenges[0].parameters.size() == 2);
    CHECK(challenges[0].get("realm") == "r");
    CHECK(challenges[0].get("pad").front() == 'p');
    CHECK(challenges[1] == Challenge{"basic", {{"realm", "b"}}});
  }
}

TEST_CASE("the challenge to answer is Bearer with a realm, else Basic") {
  struct Row {
    std::string_view header;
    std::string_view scheme;
    std::string_view realm;
  };
  const std::vector<Row> rows = {
      {R"(Bearer realm="t", Basic realm="b")", "bearer", "t"},
      {R"(Basic realm="b", Bearer realm="t")", "bearer", "t"},
      {R"(Bearer realm="t1", Bearer realm="t2")", "bearer", "t1"},
      {R"(Basic realm="b1", Basic realm="b2")", "basic", "b1"},
      {R"(Bearer service="s", Basic realm="b")", "basic", "b"},
      {R"(Bearer realm="", Basic realm="b")", "basic", "b"},
      {R"(Bearer realm="", Bearer realm="t")", "bearer", "t"},
      {"Basic", "basic", ""},
      {R"(Negotiate, NTLM, Digest realm="d", Basic realm="b")", "basic", "b"},
      {R"(Negotiate, NTLM, Digest realm="d")", "", ""},
      {"Bearer", "", ""},
      {"", "", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.header);
    const auto chosen = choose_challenge(parse_challenges({std::string(row.header)}));
    REQUIRE(chosen.has_value() == !row.scheme.empty());
    if (chosen) {
      CHECK(chosen->scheme == row.scheme);
      CHECK(chosen->get("realm") == row.realm);
    }
  }
}
