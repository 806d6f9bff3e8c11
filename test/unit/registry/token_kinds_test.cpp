#include <string>
#include <vector>

#include "unit/registry/world.hpp"

namespace tallyman::test {
namespace {

const std::string k_head = "HEAD https://ghcr.io/v2/acme/web/manifests/1";
const std::string k_image = "ghcr.io/acme/web:1";
const std::string k_challenge = R"(realm="https://ghcr.io/token?a=b",service="s p")";
const std::string k_post = "POST https://ghcr.io/token?a=b";
const std::string k_get =
    "GET https://ghcr.io/token?a=b&service=s%20p&scope=repository%3Aacme%2Fweb%3Apull&"
    "client_id=tallyman&account=robot%24shop%2Bpull";
const std::string k_form =
    "grant_type=refresh_token&service=s%20p&client_id=tallyman&"
    "scope=repository%3Aacme%2Fweb%3Apull&refresh_token=s3cr3t%2Bi%2F%3D%26";

void identity_token(World& world, const std::string& username = "") {
  world.add_file("config.json", R"({"auths":{"ghcr.io":{"username":")" + username +
                                    R"(","identitytoken":"s3cr3t+i/=&"}}})");
}
void registry_token(World& world) {
  world.add_file("config.json", R"({"auths":{"ghcr.io":{"registrytoken":"s3cr3t-r"}}})");
}

TEST_CASE("an identity token is POSTed to the realm, and only its token goes to the registry") {
  World world;
  identity_token(world, "robot$shop+pull");
  world.network[k_head] = {bearer(k_challenge), tag(some_digest('a'))};
  world.network[k_post] = {
      answer(200, {}, R"({"access_token":"s3cr3t-t","refresh_token":"s3cr3t-n","scope":"x"})")};
  REQUIRE(world.resolve(k_image).has_value());
  CHECK(world.lines() == Lines{k_head, k_post, k_head});
  CHECK(world.authorizations() == Lines{"", "", "Bearer s3cr3t-t"});
  const HttpRequest& post = world.http.requests[1];
  CHECK(post.body == k_form);
  CHECK(header_of(post, "Content-Type") == "application/x-www-form-urlencoded");
  CHECK(post.max_body == 64 * 1024);
  CHECK(post.verify_tls);
}

TEST_CASE("where POST is unknown the identity token is the password of a GET, if a name is known") {
  for (const long status : {404, 405, 501}) {
    CAPTURE(status);
    World world;
    identity_token(world, "robot$shop+pull");
    world.network[k_head] = {bearer(k_challenge), tag(some_digest('a'))};
    world.network[k_post] = {answer(status)};
    world.network[k_get] = {token("s3cr3t-t")};
    REQUIRE(world.resolve(k_image).has_value());
    CHECK(world.lines() == Lines{k_head, k_post, k_get, k_head});
    CHECK(world.authorizations()[2] == "Basic " + base64_encode("robot$shop+pull:s3cr3t+i/=&"));
    CHECK(world.http.requests[2].body.empty());
    World nameless;
    identity_token(nameless);
    nameless.network[k_head] = {bearer(k_challenge)};
    nameless.network[k_post] = {answer(status)};
    const Error error = nameless.failure(k_image);
    CHECK(error.kind == ErrorKind::auth);
    CHECK(contains(error.message, "takes no identity tokens"));
    CHECK(nameless.lines() == Lines{k_head, k_post});
  }
}

TEST_CASE("an identity token that is not taken") {
  for (const long status : {400, 401, 403}) {
    CAPTURE(status);
    World world;
    identity_token(world);
    world.network[k_head] = {bearer(k_challenge)};
    world.network[k_post] = {answer(status, {{"content-type", "application/json"}},
                                    R"({"error_description":"no s3cr3t+i/=& here"})")};
    const Error error = world.failure(k_image);
    CHECK(error.kind == ErrorKind::auth);
    CHECK(contains(error.message, "rejected the identity token"));
    CHECK(contains(error.remedy, "also for public images"));
    CHECK(world.lines() == Lines{k_head, k_post});
  }
  World busy;
  identity_token(busy);
  busy.network[k_head] = {bearer(k_challenge)};
  busy.network[k_post] = {answer(503)};
  CHECK(busy.failure(k_image).kind == ErrorKind::transient);
}

TEST_CASE("a login is redirected within its origin and as a POST, or not at all") {
  World world;
  identity_token(world);
  world.network[k_head] = {bearer(k_challenge), tag(some_digest('a'))};
  world.network[k_post] = {redirect("/other", 308)};
  world.network["POST https://ghcr.io/other"] = {token("s3cr3t-t")};
  CHECK(world.resolve(k_image).has_value());
  CHECK(world.http.requests[2].body == k_form);
  struct Row {
    std::string target;
    long status;
  };
  for (const Row& row : {Row{"https://auth.io/t", 307}, Row{"/other", 302}, Row{"/other", 303},
                         Row{"http://ghcr.io/t", 307}, Row{"https://10.0.0.1/t", 307}}) {
    CAPTURE(row.target);
    World bad;
    identity_token(bad);
    bad.network[k_head] = {bearer(k_challenge)};
    bad.network[k_post] = {redirect(row.target, row.status)};
    CHECK(bad.failure(k_image).kind == ErrorKind::protocol);
    CHECK(bad.lines() == Lines{k_head, k_post});
  }
}

