#include <string>
#include <vector>

#include "unit/registry/world.hpp"

namespace tallyman::test {
namespace {

std::vector<ImageReference> many(const std::string& repository, int count) {
  std::vector<ImageReference> references;
  references.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    references.push_back(image_ref(repository + ":" + std::to_string(i)));
  }
  return references;
}

std::string head_of(const std::string& host, const std::string& path, int number) {
  return "HEAD https://" + host + "/v2/" + path + "/manifests/" + std::to_string(number);
}

TEST_CASE("a thousand references of a dead registry cost one attempt, and all have its error") {
  World world;
  world.network[head_of("dead.lan", "a", 0)] = {no_answer(TransportFailure::connect, "no route")};
  world.network["GET http://dead.lan/v2/"] = {no_answer(TransportFailure::connect, "no route")};
  const auto images = world.registry().resolve(many("dead.lan/a", 1000));
  for (int i = 0; i < 1000; ++i) {
    REQUIRE_FALSE(images[i].has_value());
    REQUIRE(images[i].error().message == "dead.lan/a:" + std::to_string(i) + ": no route");
    REQUIRE(images[i].error().kind == ErrorKind::transient);
  }
  CHECK(world.http.requests.size() == 2);
  CHECK(world.http.most_under_way == 1);
}

TEST_CASE("a dead registry does not delay the others") {
  World world;
  world.section("good.lan", "robot", "s3cr3t");
  world.http.hold = [](const HttpRequest& request) { return contains(request.url, "dead.lan"); };
  world.network[head_of("dead.lan", "a", 1)] = {no_answer(TransportFailure::resolve)};
  world.network[head_of("good.lan", "a", 1)] = {basic(), answer(405)};
  world.network["GET https://good.lan/v2/a/manifests/1"] = {answer(500)};
  const auto images =
      world.registry().resolve({image_ref("dead.lan/a:1"), image_ref("good.lan/a:1")});
  CHECK(world.lines() == Lines{head_of("good.lan", "a", 1), head_of("good.lan", "a", 1),
                               "GET https://good.lan/v2/a/manifests/1",
                               head_of("dead.lan", "a", 1)});
  CHECK(contains(images[0].error().message, "dead.lan"));
  CHECK(contains(images[1].error().message, "500"));
}

TEST_CASE("the others wait for the first question of their registry, then go side by side") {
  World world;
  for (int i = 0; i < 300; ++i) {
    world.network[head_of("harbor.lan", "a", i)] = {tag(some_digest('a'))};
  }
  const auto images = world.registry().resolve(many("harbor.lan/a", 300));
  for (const auto& image : images) {
    REQUIRE(image.has_value());
  }
  CHECK(world.http.requests.size() == 300);
  CHECK(world.http.most_under_way == 100);
}

TEST_CASE("the bound is of each registry, as its section says") {
  World world;
  world.settings["a.lan"].max_concurrent_requests = 16;
  world.settings["b.lan"].max_concurrent_requests = 1;
  std::vector<ImageReference> references;
  for (const std::string host : {"a.lan", "b.lan", "c.lan"}) {
    for (int i = 0; i < 40; ++i) {
      world.network[head_of(host, "x", i)] = {tag(some_digest('a'))};
      references.push_back(image_ref(host + "/x:" + std::to_string(i)));
    }
  }
  for (const auto& image : world.registry().resolve(references)) {
    REQUIRE(image.has_value());
  }
  CHECK(world.http.most_under_way == 16 + 1 + 39);  // the first of c.lan had gone ahead
}

TEST_CASE("a registry that dies in the middle fails what waits for it at once") {
  World world;
  world.network[head_of("harbor.lan", "a", 0)] = {tag(some_digest('a'))};
  for (int i = 1; i < 1000; ++i) {
    world.network[head_of("harbor.lan", "a", i)] = {no_answer(TransportFailure::timeout)};
  }
  const auto images = world.registry().resolve(many("harbor.lan/a", 1000));
  CHECK(images[0].has_value());
  for (int i = 1; i < 1000; ++i) {
    REQUIRE(images[i].error().kind == ErrorKind::transient);
    REQUIRE(contains(images[i].error().message, "harbor.lan/a:" + std::to_string(i) + ":"));
  }
  CHECK(world.http.requests.size() == 101);
  world.network[head_of("harbor.lan", "b", 1)] = {tag(some_digest('b'))};
  CHECK(world.resolve("harbor.lan/b:1").has_value());
}

TEST_CASE("one slow manifest among good ones fails alone") {
  World world;
  for (int i = 0; i < 100; ++i) {
    world.network[head_of("harbor.lan", "a", i)] = {i == 7 ? no_answer(TransportFailure::timeout)
                                                           : tag(some_digest('a'))};
  }
  const auto images = world.registry().resolve(many("harbor.lan/a", 100));
  for (int i = 0; i < 100; ++i) {
    REQUIRE(images[i].has_value() == (i != 7));
  }
}

TEST_CASE("being stopped ends everything without another question") {
  World world;
  world.network[head_of("harbor.lan", "a", 0)] = {std::unexpected(
      TransportError{TransportFailure::cancelled, {ErrorKind::cancelled, "stopped"}})};
  for (const auto& image : world.registry().resolve(many("harbor.lan/a", 50))) {
    REQUIRE(image.error().kind == ErrorKind::cancelled);
  }
  CHECK(world.http.requests.size() == 1);
}

}  // namespace
}  // namespace tallyman::test
