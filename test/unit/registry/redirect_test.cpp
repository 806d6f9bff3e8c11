#include <string>
#include <vector>

#include "unit/registry/world.hpp"

namespace tallyman::test {
namespace {

const char* const k_head = "HEAD https://harbor.lan/v2/shop/api/manifests/stable";
const char* const k_image = "harbor.lan/shop/api:stable";

TEST_CASE("redirects within the registry are followed with the authorization") {
  for (const long status : {301, 302, 303, 307, 308}) {
    CAPTURE(status);
    World world;
    world.section("harbor.lan", "robot", "s3cr3t");
    world.network[k_head] = {basic(), redirect("/v2/shop/library/api/manifests/stable", status)};
    world.network["HEAD https://harbor.lan/v2/shop/library/api/manifests/stable"] = {
        tag(some_digest('a'))};
    REQUIRE(world.resolve(k_image).has_value());
    const auto authorizations = world.authorizations();
    REQUIRE(authorizations.size() == 3);
    CHECK(authorizations[2] == "Basic " + base64_encode("robot:s3cr3t"));
  }
}

TEST_CASE("another path of the registry may want another scope") {
  World world;
  const std::string moved = "HEAD https://harbor.lan/v2/p/library/nginx/manifests/1";
  world.network["HEAD https://harbor.lan/v2/p/nginx/manifests/1"] = {
      bearer(R"(realm="/token",scope="repository:p/nginx:pull")"),
      redirect("/v2/p/library/nginx/manifests/1", 301)};
  world.network[moved] = {bearer(R"(realm="/token",scope="repository:p/library/nginx:pull")"),
                          tag(some_digest('a'))};
  world.network
      ["GET https://harbor.lan/token?scope=repository%3Ap%2Fnginx%3Apull&"
       "client_id=tallyman"] = {token("s3cr3t-1")};
  world.network
      ["GET https://harbor.lan/token?scope=repository%3Ap%2Flibrary%2Fnginx%3Apull&"
       "client_id=tallyman"] = {token("s3cr3t-2")};
  REQUIRE(world.resolve("harbor.lan/p/nginx:1").has_value());
  CHECK(world.authorizations() ==
        Lines{"", "", "Bearer s3cr3t-1", "Bearer s3cr3t-1", "", "Bearer s3cr3t-2"});
}

TEST_CASE("a redirect to another origin leaves the authorization behind") {
  for (const std::string target : {"https://cdn.lan", "https://harbor.lan:8443"}) {
    CAPTURE(target);
    World world;
    world.section("harbor.lan", "robot", "s3cr3t");
    world.network[k_head] = {basic(), redirect(target + "/x?sig=1")};
    world.network["HEAD " + target + "/x?sig=1"] = {tag(some_digest('a'))};
    REQUIRE(world.resolve(k_image).has_value());
    CHECK(world.authorizations() == Lines{"", "Basic " + base64_encode("robot:s3cr3t"), ""});
    CHECK(world.http.requests[2].verify_tls);
    CHECK_FALSE(contains(world.captured.text(), "sig=1"));
  }
}

TEST_CASE("where a registry redirects to we are anonymous, with a token of that place") {
  World world;
  world.section("lscr.io", "robot", "s3cr3t");
  world.section("ghcr.io", "other", "s3cr3t-too");
  world.network["HEAD https://lscr.io/v2/a/b/manifests/1"] = {
      redirect("https://ghcr.io/v2/a/b/manifests/1")};
  world.network["HEAD https://ghcr.io/v2/a/b/manifests/1"] = {
      bearer(R"(realm="https://ghcr.io/token",service="ghcr.io",scope="repository:a/b:pull")"),
      tag(some_digest('a'))};
  world.network
      ["GET https://ghcr.io/token?service=ghcr.io&scope=repository%3Aa%2Fb%3Apull&"
       "client_id=tallyman"] = {token("s3cr3t-t")};
  REQUIRE(world.resolve("lscr.io/a/b:1").has_value());
  CHECK(world.authorizations() == Lines{"", "", "", "Bearer s3cr3t-t"});
}

TEST_CASE("who wants a login where a registry redirects to does not get ours") {
  World world;
  world.section("harbor.lan", "robot", "s3cr3t");
  world.network[k_head] = {redirect("https://evil.lan/x")};
  world.network["HEAD https://evil.lan/x"] = {basic()};
  const Error error = world.failure(k_image);
  CHECK(error.kind == ErrorKind::auth);
  CHECK(contains(error.message, "evil.lan, where harbor.lan redirects to"));
  CHECK(world.authorizations() == Lines{"", ""});
}

TEST_CASE("plain_http for a registry that has moved to https is said") {
  World world;
  world.section("harbor.lan", "robot", "s3cr3t", true);
  world.network["HEAD http://harbor.lan/v2/shop/api/manifests/stable"] = {
      redirect("https://harbor.lan/v2/shop/api/manifests/stable")};
  world.network[k_head] = {basic()};
  const Error error = world.failure(k_image);
  CHECK(contains(error.remedy, "remove plain_http under [registry.\"harbor.lan\"]"));
  CHECK(world.authorizations() == Lines{"", ""});
}

TEST_CASE("redirects that lead nowhere good are not followed") {
  struct Row {
    std::string location, words;
  };
  const std::vector<Row> rows = {
      {"http://harbor.lan/x", "from https to http"},
      {"http://other.lan/x", "from https to http"},
      {"https://127.0.0.1/x", "an address of this host"},
      {"https://localhost/x", "an address of this host"},
      {"https://a.localhost/x", "an address of this host"},
      {"https://[::1]/x", "an address of this host"},
      {"https://0.0.0.0/x", "an address of this host"},
      {"https://[::ffff:127.0.0.1]/x", "an address of this host"},
      {"https://169.254.169.254/latest/meta-data", "an address of this host"},
      {"https://[fe80::1]/x", "an address of this host"},
      {"https://127.1/x", "no http or https URL"},
      {"https://u:p@other.lan/x", "no http or https URL"},
      {"ftp://other.lan/x", "no http or https URL"},
      {"https://other.lan/\x01", "no http or https URL"},
      {"", "no http or https URL"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.location);
    World world;
    world.network[k_head] = {redirect(row.location)};
    const Error error = world.failure(k_image);
    CHECK(error.kind == ErrorKind::protocol);
    CHECK_MESSAGE(contains(error.message, row.words), error.message);
    CHECK(world.lines() == Lines{k_head});
  }
}

TEST_CASE("a registry on this host may redirect to this host") {
  World world;
  world.section("127.0.0.1:5000", "robot", "s3cr3t", true);
  world.network["HEAD http://127.0.0.1:5000/v2/a/manifests/1"] = {
      redirect("http://127.0.0.1:5001/x")};
  world.network["HEAD http://127.0.0.1:5001/x"] = {tag(some_digest('a'))};
  CHECK(world.resolve("127.0.0.1:5000/a:1").has_value());
}

TEST_CASE("five redirects are followed, a sixth is not") {
  for (const int count : {5, 6}) {
    World world;
    world.network[k_head] = {redirect("https://harbor.lan/1")};
    for (int i = 1; i < count; ++i) {
      world.network["HEAD https://harbor.lan/" + std::to_string(i)] = {
          redirect("/" + std::to_string(i + 1))};
    }
    world.network["HEAD https://harbor.lan/" + std::to_string(count)] = {tag(some_digest('a'))};
    if (count == 5) {
      CHECK(world.resolve(k_image).has_value());
    } else {
      CHECK(contains(world.failure(k_image).message, "redirects more than 5 times"));
    }
    CHECK(world.http.requests.size() == 6);
  }
}

TEST_CASE("a redirect in a circle ends") {
  World world;
  world.network[k_head] = {redirect("https://harbor.lan/v2/shop/api/manifests/stable")};
  CHECK(world.failure(k_image).kind == ErrorKind::protocol);
  CHECK(world.http.requests.size() == 6);
}

}  // namespace
}  // namespace tallyman::test