TEST_CASE("a registry token is sent at once, to nobody but the registry") {
  World world;
  registry_token(world);
  world.network[k_head] = {bearer(k_challenge), tag(some_digest('a'))};
  REQUIRE(world.resolve(k_image).has_value());
  CHECK(world.lines() == Lines{k_head, k_head});
  CHECK(world.authorizations() == Lines{"", "Bearer s3cr3t-r"});

  World elsewhere;
  registry_token(elsewhere);
  elsewhere.network[k_head] = {redirect("https://cdn.io/v2/x")};
  elsewhere.network["HEAD https://cdn.io/v2/x"] = {bearer("realm=\"https://cdn.io/token\""),
                                                   tag(some_digest('a'))};
  elsewhere
      .network["GET https://cdn.io/token?scope=repository%3Aacme%2Fweb%3Apull&client_id=tallyman"] =
      {token("s3cr3t-t")};
  REQUIRE(elsewhere.resolve(k_image).has_value());
  CHECK(elsewhere.authorizations() == Lines{"", "", "", "Bearer s3cr3t-t"});
}

TEST_CASE("tokens are withheld where only the engine trusts the registry") {
  for (const bool identity : {true, false}) {
    World world;
    if (identity) {
      identity_token(world);
    } else {
      registry_token(world);
    }
    world.insecure.hosts = {"ghcr.io"};
    world.network[k_head] = {no_answer(TransportFailure::connect)};
    const std::string head = "HEAD http://ghcr.io/v2/acme/web/manifests/1";
    world.network[head] = {basic()};
    CHECK(contains(world.failure(k_image).message, "was withheld"));
    for (const HttpRequest& request : world.http.requests) {
      CHECK(request.body.empty());
      CHECK(header_of(request, "Authorization").empty());
    }
  }
}

TEST_CASE("a registry token that is not taken, or has no right") {
  World rejected;
  registry_token(rejected);
  rejected.network[k_head] = {bearer(k_challenge)};
  const Error error = rejected.failure(k_image);
  CHECK(error.kind == ErrorKind::auth);
  CHECK(contains(error.message, "rejected the registry token from "));
  CHECK(rejected.lines() == Lines{k_head, k_head});
  CHECK(rejected.failure(k_image).kind == ErrorKind::auth);
  World denied;
  registry_token(denied);
  denied.network[k_head] = {bearer(k_challenge), answer(403)};
  denied.network["GET https://ghcr.io/v2/acme/web/manifests/1"] = {answer(403)};
  CHECK(denied.failure(k_image).kind == ErrorKind::denied);
}

TEST_CASE("where Basic is wanted a token is of no use and stays here") {
  for (const bool identity : {true, false}) {
    World world;
    if (identity) {
      identity_token(world, "me");
    } else {
      registry_token(world);
    }
    world.network[k_head] = {basic()};
    const Error error = world.failure(k_image);
    CHECK(error.kind == ErrorKind::auth);
    CHECK(contains(error.message, "wants a user name and password"));
    CHECK(world.lines() == Lines{k_head});
  }
}

TEST_CASE("two namespaces of one registry are two clients with a token each") {
  World world;
  world.add_file("auth.json", R"({"auths":{
    "ghcr.io/acme":{"username":"one","password":"s3cr3t-1"},
    "ghcr.io/other":{"username":"two","password":"s3cr3t-2"}}})");
  // The same scope for both, as Gitea has it: only who asks differs.
  const std::string challenge = R"(realm="https://ghcr.io/token",scope="*")";
  const std::string ask = "GET https://ghcr.io/token?scope=%2A&client_id=tallyman&account=";
  for (const std::string name : {"acme", "other"}) {
    world.network["HEAD https://ghcr.io/v2/" + name + "/web/manifests/1"] = {bearer(challenge),
                                                                             tag(some_digest('a'))};
  }
  world.network[ask + "one"] = {token("s3cr3t-t1")};
  world.network[ask + "two"] = {token("s3cr3t-t2")};
  CHECK(world.resolve("ghcr.io/acme/web:1").has_value());
  CHECK(world.resolve("ghcr.io/other/web:1").has_value());
  CHECK(world.authorizations() ==
        Lines{"", "Basic " + base64_encode("one:s3cr3t-1"), "Bearer s3cr3t-t1", "",
              "Basic " + base64_encode("two:s3cr3t-2"), "Bearer s3cr3t-t2"});
  const auto credential = world.registry().credential(image_ref("ghcr.io/other/web"));
  REQUIRE(credential.has_value());
  CHECK((*credential)->username == "two");
}

}  // namespace
}  // namespace tallyman::test
