#include <string>
#include <vector>

#include "unit/registry/world.hpp"

namespace tallyman::test {
namespace {

const std::string k_path = "/v2/shop/api/manifests/stable";
const std::string k_https = "HEAD https://harbor.lan" + k_path;
const std::string k_http = "HEAD http://harbor.lan" + k_path;
const std::string k_probe = "GET http://harbor.lan/v2/";
const char* const k_image = "harbor.lan/shop/api:stable";

TEST_CASE("https, verified, is what a registry is spoken to by") {
  for (const bool has_section : {false, true}) {
    World world;
    if (has_section) {
      world.settings["harbor.lan"] = RegistrySettings{};
    }
    world.network[k_https] = {tag(some_digest('a'))};
    CHECK(world.resolve(k_image).has_value());
    CHECK(world.http.requests.front().verify_tls);
    CHECK(world.insecure_asked == 0);
  }
}

TEST_CASE("plain_http means http, with the credential, and nothing else is tried") {
  World world;
  world.section("harbor.lan", "robot", "s3cr3t", true);
  world.insecure.hosts = {"harbor.lan"};
  world.network[k_http] = {basic(), tag(some_digest('a'))};
  REQUIRE(world.resolve(k_image).has_value());
  CHECK(world.lines() == Lines{k_http, k_http});
  CHECK(world.authorizations()[1] == "Basic " + base64_encode("robot:s3cr3t"));
  CHECK(world.registry().describe_access(image_ref(k_image)) ==
        "http as robot from [registry.\"" + image_ref(k_image).domain() + "\"]");

  World dead;
  dead.settings["harbor.lan"] = {true, "", ""};
  dead.insecure.hosts = {"harbor.lan"};
  dead.network[k_http] = {no_answer(TransportFailure::connect)};
  CHECK(dead.failure(k_image).kind == ErrorKind::transient);
  CHECK(dead.lines() == Lines{k_http});
  CHECK(dead.insecure_asked == 0);
}

TEST_CASE("a certificate that is not trusted is an error with a remedy") {
  World world;
  world.network[k_https] = {no_answer(TransportFailure::certificate, "harbor.lan: self-signed")};
  const Error error = world.failure(k_image);
  CHECK(error.kind == ErrorKind::tls);
  CHECK(contains(error.message, "self-signed"));
  for (const std::string way :
       {"ca_file under [registry.\"harbor.lan\"]", "/etc/docker/certs.d/harbor.lan/ca.crt",
        "update-ca-certificates"}) {
    CHECK_MESSAGE(contains(error.remedy, way), error.remedy);
  }
  CHECK(world.lines() == Lines{k_https});
  CHECK(world.insecure_asked == 1);
}

TEST_CASE("an insecure registry's certificate is not looked at, and the credential stays here") {
  World world;
  world.section("harbor.lan", "robot", "s3cr3t");
  world.insecure.hosts = {"harbor.lan"};
  world.network[k_https] = {no_answer(TransportFailure::certificate), tag(some_digest('a'))};
  REQUIRE(world.resolve(k_image).has_value());
  CHECK(world.lines() == Lines{k_https, k_https});
  CHECK(world.http.requests[0].verify_tls);
  CHECK_FALSE(world.http.requests[1].verify_tls);
  CHECK(world.registry().describe_access(image_ref(k_image)) ==
        "https without verification, anonymous");
  CHECK_FALSE(world.registry().credential(image_ref(k_image))->has_value());

  world.network["HEAD https://harbor.lan/v2/b/manifests/1"] = {basic()};
  const Error error = world.failure("harbor.lan/b:1");
  CHECK(error.kind == ErrorKind::auth);
  CHECK(contains(error.message, "withheld"));
  CHECK(contains(error.remedy, "certificate of harbor.lan"));
  CHECK(world.authorizations() == Lines{"", "", ""});
  CHECK(world.insecure_asked == 1);
}

TEST_CASE("the certificates of others are looked at, whatever the engine says of the registry") {
  World world;
  world.insecure.hosts = {"harbor.lan", "auth.lan", "cdn.lan"};
  world.network[k_https] = {no_answer(TransportFailure::certificate),
                            bearer("realm=\"https://auth.lan/t\""), redirect("https://cdn.lan/x")};
  world.network["GET https://auth.lan/t?scope=repository%3Ashop%2Fapi%3Apull&client_id=tallyman"] =
      {token("s3cr3t-t")};
  world.network["HEAD https://cdn.lan/x"] = {tag(some_digest('a'))};
  REQUIRE(world.resolve(k_image).has_value());
  std::vector<bool> verified;
  verified.reserve(world.http.requests.size());
  for (const HttpRequest& request : world.http.requests) {
    verified.push_back(request.verify_tls);
  }
  CHECK(verified == std::vector<bool>{true, false, true, false, true});
}

TEST_CASE("the engine is asked once for all registries") {
  World world;
  world.network["HEAD https://a.lan/v2/x/manifests/1"] = {no_answer(TransportFailure::certificate)};
  world.network["HEAD https://b.lan/v2/x/manifests/1"] = {no_answer(TransportFailure::certificate)};
  (void)world.registry().resolve({image_ref("a.lan/x:1"), image_ref("b.lan/x:1")});
  CHECK(world.http.requests.size() == 2);
  CHECK(world.insecure_asked == 1);
}

TEST_CASE("an insecure registry that does not speak https is asked over http, anonymously") {
  struct Row {
    std::string domain, https, http;
    InsecureRegistries insecure;
  };
  const std::vector<Row> rows = {
      {"harbor.lan", "https://harbor.lan", "http://harbor.lan", {{}, {"harbor.lan"}}},
      {"zot.lan:8080", "https://zot.lan:8080", "http://zot.lan:8080", {{}, {"zot.lan:8080"}}},
      {"zot.lan:443", "https://zot.lan", "http://zot.lan:443", {{}, {"zot.lan:443"}}},
      {"172.21.138.103",
       "https://172.21.138.103",
       "http://172.21.138.103",
       {{"172.21.0.0/16"}, {}}},
      {"localhost:5000", "https://localhost:5000", "http://localhost:5000", {{"127.0.0.0/8"}, {}}},
  };
  for (const Row& row : rows) {
    for (const TransportFailure failure : {TransportFailure::connect, TransportFailure::tls}) {
      CAPTURE(row.domain);
      World world;
      world.section(row.domain, "robot", "s3cr3t");
      world.insecure = row.insecure;
      world.network["HEAD " + row.https + k_path] = {no_answer(failure)};
      world.network["HEAD " + row.http + k_path] = {tag(some_digest('a'))};
      REQUIRE(world.resolve(row.domain + "/shop/api:stable").has_value());
      REQUIRE(world.resolve(row.domain + "/shop/api:stable").has_value());
      CHECK(world.lines() == Lines{"HEAD " + row.https + k_path, "HEAD " + row.http + k_path,
                                   "HEAD " + row.http + k_path});
      CHECK(world.insecure_asked == 1);
      CHECK(world.registry().describe_access(image_ref(row.domain + "/x")) == "http, anonymous");
    }
  }
}

TEST_CASE("a login over http that only the engine allows is an error with a remedy") {
  World world;
  world.section("harbor.lan", "robot$shop+pull", "s3cr3t");
  world.insecure.hosts = {"harbor.lan"};
  world.network[k_https] = {no_answer(TransportFailure::connect)};
  world.network[k_http] = {
      bearer(R"(realm="http://harbor.lan/service/token",service="harbor-registry")")};
  world.network
      ["GET http://harbor.lan/service/token?service=harbor-registry&"
       "scope=repository%3Ashop%2Fapi%3Apull&client_id=tallyman"] = {token("s3cr3t-t")};
  const Error error = world.failure(k_image);
  CHECK(error.kind == ErrorKind::auth);
  CHECK(contains(error.message, "robot$shop+pull from [registry.\"harbor.lan\"] was withheld"));
  CHECK(contains(error.message, "the engine lists the registry as insecure"));
  CHECK(
      contains(error.remedy, "plain_http = true under [registry.\"harbor.lan\"] in tallyman.toml"));
  CHECK(world.authorizations() == Lines{"", "", "", "Bearer s3cr3t-t"});
}

TEST_CASE("a login over such http without any credential says what there is to do") {
  World world;
  world.insecure.hosts = {"harbor.lan"};
  world.network[k_https] = {no_answer(TransportFailure::connect)};
  world.network[k_http] = {basic()};
  const Error error = world.failure(k_image);
  CHECK(error.kind == ErrorKind::auth);
  CHECK(contains(error.message, "no credential for harbor.lan was found"));
  CHECK(contains(error.remedy, "plain_http = true"));
}

TEST_CASE("an insecure registry that answers neither way fails with both reasons") {
  World world;
  world.insecure.hosts = {"harbor.lan"};
  world.network[k_https] = {no_answer(TransportFailure::connect, "443 refused")};
  world.network[k_http] = {no_answer(TransportFailure::connect, "80 refused")};
  const Error error = world.failure(k_image);
  CHECK(contains(error.message, "443 refused"));
  CHECK(contains(error.message, "80 refused"));
  CHECK(world.lines() == Lines{k_https, k_http});
}

TEST_CASE("a registry that answers only over http is found out by one probe and not used") {
  for (const TransportFailure failure : {TransportFailure::connect, TransportFailure::tls}) {
    for (const long status : {200, 401, 404}) {
      World world;
      world.section("harbor.lan", "robot", "s3cr3t");
      world.insecure.hosts = {"other.lan", "harbor.lan:80"};
      world.network[k_https] = {no_answer(failure)};
      world.network[k_probe] = {answer(status)};
      const Error error = world.failure(k_image);
      CHECK(error.kind == ErrorKind::tls);
      CHECK(error.message ==
            "harbor.lan/shop/api:stable: harbor.lan refuses https on 443 but answers http on 80");
      CHECK(error.remedy ==
            "set plain_http = true under [registry.\"harbor.lan\"] in tallyman.toml");
      CHECK(world.failure(k_image).message == error.message);
      CHECK(world.lines() == Lines{k_https, k_probe});
      CHECK(world.authorizations() == Lines{"", ""});
      CHECK(world.http.requests[1].headers.empty());
    }
  }
}

TEST_CASE("the probe goes to the reference's own port") {
  World world;
  world.network["HEAD https://zot.lan:5000/v2/a/manifests/1"] = {no_answer(TransportFailure::tls)};
  world.network["GET http://zot.lan:5000/v2/"] = {answer(200)};
  CHECK(contains(world.failure("zot.lan:5000/a:1").message,
                 "zot.lan refuses https on 5000 but answers http on 5000"));
}

TEST_CASE("what the probe does not show is not said") {
  for (const HttpResult& probed : {no_answer(TransportFailure::connect, "80 refused"),
                                   redirect("https://harbor.lan/v2/", 301)}) {
    World world;
    world.network[k_https] = {no_answer(TransportFailure::connect, "443 refused")};
    world.network[k_probe] = {probed};
    const Error error = world.failure(k_image);
    CHECK(error.kind == ErrorKind::transient);
    CHECK(contains(error.message, "443 refused"));
    CHECK_FALSE(contains(error.message + error.remedy, "http on 80"));
    CHECK(world.lines() == Lines{k_https, k_probe});
  }
}

TEST_CASE("Docker Hub is never probed over http") {
  World world;
  world.network["HEAD https://registry-1.docker.io/v2/library/nginx/manifests/latest"] = {
      no_answer(TransportFailure::connect)};
  CHECK(world.failure("nginx:latest").kind == ErrorKind::transient);
  CHECK(world.http.requests.size() == 1);
}

TEST_CASE("failures that http would not mend are final") {
  for (const TransportFailure failure :
       {TransportFailure::resolve, TransportFailure::timeout, TransportFailure::cancelled,
        TransportFailure::proxy, TransportFailure::client_certificate}) {
    World world;
    world.insecure.hosts = {"harbor.lan"};
    world.network[k_https] = {no_answer(failure, "it is gone")};
    CHECK(contains(world.failure(k_image).message, "it is gone"));
    CHECK(contains(world.failure("harbor.lan/b:1").message, "it is gone"));
    CHECK(world.lines() == Lines{k_https});
    CHECK(world.insecure_asked == 0);
  }
}

TEST_CASE("one bad answer does not condemn a registry") {
  for (const TransportFailure failure :
       {TransportFailure::cut, TransportFailure::too_large, TransportFailure::other}) {
    World world;
    world.insecure.hosts = {"harbor.lan"};
    const bool again = failure == TransportFailure::cut;  // may be over in a moment
    world.network[k_https] = {no_answer(failure), tag(some_digest('a'))};
    CHECK(world.resolve(k_image).has_value() == again);
    CHECK(world.resolve(k_image).has_value());
    CHECK(world.insecure_asked == 0);
  }
}

TEST_CASE("a credential meant for https never goes over http, whatever falls back") {
  // The engine lists the registry; https worked for the first question and the token, say.
  World world;
  world.section("harbor.lan", "robot", "s3cr3t");
  world.insecure.hosts = {"harbor.lan"};
  world.network[k_https] = {no_answer(TransportFailure::tls)};
  world.network[k_http] = {bearer(R"(realm="https://harbor.lan/token")"), basic()};
  world.network
      ["GET https://harbor.lan/token?scope=repository%3Ashop%2Fapi%3Apull&"
       "client_id=tallyman"] = {token("s3cr3t-t")};
  const Error error = world.failure(k_image);
  CHECK(error.kind == ErrorKind::auth);
  for (const std::string& authorization : world.authorizations()) {
    CHECK_FALSE(authorization.starts_with("Basic"));
  }
  CHECK_FALSE(world.registry().credential(image_ref(k_image))->has_value());
}

TEST_CASE("without anybody to ask about insecure registries there are none") {
  World world;
  RemoteRegistry registry(world.http, world.credentials(), world.settings, {}, world.clock,
                          world.log);
  world.network[k_https] = {no_answer(TransportFailure::certificate)};
  CHECK(registry.resolve({image_ref(k_image)}).front().error().kind == ErrorKind::tls);
}

}  // namespace
}  // namespace tallyman::test
