#include <string>
#include <vector>

#include "tallyman/model/manifest.hpp"
#include "unit/registry/world.hpp"

namespace tallyman::test {
namespace {

const std::string k_base = "GET https://harbor.lan/v2/shop/api/manifests/";

std::string descriptor(const std::string& digest, int size, const std::string& more = "") {
  return R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" + digest +
         R"(","size":)" + std::to_string(size) + more + "}";
}
std::string image_body(char config, const std::vector<int>& layers) {
  std::string text =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" +
      descriptor(some_digest(config), 7) + ",\"layers\":[";
  for (std::size_t i = 0; i < layers.size(); ++i) {
    text += (i == 0 ? "" : ",") + descriptor(some_digest('e'), layers[i]);
  }
  return text + "]}";
}
std::string platform(const std::string& os, const std::string& architecture,
                     const std::string& variant = "") {
  return R"(,"platform":{"os":")" + os + R"(","architecture":")" + architecture + "\"" +
         (variant.empty() ? "" : R"(,"variant":")" + variant + "\"") + "}";
}
std::string index_body(const std::vector<std::string>& entries) {
  std::string text =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)";
  for (std::size_t i = 0; i < entries.size(); ++i) {
    text += (i == 0 ? "" : ",") + entries[i];
  }
  return text + "]}";
}
HttpResult body(const std::string& text, HeaderList headers = {}) {
  headers.emplace_back("content-type",
                       contains(text, "\"manifests\"") ? k_media_oci_index : k_media_oci_manifest);
  return answer(200, std::move(headers), text);
}
Registry::PlatformQuestion question(const std::string& digest, const std::string& wanted) {
  return {image_ref("harbor.lan/shop/api:stable"), *Digest::parse(digest),
          *Platform::parse(wanted)};
}

const std::string k_amd64 = image_body('1', {100, 200});
const std::string k_arm64 = image_body('2', {5});
const std::string k_index = index_body({
    descriptor(digest_of(k_amd64), 1, platform("linux", "amd64")),
    descriptor(digest_of(k_arm64), 1, platform("linux", "arm64", "v8")),
    descriptor(some_digest('f'), 1, platform("unknown", "unknown")),
});

TEST_CASE("a digest that is an image costs one GET") {
  World world;
  world.network[k_base + digest_of(k_amd64)] = {
      body(k_amd64, {{"docker-content-digest", digest_of(k_amd64)}})};
  const auto found = world.registry().look_into({question(digest_of(k_amd64), "linux/amd64")});
  REQUIRE_MESSAGE(found[0].has_value(), (found[0] ? "" : found[0].error().message));
  CHECK(found[0]->manifest.str() == digest_of(k_amd64));
  CHECK(found[0]->config.str() == some_digest('1'));
  CHECK(found[0]->layer_bytes() == 100);  // the same layer three times is one
  CHECK(world.lines() == Lines{k_base + digest_of(k_amd64)});
  CHECK(header_of(world.http.requests[0], "Accept") == manifest_accept_header());
}

TEST_CASE("behind an index is the platform's own manifest") {
  World world;
  world.network[k_base + digest_of(k_index)] = {body(k_index)};
  world.network[k_base + digest_of(k_arm64)] = {body(k_arm64)};
  const auto found = world.registry().look_into({question(digest_of(k_index), "linux/arm64")});
  REQUIRE(found[0].has_value());
  CHECK(found[0]->manifest.str() == digest_of(k_arm64));
  CHECK(found[0]->config.str() == some_digest('2'));
  CHECK(found[0]->layer_bytes() == 5);
  CHECK(world.http.requests.size() == 2);
}

TEST_CASE("equal questions, and equal manifests behind different ones, are fetched once") {
  World world;
  world.network[k_base + digest_of(k_index)] = {body(k_index)};
  world.network[k_base + digest_of(k_arm64)] = {body(k_arm64)};
  world.network[k_base + digest_of(k_amd64)] = {body(k_amd64)};
  const auto found = world.registry().look_into({
      question(digest_of(k_index), "linux/arm64"),
      question(digest_of(k_index), "linux/amd64"),
      question(digest_of(k_index), "linux/arm64/v8"),
      question(digest_of(k_amd64), "linux/amd64"),
      question(digest_of(k_index), "linux/arm64"),
  });
  REQUIRE(found.size() == 5);
  CHECK(found[0]->config.str() == some_digest('2'));
  CHECK(found[1]->config.str() == some_digest('1'));
  CHECK(found[2]->config.str() == some_digest('2'));
  CHECK(found[3]->config.str() == some_digest('1'));
  CHECK(found[4]->config.str() == some_digest('2'));
  CHECK(world.http.requests.size() == 3);
}

TEST_CASE("an index without the platform is not found, and says what is there") {
  World world;
  world.network[k_base + digest_of(k_index)] = {body(k_index)};
  const auto found = world.registry().look_into({question(digest_of(k_index), "linux/s390x")});
  REQUIRE_FALSE(found[0].has_value());
  CHECK(found[0].error().kind == ErrorKind::not_found);
  CHECK(contains(found[0].error().message, "linux/s390x"));
  CHECK(contains(found[0].error().message, "linux/amd64, linux/arm64"));
  CHECK_FALSE(contains(found[0].error().message, "unknown/unknown"));
}

