#include <string>
#include <vector>

#include "unit/registry/faults.hpp"

namespace tallyman::test {
namespace {

const std::string k_bearer =
    R"(Bearer realm="/token",service="s",scope="repository:shop/api:pull")";

/// Gives a token to everybody, and the tag to who has it.
ScriptedServer::Script challenging(const std::vector<std::string>& challenges) {
  return [challenges](const RecordedRequest& request) -> ScriptedAnswer {
    if (request.target.starts_with("/token")) {
      return {200, {}, "{\"token\":\"" + k_token + "\"}"};
    }
    if (request.header("authorization") == "Bearer " + k_token) {
      return good_tag();
    }
    ScriptedAnswer answer{401};
    for (const std::string& challenge : challenges) {
      answer.headers.emplace_back("WWW-Authenticate", challenge);
    }
    return answer;
  };
}

struct Row {
  std::string name;
  std::vector<std::string> challenges;
  Expected expected = {};
};

std::string repeated(std::string_view text, int times) {
  std::string all;
  while (times-- > 0) {
    all += text;
  }
  return all;
}

TEST_CASE("faults: challenges that are understood, however they are written") {
  const std::string asked =
      "/token?service=s&scope=repository%3Ashop%2Fapi%3Apull&client_id=tallyman";
  for (const Row& row : std::vector<Row>{
           {"as it should be", {k_bearer}},
           {"lower case", {R"(bearer realm="/token",service="s")"}},
           {"upper case", {R"(BEARER REALM="/token",SERVICE="s")"}},
           {"unquoted", {"Bearer realm=/token,service=s,scope=repository:shop/api:pull"}},
           {"blanks everywhere", {R"(  Bearer   realm = "/token" ,  service =  "s"  ,)"}},
           {"empty elements", {R"(, ,Bearer realm="/token",,,service="s",)"}},
           {"escapes", {R"(Bearer realm="\/tok\en",service="\s")"}},
           {"no scope", {R"(Bearer realm="/token",service="s")"}},
           {"an empty scope", {R"(Bearer realm="/token",service="s",scope="")"}},
           {"with an error", {R"(Bearer error="invalid_token",realm="/token",service="s")"}},
           {"a realm twice: the first counts",
            {R"(Bearer realm="/token",service="s",realm="https://10.0.0.1/token")"}},
           {"Basic before, one header", {R"(Basic realm="x", Bearer realm="/token",service="s")"}},
           {"Basic after, one header", {R"(Bearer realm="/token",service="s", Basic realm="x")"}},
           {"Basic before, two headers", {R"(Basic realm="x")", k_bearer}},
           {"Basic after, two headers", {k_bearer, R"(Basic realm="x")"}},
           {"Negotiate before, one header", {"Negotiate, " + k_bearer}},
           {"Negotiate and NTLM, three headers", {"Negotiate", "NTLM", k_bearer}},
           {"with their tokens", {"Negotiate YIIabc==", "NTLM TlRMTVNTUAAC", k_bearer}},
           {"NTLM with a token, one header", {"NTLM TlRMTVNTUAAC=, " + k_bearer}},
           {"Digest beside it", {R"(Digest realm="a, b", nonce="c,d", qop="auth")", k_bearer}},
           {"an empty header before", {"", k_bearer}},
           {"a header of garbage before", {"=,=\"\\\",;;=Bearer", k_bearer}},
           {"a Bearer without realm before", {R"(Bearer service="x")", k_bearer}},
           {"a comma and a quote in a value",
            {R"(Basic realm="a\", Bearer realm=\"https://10.0.0.1/\"", )" + k_bearer}},
       }) {
    CAPTURE(row.name);
    ScriptedServer server(challenging(row.challenges));
    Loopback loopback;
    loopback.plain(server.host());
    const auto image = loopback.resolve(server.host() + "/shop/api:1");
    REQUIRE_MESSAGE(image.has_value(), (image ? "" : image.error().message));
    const auto requests = server.requests();
    REQUIRE(requests.size() == 3);
    CHECK(requests[1].target == asked);
    CHECK(requests[1].header("authorization").empty());
    CHECK(requests[2].method == "HEAD");
  }
}

TEST_CASE("faults: challenges that cannot be answered") {
  const Expected silent{ErrorKind::auth, "HOST wants a login (401) but does not say how"};
  const Expected no_url{ErrorKind::protocol,
                        "HOST names a token server that is no http or https URL"};
  const Expected plain{ErrorKind::protocol, "a token server without encryption",
                       "the configuration of HOST"};
  const Expected near{ErrorKind::protocol, "an address of this host or of a private network",
                      "let HOST name its token server by a host name"};
  const auto unsupported = [](const std::string& schemes) {
    return Expected{ErrorKind::auth,
                    "HOST wants a login (401) but only by " + schemes + ", which is not supported"};
  };
  const auto realm = [](const std::string& url) {
    return std::vector<std::string>{"Bearer realm=\"" + url + "\",service=\"s\""};
  };
  for (const Row& row : std::vector<Row>{
           {"none", {}, silent},
           {"an empty one", {""}, silent},
           {"several empty ones", {"", " ", "\t"}, silent},
           {"commas", {",,,,"}, silent},
           {"an open quote", {"\"Bearer"}, silent},
           {"an equals sign", {"="}, silent},
           {"Negotiate", {"Negotiate"}, unsupported("negotiate")},
           {"Negotiate and NTLM", {"Negotiate", "NTLM"}, unsupported("negotiate, ntlm")},
           {"Digest", {R"(Digest realm="x", nonce="y")"}, unsupported("digest")},
           {"Bearer without realm", {R"(Bearer service="s")"}, unsupported("bearer")},
           {"Bearer with an empty realm", realm(""), unsupported("bearer")},
           {"a realm without its closing quote",
            {R"(Bearer service=s, realm="/token)"},
            unsupported("bearer")},
           {"escapes in a scheme", {"\x1b[31mX realm=\"y\""}, silent},
           {"10 KB",
            {R"(Bearer x=")" + std::string(10'000, 'x') + R"(",realm="/token")"},
            unsupported("bearer")},
           {"a scheme of 10 KB", {std::string(10'000, 'x')}, silent},
           {"a thousand schemes",
            {repeated("Negotiate, ", 700)},
            {ErrorKind::auth, "HOST wants a login (401) but only by negotiate, negotiate"}},
           {"a thousand headers",
            std::vector<std::string>(1000, "Negotiate"),
            {ErrorKind::auth, "HOST wants a login (401) but only by negotiate, negotiate"}},
           {"60 KB", std::vector<std::string>(10, std::string(6000, ',')), silent},
           {"Basic without a credential",
            {R"(Basic realm="x")"},
            {ErrorKind::auth, "HOST refuses anonymous access (401)", "docker login HOST"}},
           {"a realm of a file", realm("file:///etc/passwd"), no_url},
           {"a realm of ftp", realm("ftp://127.0.0.1/token"), no_url},
           {"a realm of a script", realm("javascript:alert(1)"), no_url},
           {"a realm with a password", realm("https://user:pass@127.0.0.1/token"), no_url},
           {"a realm with a blank", realm("https://a b/token"), no_url},
           {"a realm with a backslash", realm(R"(https://127.0.0.1\\@evil.test/)"), no_url},
           {"a realm of 20 KB",
            {R"(Bearer realm="https://a.test/)" + std::string(20'000, 'x') + '"'},
            {ErrorKind::auth, "HOST wants a login"}},
           {"a realm of port 0", realm("https://a.test:0/"), no_url},
           {"a realm of a short address", realm("https://127.1/"), no_url},
           {"a realm of a hex address", realm("https://0x7f000001/"), no_url},
           {"a realm on http", realm("http://auth.test/token"), plain},
           {"a realm on http, other port", realm("http://127.0.0.1:1/token"), plain},
           {"a realm on http, other loopback", realm("http://127.0.0.2/token"), plain},
           {"a realm at link-local", realm("https://169.254.169.254/token"), near},
           {"a realm at [fe80::1]", realm("https://[fe80::1]/token"), near},
       }) {
    CAPTURE(row.name);
    ScriptedServer server(challenging(row.challenges));
    Loopback loopback;
    loopback.plain(server.host());
    const std::string image = server.host() + "/shop/api:1";
    check_fault(loopback.resolve(image), row.expected, server.host(), image);
    CHECK(server.requests().size() == 1);
  }
}

TEST_CASE("faults: a challenge on a 200 is not acted on") {
  ScriptedServer server([](const RecordedRequest&) {
    ScriptedAnswer answer = good_tag();
    answer.headers.emplace_back("WWW-Authenticate", k_bearer);
    return answer;
  });
  Loopback loopback;
  loopback.plain_with_credential(server.host());
  CHECK(loopback.resolve(server.host() + "/shop/api:1").has_value());
  CHECK(server.requests().size() == 1);
}

TEST_CASE("faults: a challenge for ever is answered once") {
  ScriptedServer server([](const RecordedRequest& request) -> ScriptedAnswer {
    if (request.target.starts_with("/token")) {
      return {200, {}, "{\"token\":\"" + k_token + "\"}"};
    }
    return {401, {{"WWW-Authenticate", k_bearer}}};
  });
  const std::string image = server.host() + "/shop/api:1";
  SUBCASE("anonymously") {
    Loopback loopback;
    loopback.plain(server.host());
    check_fault(loopback.resolve(image),
                {ErrorKind::auth, "HOST refuses anonymous access (401)", "docker login HOST"},
                server.host(), image);
  }
  SUBCASE("with a credential") {
    Loopback loopback;
    loopback.plain_with_credential(server.host());
    check_fault(loopback.resolve(image),
                {ErrorKind::denied, "HOST gives robot$shop+pull from", "may pull it"},
                server.host(), image);
  }
  CHECK(server.requests().size() == 3);
}

}  // namespace
}  // namespace tallyman::test
