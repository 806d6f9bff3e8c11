#include <string>
#include <vector>

#include "unit/registry/world.hpp"

namespace tallyman::test {
namespace {

const std::string k_head = "HEAD https://ghcr.io/v2/acme/web/manifests/1";
const std::string k_image = "ghcr.io/acme/web:1";
const std::string k_challenge =
    R"(realm="https://ghcr.io/token",service="ghcr.io",scope="repository:acme/web:pull")";
const std::string k_anonymous =
    "GET https://ghcr.io/token?service=ghcr.io&scope=repository%3Aacme%2Fweb%3Apull&"
    "client_id=tallyman";
const std::string k_as_me = k_anonymous + "&account=me%2Byou";
const std::string k_basic = "Basic " + base64_encode("me+you:s3cr3t");

TEST_CASE("an anonymous token is asked for and sent") {
  World world;
  world.network[k_head] = {bearer(k_challenge), tag(some_digest('a'))};
  world.network[k_anonymous] = {token("s3cr3t-t")};
  REQUIRE(world.resolve(k_image).has_value());
  CHECK(world.lines() == Lines{k_head, k_anonymous, k_head});
  CHECK(world.authorizations() == Lines{"", "", "Bearer s3cr3t-t"});
  CHECK(world.http.requests[1].max_body == 64 * 1024);
}

TEST_CASE("a credential goes to the realm, and only its token to the registry") {
  World world;
  world.section("ghcr.io", "me+you", "s3cr3t");
  world.network[k_head] = {bearer(k_challenge), tag(some_digest('a'))};
  world.network[k_as_me] = {token("s3cr3t-t")};
  REQUIRE(world.resolve(k_image).has_value());
  CHECK(world.lines() == Lines{k_head, k_as_me, k_head});
  CHECK(world.authorizations() == Lines{"", k_basic, "Bearer s3cr3t-t"});
}

TEST_CASE("three references of one repository share one token") {
  World world;
  std::vector<ImageReference> references;
  for (const std::string number : {"1", "2", "3"}) {
    world.network["HEAD https://ghcr.io/v2/acme/web/manifests/" + number] = {bearer(k_challenge),
                                                                             tag(some_digest('a'))};
    references.push_back(image_ref("ghcr.io/acme/web:" + number));
  }
  world.network[k_anonymous] = {token("s3cr3t-t")};
  for (const auto& image : world.registry().resolve(references)) {
    CHECK(image.has_value());
  }
  CHECK(world.asked("/token") == 1);
  CHECK(world.asked("HEAD ") == 6);
}

TEST_CASE("another repository needs another token, and two domains of one origin are two clients") {
  World world;
  world.section("ghcr.io", "me+you", "s3cr3t");
  world.network[k_head] = {bearer(k_challenge), tag(some_digest('a')), bearer(k_challenge),
                           tag(some_digest('a'))};
  world.network["HEAD https://ghcr.io/v2/acme/api/manifests/1"] = {
      tag(some_digest('b'))};  // who gives its tokens is known by then
  world.network[k_as_me] = {token("s3cr3t-1")};
  world.network[k_anonymous] = {token("s3cr3t-2")};
  world.network
      ["GET https://ghcr.io/token?service=ghcr.io&scope=repository%3Aacme%2Fapi%3Apull&"
       "client_id=tallyman&account=me%2Byou"] = {token("s3cr3t-3")};
  CHECK(world.resolve(k_image).has_value());
  CHECK(world.resolve("ghcr.io:443/acme/web:1").has_value());
  CHECK(world.resolve("ghcr.io/acme/api:1").has_value());
  CHECK(world.asked("/token") == 3);
  CHECK(world.authorizations() == Lines{"", k_basic, "Bearer s3cr3t-1", "", "", "Bearer s3cr3t-2",
                                        k_basic, "Bearer s3cr3t-3"});
}

TEST_CASE("the token's question is made of what the challenge says") {
  struct Row {
    std::string challenge, question;
  };
  const std::string scope = "scope=repository%3Aacme%2Fweb%3Apull&client_id=tallyman";
  for (const Row& row : {
           Row{R"(realm="https://auth.io/t")", "https://auth.io/t?" + scope},
           Row{R"(realm="https://auth.io/t?a=b",service="s p")",
               "https://auth.io/t?a=b&service=s%20p&" + scope},
           Row{R"(realm="/auth")", "https://ghcr.io/auth?" + scope},
           Row{R"(realm=https://auth.io/t,service=x)", "https://auth.io/t?service=x&" + scope},
           Row{R"(realm="https://auth.io/t",scope="*")",
               "https://auth.io/t?scope=%2A&client_id=tallyman"},
           Row{R"(realm="https://auth.io/t",scope="b:x:pull,push  a:y:pull")",
               "https://auth.io/t?scope=a%3Ay%3Apull&scope=b%3Ax%3Apull%2Cpush&client_id=tallyman"},
           Row{R"(realm="https://auth.io/t",scope="",error="invalid_token")",
               "https://auth.io/t?" + scope},
       }) {
    CAPTURE(row.challenge);
    World world;
    world.network[k_head] = {bearer(row.challenge), tag(some_digest('a'))};
    world.network["GET " + row.question] = {token("s3cr3t-t")};
    CHECK(world.resolve(k_image).has_value());
    CHECK(world.lines() == Lines{k_head, "GET " + row.question, k_head});
  }
}

TEST_CASE("nothing is sent to a realm that is not fit for it") {
  struct Row {
    std::string registry, realm;
    bool good;
  };
  for (const Row& row : {
           Row{"https://ghcr.io", "https://auth.docker.io/token", true},
           Row{"https://ghcr.io", "https://ghcr.io:8443/token", true},
           Row{"https://ghcr.io", "http://ghcr.io/token", false},
           Row{"https://ghcr.io", "http://auth.io/token", false},
           Row{"https://ghcr.io", "https://127.0.0.1/token", false},
           Row{"https://ghcr.io", "https://localhost/token", false},
           Row{"https://ghcr.io", "https://10.0.0.1/token", false},
           Row{"https://ghcr.io", "https://172.16.0.1/token", false},
           Row{"https://ghcr.io", "https://192.168.0.1/token", false},
           Row{"https://ghcr.io", "https://169.254.169.254/token", false},
           Row{"https://ghcr.io", "https://[::1]/token", false},
           Row{"https://ghcr.io", "https://[fd00::1]/token", false},
           Row{"https://ghcr.io", "https://0.0.0.0/token", false},
           Row{"https://ghcr.io", "https://u:p@auth.io/token", false},
           Row{"https://ghcr.io", "ftp://auth.io/token", false},
           Row{"https://10.0.0.1", "https://10.0.0.1/token", true},
           Row{"https://10.0.0.1", "https://10.0.0.1:8443/token", true},
           Row{"https://10.0.0.1", "https://10.0.0.2/token", true},
           Row{"https://10.0.0.1", "https://127.0.0.1/token", false},
           Row{"https://10.0.0.1", "https://169.254.169.254/token", false},
           Row{"http://10.0.0.1", "https://10.0.0.2/token", true},
           Row{"https://127.0.0.1", "https://127.0.0.2:5001/token", true},
           Row{"https://localhost", "https://10.0.0.2/token", true},
           Row{"http://10.0.0.1", "http://10.0.0.1/token", true},
           Row{"http://10.0.0.1", "https://10.0.0.1/token", true},
           Row{"http://10.0.0.1", "http://10.0.0.1:8080/token", false},
           Row{"http://10.0.0.1:5000", "http://10.0.0.1:5000/token", true},
           Row{"http://10.0.0.1", "http://auth.io/token", false},
       }) {
    CAPTURE(row.registry);
    CAPTURE(row.realm);
    World world;
    const std::string domain = row.registry.substr(row.registry.find("//") + 2);
    world.section(domain, "me", "s3cr3t", row.registry.starts_with("http:"));
    const std::string head = "HEAD " + row.registry + "/v2/a/manifests/1";
    world.network[head] = {bearer("realm=\"" + row.realm + "\""), tag(some_digest('a'))};
    world.network["GET " + row.realm +
                  "?scope=repository%3Aa%3Apull&client_id=tallyman&account=me"] = {
        token("s3cr3t-t")};
    const auto image = world.resolve(domain + "/a:1");
    CHECK(image.has_value() == row.good);
    CHECK(world.http.requests.size() == (row.good ? 3 : 1));
    if (!row.good) {
      CHECK(image.error().kind == ErrorKind::protocol);
    }
  }
}

TEST_CASE("a registry whose name leads into a private network may name a token server there") {
  struct Row {
    std::string peer, realm;
    bool good;
  };
  for (const Row& row : {
           Row{"10.0.0.5", "https://10.0.0.5/token", true},
           Row{"10.0.0.5", "https://192.168.7.1:8443/token", true},
           Row{"fd00::5", "https://10.0.0.6/token", true},
           Row{"10.0.0.5", "http://10.0.0.5/token", false},
           Row{"10.0.0.5", "https://127.0.0.1/token", false},
           Row{"10.0.0.5", "https://169.254.169.254/token", false},
           Row{"127.0.0.1", "https://127.0.0.1:5001/token", true},
           Row{"140.82.121.33", "https://10.0.0.5/token", false},
           Row{"", "https://10.0.0.5/token", false},  // behind a proxy nobody knows
       }) {
    CAPTURE(row.peer);
    CAPTURE(row.realm);
    World world;
    world.section("harbor.lan", "me", "s3cr3t");
    HttpResult challenge = bearer("realm=\"" + row.realm + "\"");
    challenge->peer = row.peer;
    world.network["HEAD https://harbor.lan/v2/a/manifests/1"] = {challenge, tag(some_digest('a'))};
    world.network["GET " + row.realm +
                  "?scope=repository%3Aa%3Apull&client_id=tallyman&account=me"] = {
        token("s3cr3t-t")};
    CHECK(world.resolve("harbor.lan/a:1").has_value() == row.good);
    CHECK(world.http.requests.size() == (row.good ? 3 : 1));
  }
}

TEST_CASE("a token server's redirect is followed without the credential, under the realm's rules") {
  World world;
  world.section("ghcr.io", "me+you", "s3cr3t");
  world.network[k_head] = {bearer(k_challenge), tag(some_digest('a'))};
  world.network[k_as_me] = {redirect("/other")};
  world.network["GET https://ghcr.io/other"] = {redirect("https://auth.io/t")};
  world.network["GET https://auth.io/t"] = {token("s3cr3t-t")};
  CHECK(world.resolve(k_image).has_value());
  CHECK(world.authorizations() == Lines{"", k_basic, k_basic, "", "Bearer s3cr3t-t"});
  for (const std::string target :
       {"http://ghcr.io/x", "https://10.0.0.1/x", "https://127.0.0.1/x"}) {
    World bad;
    bad.network[k_head] = {bearer(k_challenge)};
    bad.network[k_anonymous] = {redirect(target)};
    CHECK(bad.failure(k_image).kind == ErrorKind::protocol);
    CHECK(bad.http.requests.size() == 2);
  }
  World circle;
  circle.network[k_head] = {bearer(k_challenge)};
  circle.network[k_anonymous] = {redirect("?x")};
  circle.network["GET https://ghcr.io/token?x"] = {redirect("?x")};
  CHECK(circle.failure(k_image).kind == ErrorKind::protocol);
  CHECK(circle.http.requests.size() == 7);
}

TEST_CASE("token answers are taken in every form that has a token in it") {
  for (const std::string body : {
           R"({"token":"s3cr3t-t"})",
           R"({"access_token":"s3cr3t-t"})",
           R"({"token":"old","access_token":"s3cr3t-t","expires_in":300,"issued_at":7})",
           R"({"token":"s3cr3t-t","access_token":"","expires_in":"soon"})",
           R"({"token":"s3cr3t-t","access_token":null,"expires_in":-5})",
           R"({"token":"s3cr3t-t","expires_in":9223372036854775807})",
           R"({"token":"s3cr3t-t","expires_in":18446744073709551615})",
       }) {
    CAPTURE(body);
    World world;
    world.network[k_head] = {bearer(k_challenge), tag(some_digest('a'))};
    world.network[k_anonymous] = {answer(200, {}, body)};
    CHECK(world.resolve(k_image).has_value());
    CHECK(world.authorizations().back() == "Bearer s3cr3t-t");
  }
}

TEST_CASE("token answers without a usable token are protocol errors") {
  for (const std::string& body : {
           std::string(""),
           std::string("s3cr3t-t"),
           std::string("[]"),
           std::string("{}"),
           std::string(R"({"token":""})"),
           std::string(R"({"token":7})"),
           std::string(R"({"token":"s3cr3t)"),
           std::string(R"({"token":"s3cr3t\r\nX-Evil: 1"})"),
           std::string(R"({"token":"s3cr3t 2"})"),
           std::string(R"({"token":"s3cr3t\u00e9"})"),
           std::string(R"({"token":"s3cr3t","x":)") + std::string(40, '[') + std::string(40, ']') +
               "}",
           std::string(60'000, '['),
       }) {
    CAPTURE(body.substr(0, 60));
    World world;
    world.network[k_head] = {bearer(k_challenge)};
    world.network[k_anonymous] = {answer(200, {}, body)};
    const Error error = world.failure(k_image);
    CHECK(error.kind == ErrorKind::protocol);
    CHECK(contains(error.message, "ghcr.io"));
    CHECK(world.http.requests.size() == 2);
  }
}

TEST_CASE("a token server that gives no token is an error of its kind") {
  struct Row {
    HttpResult given;
    ErrorKind kind;
    std::string words;
  };
  for (const Row& row : {
           Row{answer(400), ErrorKind::protocol, "400"},
           Row{answer(404), ErrorKind::not_found, "404"},
           Row{answer(429, {{"retry-after", "9"}}), ErrorKind::rate_limited, "retry after 9 s"},
           Row{answer(503), ErrorKind::transient, "503"},
           Row{no_answer(TransportFailure::too_large), ErrorKind::transient,
               "token server of ghcr.io"},
           Row{no_answer(TransportFailure::resolve), ErrorKind::transient,
               "token server of ghcr.io"},
       }) {
    CAPTURE(row.words);
    World world;
    world.network[k_head] = {bearer(k_challenge)};
    world.network[k_anonymous] = {row.given};
    const Error error = world.failure(k_image);
    CHECK(error.kind == row.kind);
    CHECK_MESSAGE(contains(error.message, row.words), error.message);
  }
}

}  // namespace
}  // namespace tallyman::test