TEST_CASE("bytes that are not what their digest says are a hard error, at both levels") {
  World index;
  index.network[k_base + digest_of(k_index)] = {body(k_amd64)};
  World child;
  child.network[k_base + digest_of(k_index)] = {body(k_index)};
  child.network[k_base + digest_of(k_amd64)] = {body(k_arm64)};
  World header;
  header.network[k_base + digest_of(k_index)] = {
      body(k_index, {{"docker-content-digest", some_digest('9')}})};
  World cut;
  cut.network[k_base + digest_of(k_index)] = {body(k_index.substr(0, 100))};
  for (World* world : {&index, &child, &header, &cut}) {
    const auto found = world->registry().look_into({question(digest_of(k_index), "linux/amd64")});
    REQUIRE_FALSE(found[0].has_value());
    CHECK(found[0].error().kind == ErrorKind::protocol);
    CHECK(contains(found[0].error().message, "does not match its digest"));
  }
}

TEST_CASE("an index within an index, deep nesting and unverifiable digests are protocol errors") {
  World nested;
  const std::string inner = index_body({});
  const std::string outer =
      index_body({descriptor(digest_of(inner), 1, platform("linux", "amd64"))});
  nested.network[k_base + digest_of(outer)] = {body(outer)};
  nested.network[k_base + digest_of(inner)] = {body(inner)};
  CHECK(nested.registry().look_into({question(digest_of(outer), "linux/amd64")})[0].error().kind ==
        ErrorKind::protocol);
  World deep;
  const std::string brackets(200'000, '[');
  deep.network[k_base + digest_of(brackets)] = {body(brackets)};
  CHECK(deep.registry().look_into({question(digest_of(brackets), "linux/amd64")})[0].error().kind ==
        ErrorKind::protocol);
  World long_digest;
  const std::string sha512 = "sha512:" + std::string(128, 'a');
  long_digest.network[k_base + sha512] = {body(k_amd64)};
  CHECK(long_digest.registry().look_into({question(sha512, "linux/amd64")})[0].error().kind ==
        ErrorKind::protocol);
}

TEST_CASE("a manifest that is gone is not found; each question has its own answer") {
  World world;
  world.network[k_base + digest_of(k_amd64)] = {body(k_amd64)};
  world.network[k_base + some_digest('b')] = {error_body(404, "manifest unknown")};
  const auto found = world.registry().look_into(
      {question(some_digest('b'), "linux/amd64"), question(digest_of(k_amd64), "linux/amd64")});
  CHECK(found[0].error().kind == ErrorKind::not_found);
  CHECK(contains(found[0].error().message, "harbor.lan/shop/api@" + some_digest('b')));
  CHECK(found[1].has_value());
}

TEST_CASE("the authorization of the tag serves its manifests, until it expires") {
  const std::string head = "HEAD https://harbor.lan/v2/shop/api/manifests/stable";
  const std::string asks =
      "GET https://harbor.lan/t?scope=repository%3Ashop%2Fapi%3Apull&"
      "client_id=tallyman";
  World world;
  world.network[head] = {bearer("realm=\"/t\""), tag(digest_of(k_index))};
  world.network[asks] = {token("s3cr3t-1"), token("s3cr3t-2"), token("s3cr3t-3")};
  world.network[k_base + digest_of(k_index)] = {body(k_index)};
  world.network[k_base + digest_of(k_amd64)] = {body(k_amd64)};
  const auto look = [&] {
    return world.registry().look_into({question(digest_of(k_index), "linux/amd64")})[0];
  };
  REQUIRE(world.resolve("harbor.lan/shop/api:stable").has_value());
  world.clock.running += std::chrono::seconds(54);
  CHECK(look().has_value());
  CHECK(world.authorizations() ==
        Lines{"", "", "Bearer s3cr3t-1", "Bearer s3cr3t-1", "Bearer s3cr3t-1"});
  // Expired: a new one is fetched before anything is asked.
  world.clock.running += std::chrono::seconds(2);
  world.network[k_base + digest_of(k_index)] = {body(k_index)};
  world.http.requests.clear();
  CHECK(look().has_value());
  CHECK(world.authorizations() == Lines{"", "Bearer s3cr3t-2", "Bearer s3cr3t-2"});
  // Revoked before its time: replaced once.
  world.network[k_base + digest_of(k_index)] = {bearer("realm=\"/t\""), body(k_index)};
  world.http.requests.clear();
  CHECK(look().has_value());
  CHECK(world.authorizations() ==
        Lines{"Bearer s3cr3t-2", "", "Bearer s3cr3t-3", "Bearer s3cr3t-3"});
  // Harbor's way: what it wants it tells only those who send nothing.
  for (const HttpResult& refused :
       {basic(), answer(401), answer(401, {{"www-authenticate", ""}})}) {
    world.network[asks] = {token("s3cr3t-4")};
    world.network[k_base + digest_of(k_index)] = {refused, bearer("realm=\"/t\""), body(k_index)};
    world.http.requests.clear();
    CHECK(look().has_value());
    REQUIRE(world.authorizations().size() == 5);
    CHECK(world.authorizations()[1].empty());
    CHECK(world.authorizations()[2].empty());
    CHECK(world.authorizations()[4] == "Bearer s3cr3t-4");
  }
}

}  // namespace
}  // namespace tallyman::test
