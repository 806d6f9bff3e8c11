#include <string>
#include <vector>

#include "unit/registry/world.hpp"

// The token first, where it is known who gives it.
namespace tallyman::test {
namespace {

const std::string k_head = "HEAD https://harbor.lan/v2/a/manifests/1";
const char* const k_image = "harbor.lan/a:1";
const std::string k_challenge = "realm=\"https://harbor.lan/t\",service=\"s\"";

std::string token_of(const std::string& repository, const std::string& realm = "harbor.lan/t") {
  return "GET https://" + realm + "?service=s&scope=repository%3A" + repository +
         "%3Apull&client_id=tallyman";
}

std::map<std::string, RegistryMemory> knows(const World& world, const std::string& realm) {
  RegistryMemory memory;
  memory.token_service = {realm, "s", world.clock.wall};
  return {{"harbor.lan", memory}};
}

TEST_CASE("a tick learns who gives tokens, and the next one draws no 401") {
  World world;
  world.network[k_head] = {bearer(k_challenge), tag(some_digest('a'))};
  world.network[token_of("a")] = {token("s3cr3t-t")};
  REQUIRE(world.resolve(k_image).has_value());
  const auto known = world.registry().known();
  REQUIRE(known.at("harbor.lan").token_service.has_value());
  CHECK(known.at("harbor.lan").token_service->realm == "https://harbor.lan/t");
  CHECK(known.at("harbor.lan").token_service->service == "s");

  World next;
  next.registry().recall(known);
  std::vector<ImageReference> references;
  Lines tokens;
  Lines heads;
  for (const std::string name : {"a", "b", "c"}) {
    const std::string head = "HEAD https://harbor.lan/v2/" + name + "/manifests/";
    next.network[token_of(name)] = {token("s3cr3t-" + name)};
    next.network[head + "1"] = next.network[head + "2"] = {tag(some_digest('a'))};
    references.push_back(image_ref("harbor.lan/" + name + ":1"));
    references.push_back(image_ref("harbor.lan/" + name + ":2"));
  }
  for (const auto& image : next.registry().resolve(references)) {
    REQUIRE(image.has_value());
  }
  CHECK(next.http.requests.size() == 9);
  CHECK(next.asked("GET https://harbor.lan/t") == 3);
  for (const HttpRequest& request : next.http.requests) {
    const bool is_head = request.method == "HEAD";
    CHECK(header_of(request, "Authorization").starts_with("Bearer s3cr3t-") == is_head);
  }
}

TEST_CASE("a registry that moved to another token server corrects what is known") {
  World world;
  world.registry().recall(knows(world, "https://harbor.lan/t"));
  world.network[token_of("a")] = {token("s3cr3t-stale")};
  world.network[k_head] = {bearer("realm=\"https://auth.lan/t\",service=\"s\""),
                           tag(some_digest('a'))};
  world.network[token_of("a", "auth.lan/t")] = {token("s3cr3t-fresh")};
  REQUIRE(world.resolve(k_image).has_value());
  CHECK(world.lines() == Lines{token_of("a"), k_head, token_of("a", "auth.lan/t"), k_head});
  CHECK(world.authorizations()[3] == "Bearer s3cr3t-fresh");
  CHECK(world.registry().known().at("harbor.lan").token_service->realm == "https://auth.lan/t");
}

TEST_CASE(
    "a token server that is gone is forgotten, and the registry asked as if nothing was known") {
  for (const HttpResult& gone :
       {answer(404), answer(500), no_answer(TransportFailure::connect), token("")}) {
    World world;
    world.registry().recall(knows(world, "https://harbor.lan/t"));
    world.network[token_of("a")] = {gone};
    world.network[k_head] = {tag(some_digest('a'))};
    REQUIRE(world.resolve(k_image).has_value());
    CHECK(world.lines() == Lines{token_of("a"), k_head});
    CHECK(world.authorizations()[1].empty());
    CHECK_FALSE(world.registry().known().at("harbor.lan").token_service.has_value());
  }
}

TEST_CASE("what is known obeys the rules for realms, as if the registry had said it now") {
  for (const std::string realm :
       {"http://harbor.lan/t", "http://auth.lan/t", "https://127.0.0.1/t", "https://10.0.0.1/t",
        "https://169.254.169.254/t", "file:///etc/passwd", ""}) {
    CAPTURE(realm);
    World world;
    world.section("harbor.lan", "robot", "s3cr3t");
    world.registry().recall(knows(world, realm));
    world.network[k_head] = {tag(some_digest('a'))};
    REQUIRE(world.resolve(k_image).has_value());
    CHECK(world.lines() == Lines{k_head});
  }
}

TEST_CASE("what is known is asked for again after a day, and not believed of the future") {
  for (const auto age : {std::chrono::hours(24), std::chrono::hours(-1)}) {
    World world;
    world.registry().recall(knows(world, "https://harbor.lan/t"));
    world.clock.wall += age;
    world.network[k_head] = {tag(some_digest('a'))};
    REQUIRE(world.resolve(k_image).has_value());
    CHECK(world.lines() == Lines{k_head});
  }
}

TEST_CASE("a credential that the token server refuses is sent once") {
  World world;
  world.section("harbor.lan", "robot", "s3cr3t");
  world.registry().recall(knows(world, "https://harbor.lan/t"));
  world.network[token_of("a") + "&account=robot"] = {answer(401)};
  world.network[k_head] = {bearer(k_challenge)};
  const Error error = world.failure(k_image);
  CHECK(error.kind == ErrorKind::auth);
  CHECK(contains(error.message, "rejected the credential of robot"));
  CHECK(world.lines() == Lines{token_of("a") + "&account=robot", k_head});
}

TEST_CASE("a token that expires within its own tick is asked for once more") {
  World world;
  world.registry().recall(knows(world, "https://harbor.lan/t"));
  world.network[token_of("a")] = {token("s3cr3t-1"), token("s3cr3t-2")};
  world.network[k_head] = {bearer(k_challenge), tag(some_digest('a'))};
  REQUIRE(world.resolve(k_image).has_value());
  CHECK(world.lines() == Lines{token_of("a"), k_head, token_of("a"), k_head});
  CHECK(world.authorizations()[3] == "Bearer s3cr3t-2");
}

TEST_CASE("a registry with a scope of its own is not foreseen") {
  World world;
  world.network[k_head] = {bearer(k_challenge + ",scope=\"*\""), tag(some_digest('a'))};
  world.network["GET https://harbor.lan/t?service=s&scope=%2A&client_id=tallyman"] = {
      token("s3cr3t-t")};
  REQUIRE(world.resolve(k_image).has_value());
  CHECK_FALSE(world.registry().known().at("harbor.lan").token_service.has_value());
}

}  // namespace
}  // namespace tallyman::test
