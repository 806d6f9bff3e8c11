#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "unit/registry/world.hpp"

// The token first, where it is known who gives it.
namespace tallyman::test {
namespace {

const std::string k_head = "HEAD https://harbor.lan/v2/a/manifests/1";
const char* const k_image = "harbor.lan/a:1";
const std::string k_challenge = "realm=\"https://harbor.lan/t\",service=\"s\"";

std::string shared_token_of(const Lines& repositories, const std::string& realm = "harbor.lan/t") {
  std::string line = "GET https://" + realm + "?service=s";
  for (const std::string& repository : repositories) {
    line += "&scope=" + percent_encode("repository:" + repository + ":pull");
  }
  return line + "&client_id=tallyman";
}
std::string token_of(const std::string& repository, const std::string& realm = "harbor.lan/t") {
  return shared_token_of({repository}, realm);
}
std::string head_of(const std::string& repository) {
  return "HEAD https://harbor.lan/v2/" + repository + "/manifests/1";
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
  for (const std::string name : {"c", "a", "b"}) {
    const std::string head = head_of(name);
    next.network[head] =
        next.network[head.substr(0, head.size() - 1) + "2"] = {tag(some_digest('a'))};
    references.push_back(image_ref("harbor.lan/" + name + ":1"));
    references.push_back(image_ref("harbor.lan/" + name + ":2"));
  }
  next.network[shared_token_of({"a", "b", "c"})] = {token("s3cr3t-abc")};
  for (const auto& image : next.registry().resolve(references)) {
    REQUIRE(image.has_value());
  }
  CHECK(next.http.requests.size() == 7);
  CHECK(next.lines().front() == shared_token_of({"a", "b", "c"}));
  for (const HttpRequest& request : next.http.requests) {
    const bool is_head = request.method == "HEAD";
    CHECK(header_of(request, "Authorization") == (is_head ? "Bearer s3cr3t-abc" : ""));
  }
}

/// A tick that knows who gives tokens, with all of these in one question.
struct Several : World {
  explicit Several(std::vector<std::string> its_names) : names(std::move(its_names)) {
    for (const std::string& name : names) {
      network[token_of(name)] = {token("s3cr3t-" + name)};
      network[head_of(name)] = {tag(some_digest('a'))};
    }
  }
  std::vector<Result<RemoteImage>> resolve_all() {
    registry().recall(known);
    std::vector<ImageReference> references;
    for (const std::string& name : names) {
      references.push_back(image_ref("harbor.lan/" + name + ":1"));
    }
    return registry().resolve(references);
  }
  bool resolves_all() {
    return std::ranges::all_of(resolve_all(), [](const auto& image) { return image.has_value(); });
  }
  [[nodiscard]] const RegistryMemory& memory() { return registry().known().at("harbor.lan"); }
  std::vector<std::string> names;
  std::map<std::string, RegistryMemory> known = knows(*this, "https://harbor.lan/t");
};

TEST_CASE("one token is for ten repositories at most") {
  Lines names;
  for (int i = 10; i < 32; ++i) {
    names.push_back(fmt::format("r{}", i));
  }
  Several world(names);
  for (const auto& [from, to] : {std::pair{0, 10}, {10, 20}, {20, 22}}) {
    world.network[shared_token_of(Lines(names.begin() + from, names.begin() + to))] = {
        token(fmt::format("s3cr3t-{}", from))};
  }
  CHECK(world.resolves_all());
  CHECK(world.http.requests.size() == 25);
  CHECK(std::ranges::count(world.authorizations(), "Bearer s3cr3t-10") == 10);
  CHECK(std::ranges::count(world.authorizations(), "Bearer s3cr3t-20") == 2);
  CHECK_FALSE(world.memory().single_tokens_since.has_value());
}

TEST_CASE("a token that opens only one of several is for nobody else, and not asked for again") {
  Several world({"a", "b", "c"});
  world.network[shared_token_of({"a", "b", "c"})] = {token("s3cr3t-a-only")};
  for (const std::string name : {"b", "c"}) {
    world.network[head_of(name)] = {bearer(k_challenge), tag(some_digest('b'))};
  }
  CHECK(world.resolves_all());
  CHECK(world.http.requests.size() == 1 + 3 + 2 * 2);
  REQUIRE(world.memory().single_tokens_since == world.clock.wall);

  const auto known = world.registry().known();
  for (const auto& [later, requests] :
       {std::pair{std::chrono::hours(23), 6}, {std::chrono::hours(24), 4}}) {
    Several next({"a", "b", "c"});
    next.known = known;
    next.known.at("harbor.lan").token_service->at += later;
    next.clock.wall += later;
    next.network[shared_token_of({"a", "b", "c"})] = {token("s3cr3t-abc")};
    CHECK(next.resolves_all());
    CHECK(std::ssize(next.http.requests) == requests);
  }
}

TEST_CASE(
    "a token server that gives none for several is asked for each, at once and from then on") {
  for (const HttpResult& refused :
       {answer(400), answer(401), answer(403), answer(404), token(""), error_body(403, "no")}) {
    Several world({"a", "b"});
    world.network[shared_token_of({"a", "b"})] = {refused};
    CHECK(world.resolves_all());
    CHECK(world.lines() == Lines{shared_token_of({"a", "b"}), token_of("a"), token_of("b"),
                                 head_of("a"), head_of("b")});
    CHECK(world.memory().single_tokens_since == world.clock.wall);
    CHECK(world.memory().token_service.has_value());
  }
}

TEST_CASE("a token server that does not answer for several is not asked for each") {
  for (const HttpResult& gone : {answer(500), no_answer(TransportFailure::timeout)}) {
    Several world({"a", "b"});
    world.network[shared_token_of({"a", "b"})] = {gone};
    CHECK(world.resolves_all());
    CHECK(world.lines() == Lines{shared_token_of({"a", "b"}), head_of("a"), head_of("b")});
    CHECK_FALSE(world.memory().single_tokens_since.has_value());

    Several wants_tokens({"a", "b"});
    wants_tokens.network[shared_token_of({"a", "b"})] = {gone};
    for (const std::string name : {"a", "b"}) {
      wants_tokens.network[head_of(name)] = {bearer(k_challenge), tag(some_digest('a'))};
    }
    CHECK(wants_tokens.resolves_all());
    CHECK(wants_tokens.memory().single_tokens_since == world.clock.wall);
  }
}

TEST_CASE("a credential that is refused says nothing about tokens for several") {
  Several world({"a", "b"});
  world.section("harbor.lan", "robot", "s3cr3t");
  world.network[shared_token_of({"a", "b"}) + "&account=robot"] = {answer(401)};
  for (const std::string name : {"a", "b"}) {
    world.network[token_of(name) + "&account=robot"] = {answer(401)};
    world.network[head_of(name)] = {bearer(k_challenge)};
  }
  for (const auto& image : world.resolve_all()) {
    REQUIRE_FALSE(image.has_value());
    CHECK(image.error().kind == ErrorKind::auth);
  }
  CHECK(world.asked("GET https://harbor.lan/t") == 3);
  CHECK_FALSE(world.memory().single_tokens_since.has_value());
}

TEST_CASE(
    "whatever a registry says to a token for several, one for each is tried before it counts") {
  for (const long status : {400L, 403L, 404L, 431L}) {
    CAPTURE(status);
    Several world({"a", "b"});
    world.network[shared_token_of({"a", "b"})] = {token("s3cr3t-ab")};
    world.network[head_of("b")] = {answer(status), bearer(k_challenge), tag(some_digest('b'))};
    CHECK(world.resolves_all());
    CHECK(world.authorizations() ==
          Lines{"", "Bearer s3cr3t-ab", "Bearer s3cr3t-ab", "", "", "Bearer s3cr3t-b"});
    CHECK(world.memory().single_tokens_since == world.clock.wall);
  }
  Several missing({"a", "b"});
  missing.network[shared_token_of({"a", "b"})] = {token("s3cr3t-ab")};
  missing.network[head_of("b")] = {answer(404), bearer(k_challenge), answer(404)};
  missing.network["GET" + head_of("b").substr(4)] = {answer(404)};
  CHECK(missing.resolve_all()[1].error().kind == ErrorKind::not_found);
  CHECK_FALSE(missing.memory().single_tokens_since.has_value());
}

TEST_CASE("long names make tokens for fewer") {
  Lines names;
  for (char letter = 'a'; letter <= 'h'; ++letter) {
    names.emplace_back(150, letter);
  }
  Several world(names);
  for (const auto& [from, to] : {std::pair{0, 4}, {4, 8}}) {
    world.network[shared_token_of(Lines(names.begin() + from, names.begin() + to))] = {
        token("s3cr3t-t")};
  }
  CHECK(world.resolves_all());
  CHECK(world.http.requests.size() == 10);
  const std::string longest(255, 'x');
  const std::string longer(255, 'y');
  Several alone({"a", longest, longer});
  alone.network[shared_token_of({"a", longest})] = {token("s3cr3t-t")};
  CHECK(alone.resolves_all());
}

TEST_CASE("who has a login in a file does not wait for the helper that others need") {
  Several world({"acme/a", "acme/b", "team/c"});
  world.add_file("auth.json", R"({"auths":{"harbor.lan/acme":{"auth":"YTpzM2NyM3Q="}}})");
  world.add_file("config.json", R"({"credHelpers":{"harbor.lan":"x"}})");
  world.process.prints("docker-credential-x", R"({"Username":"b","Secret":"s3cr3t"})");
  world.network[shared_token_of({"acme/a", "acme/b"}) + "&account=a"] = {token("s3cr3t-acme")};
  world.network[token_of("team/c") + "&account=b"] = {token("s3cr3t-team")};
  CHECK(world.resolves_all());
  CHECK(world.lines() == Lines{shared_token_of({"acme/a", "acme/b"}) + "&account=a",
                               head_of("acme/a"), head_of("acme/b"),
                               token_of("team/c") + "&account=b", head_of("team/c")});
}

TEST_CASE("what a registry says that is not trusted is not known in the next tick") {
  for (const TransportFailure failure :
       {TransportFailure::certificate, TransportFailure::connect}) {
    const bool is_http = failure == TransportFailure::connect;
    World world;
    world.section("harbor.lan", "robot", "s3cr3t");
    world.insecure.hosts = {"harbor.lan"};
    world.registry().recall(knows(world, "https://harbor.lan/t"));
    world.network[token_of("a") + "&account=robot"] = {no_answer(failure)};
    world.network[k_head] = {no_answer(failure),
                             bearer("realm=\"https://evil.com/t\",service=\"s\""),
                             tag(some_digest('a'))};
    world.network["HEAD http://harbor.lan/v2/a/manifests/1"] = {
        bearer("realm=\"https://evil.com/t\",service=\"s\""), tag(some_digest('a'))};
    world.network[token_of("a", "evil.com/t")] = {token("s3cr3t-evil")};
    REQUIRE(world.resolve(k_image).has_value());
    CHECK(world.asked(is_http ? "HEAD http://" : "HEAD https://") == (is_http ? 2 : 3));
    CHECK_FALSE(world.registry().known().at("harbor.lan").token_service.has_value());
  }
}

TEST_CASE("a token that a trusted connection brought is not sent over another one") {
  for (const TransportFailure failure :
       {TransportFailure::certificate, TransportFailure::connect}) {
    Several world({"a", "b"});
    world.section("harbor.lan", "robot", "s3cr3t");
    world.insecure.hosts = {"harbor.lan"};
    world.known = knows(world, "https://auth.lan/t");
    world.network[shared_token_of({"a", "b"}, "auth.lan/t") + "&account=robot"] = {
        token("s3cr3t-ab")};
    world.network[head_of("a")] = {no_answer(failure), tag(some_digest('a'))};
    for (const std::string name : {"a", "b"}) {
      world.network["HEAD http://harbor.lan/v2/" + name + "/manifests/1"] = {tag(some_digest('a'))};
    }
    CHECK(world.resolves_all());
    const Lines sent = world.authorizations();
    CHECK(std::ranges::count(sent, "Bearer s3cr3t-ab") == 1);
    CHECK(sent[2].empty());
    CHECK(sent[3].empty());
  }
}

TEST_CASE("a credential does not follow where the certificate is not looked at") {
  Several world({"acme/a", "acme/b", "pub/x"});
  world.insecure.hosts = {"harbor.lan"};
  world.add_file("auth.json", R"({"auths":{"harbor.lan/acme":{"auth":"YTpzM2NyM3Q="}}})");
  world.http.hold = [](const HttpRequest& request) { return contains(request.url, "account="); };
  const std::string shared = shared_token_of({"acme/a", "acme/b"}) + "&account=a";
  world.network[token_of("pub/x")] = {no_answer(TransportFailure::certificate)};
  world.network[head_of("pub/x")] = {no_answer(TransportFailure::certificate),
                                     tag(some_digest('a'))};
  for (const HttpResult& late : {no_answer(TransportFailure::certificate), answer(403),
                                 redirect("https://harbor.lan/t2?service=s")}) {
    world.network[shared] = {late};
    world.http.requests.clear();
    CHECK(world.resolves_all());
    for (const HttpRequest& request : world.http.requests) {
      const bool is_secret = !header_of(request, "Authorization").empty();
      CHECK((!is_secret || (request.verify_tls && request.url.starts_with("https:"))));
    }
  }
}

TEST_CASE("a token server that wants to be left alone says nothing about tokens for several") {
  Several world({"a", "b"});
  world.network[shared_token_of({"a", "b"})] = {answer(429, {{"retry-after", "60"}})};
  CHECK(world.resolve_all()[1].error().kind == ErrorKind::rate_limited);
  CHECK(world.http.requests.size() == 1);
  CHECK_FALSE(world.memory().single_tokens_since.has_value());
}

TEST_CASE("a repository that nobody may read does not end the sharing of the others") {
  Several world({"a", "b", "secret"});
  world.network[shared_token_of({"a", "b", "secret"})] = {token("s3cr3t-ab")};
  world.network[head_of("secret")] = {bearer(k_challenge)};
  const auto images = world.resolve_all();
  CHECK(images[0].has_value());
  CHECK(images[1].has_value());
  REQUIRE_FALSE(images[2].has_value());
  CHECK(images[2].error().kind == ErrorKind::auth);
  CHECK_FALSE(world.memory().single_tokens_since.has_value());
}

TEST_CASE("repositories with credentials of their own share no token") {
  Several world({"acme/a", "acme/b", "team/c", "team/d"});
  world.add_file("auth.json", R"({"auths":{"harbor.lan/acme":{"auth":"YTpzM2NyM3Q="},)"
                              R"("harbor.lan/team":{"auth":"YjpzM2NyM3Q="}}})");
  const auto of = [](const Lines& names, const std::string& who) {
    return shared_token_of(names) + "&account=" + who;
  };
  world.network[of({"acme/a", "acme/b"}, "a")] = {token("s3cr3t-acme")};
  world.network[of({"team/c", "team/d"}, "b")] = {token("s3cr3t-team")};
  CHECK(world.resolves_all());
  CHECK(world.http.requests.size() == 6);
  CHECK(std::ranges::count(world.authorizations(), "Bearer s3cr3t-acme") == 2);
  CHECK(std::ranges::count(world.authorizations(), "Bearer s3cr3t-team") == 2);
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
