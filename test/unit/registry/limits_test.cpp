#include "../src/registry/limits.hpp"

#include <string>
#include <vector>

#include "unit/registry/world.hpp"

namespace tallyman::test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const std::string k_head = "HEAD https://harbor.lan/v2/a/manifests/1";
const char* const k_image = "harbor.lan/a:1";

HttpResult limited(const std::string& retry_after) {
  return answer(429, {{"retry-after", retry_after}});
}

TEST_CASE("Retry-After is seconds or a date, and never more than six hours") {
  const Timestamp now = *parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT");
  struct Row {
    std::string value;
    std::optional<seconds> wait;
  };
  const std::vector<Row> rows = {
      {"1", seconds(1)},
      {"3600", hours(1)},
      {"21601", hours(6)},
      {"99999999999999999999999999", hours(6)},
      {"Sun, 06 Nov 1994 09:49:37 GMT", hours(1)},
      {"Sunday, 06-Nov-94 08:50:37 GMT", minutes(1)},
      {"Sun Nov  6 08:49:38 1994", seconds(1)},
      {"Sun, 06 Nov 2094 08:49:37 GMT", hours(6)},
      {"Sun, 06 Nov 1994 08:49:37 GMT", std::nullopt},
      {"Sat, 05 Nov 1994 08:49:37 GMT", std::nullopt},
      {"0", std::nullopt},
      {"", std::nullopt},
      {"-5", std::nullopt},
      {"soon", std::nullopt},
      {"12 s", std::nullopt},
      {"Sun, 06 Nov 1994 09:49:37 CET", std::nullopt},
  };
  for (const Row& row : rows) {
    CAPTURE(row.value);
    const auto until = rate_limited_until(*limited(row.value), now);
    CHECK((until == (row.wait ? std::optional<Timestamp>(now + *row.wait) : std::nullopt)));
  }
}

TEST_CASE("Docker Hub's two headers say how much is left") {
  struct Row {
    std::string limit, remaining;
    std::optional<std::array<std::int64_t, 3>> rate;
  };
  const std::vector<Row> rows = {
      {"100;w=21600", "76;w=21600", {{100, 76, 21600}}},
      {"100", "0", {{100, 0, 0}}},
      {"100;w=99999999999999999999", "1", {{100, 1, 0}}},
      {"100;w=21600", "", std::nullopt},
      {"", "76", std::nullopt},
      {"many", "76", std::nullopt},
      {"-100", "76", std::nullopt},
  };
  for (const Row& row : rows) {
    CAPTURE(row.limit);
    const auto rate = rate_limit_of(
        *answer(200, {{"ratelimit-limit", row.limit}, {"ratelimit-remaining", row.remaining}}));
    REQUIRE(rate.has_value() == row.rate.has_value());
    if (rate) {
      CHECK(std::array{rate->limit, rate->remaining, rate->window.count()} == *row.rate);
    }
  }
}

TEST_CASE("a registry that limits its rate is left alone until it said, the others are asked") {
  World world;
  world.network[k_head] = {limited("600"), tag(some_digest('a'))};
  world.network["HEAD https://other.lan/v2/a/manifests/1"] = {tag(some_digest('b'))};
  const Error first = world.failure(k_image);
  CHECK(first.kind == ErrorKind::rate_limited);
  // 1'700'000'000 is 22:13:20
  CHECK(contains(first.message, "harbor.lan is rate limited until 22:23 UTC"));
  const auto known = world.registry().known();
  REQUIRE(known.at("harbor.lan").not_before.has_value());

  World next;  // the next tick
  next.network = world.network;
  next.registry().recall(known);
  next.clock.wall += minutes(9);
  CHECK(next.failure(k_image).message == first.message);
  CHECK(next.resolve("other.lan/a:1").has_value());
  CHECK(next.lines() == Lines{"HEAD https://other.lan/v2/a/manifests/1"});
  next.clock.wall += minutes(1);
  CHECK(next.resolve(k_image).has_value());
}

TEST_CASE("one 429 stops what still waits to be asked") {
  World world;
  world.settings["harbor.lan"].max_concurrent_requests = 1;
  world.network[k_head] = {limited("600")};
  const auto images = world.registry().resolve(
      {image_ref(k_image), image_ref("harbor.lan/a:2"), image_ref("harbor.lan/b:3")});
  for (const auto& image : images) {
    REQUIRE_FALSE(image.has_value());
    CHECK(image.error().kind == ErrorKind::rate_limited);
    CHECK(contains(image.error().message, "rate limited until 22:23 UTC"));
  }
  CHECK(world.lines() == Lines{k_head});
}

TEST_CASE("a clock that was set back does not keep a registry alone for ever") {
  World world;
  world.network[k_head] = {tag(some_digest('a'))};
  RegistryMemory memory;
  memory.not_before = world.clock.wall + hours(24 * 365);
  world.registry().recall({{"harbor.lan", memory}});
  CHECK(world.resolve(k_image).has_value());
}

TEST_CASE("a 429 without a time is an error of its question only") {
  World world;
  world.network[k_head] = {answer(429)};
  CHECK(world.failure(k_image).kind == ErrorKind::rate_limited);
  world.network["HEAD https://harbor.lan/v2/b/manifests/1"] = {tag(some_digest('a'))};
  CHECK(world.resolve("harbor.lan/b:1").has_value());
}

TEST_CASE("a token server's 429 counts for its registry") {
  World world;
  world.network[k_head] = {bearer("realm=\"https://auth.lan/t\"")};
  world.network["GET https://auth.lan/t?scope=repository%3Aa%3Apull&client_id=tallyman"] = {
      limited("600")};
  CHECK(world.failure(k_image).kind == ErrorKind::rate_limited);
  CHECK(world.failure(k_image).kind == ErrorKind::rate_limited);
  CHECK(world.http.requests.size() == 2);
}

TEST_CASE("what may work in a moment is asked twice more, after a pause") {
  struct Row {
    std::vector<HttpResult> answers;
    std::size_t requests;
    bool good;
  };
  const HttpResult good = tag(some_digest('a'));
  const std::vector<Row> rows = {
      {{answer(503), good}, 2, true},
      {{answer(502), answer(504), good}, 3, true},
      {{answer(503), answer(503), answer(503), good}, 3, false},
      {{no_answer(TransportFailure::cut), good}, 2, true},
      {{no_answer(TransportFailure::cut)}, 3, false},
      // Not in a moment, or never.
      {{answer(503, {{"retry-after", "30"}}), good}, 1, false},
      {{answer(500), good}, 1, false},
      {{answer(429), good}, 1, false},
      {{no_answer(TransportFailure::timeout), good}, 1, false},
      {{no_answer(TransportFailure::too_large), good}, 1, false},
      {{no_answer(TransportFailure::cancelled), good}, 1, false},
  };
  for (const Row& row : rows) {
    World world;
    world.network[k_head] = row.answers;
    CHECK(world.resolve(k_image).has_value() == row.good);
    CHECK(world.http.requests.size() == row.requests);
    std::chrono::milliseconds before{};
    for (std::size_t i = 1; i < world.http.requests.size(); ++i) {
      CHECK(world.http.requests[i].delay > before);
      before = world.http.requests[i].delay;
    }
    CHECK(before <= seconds(1));
  }
}

}  // namespace
}  // namespace tallyman::test
