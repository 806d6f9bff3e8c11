#include <string>
#include <vector>

#include "tallyman/model/manifest.hpp"
#include "unit/registry/world.hpp"

namespace tallyman::test {
namespace {

const char* const k_head = "HEAD https://harbor.lan/v2/shop/api/manifests/stable";
const char* const k_get = "GET https://harbor.lan/v2/shop/api/manifests/stable";
const char* const k_image = "harbor.lan/shop/api:stable";

std::string manifest_body() {
  return R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",)"
         R"("config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":")" +
         some_digest('c') + R"(","size":7},"layers":[]})";
}
HttpResult manifest(HeaderList headers = {}) {
  headers.emplace_back("content-type", "application/vnd.oci.image.manifest.v1+json");
  return answer(200, std::move(headers), manifest_body());
}

TEST_CASE("a good tag costs one HEAD, with every manifest type in one Accept") {
  World world;
  world.network[k_head] = {tag(some_digest('a'))};
  const auto image = world.resolve(k_image);
  REQUIRE(image.has_value());
  CHECK(image->digest.str() == some_digest('a'));
  CHECK(image->checked_at == world.clock.wall);
  CHECK(image->reference == image_ref(k_image));
  CHECK_FALSE(image->platform.has_value());
  CHECK(world.lines() == Lines{k_head});
  const HttpRequest& request = world.http.requests.front();
  CHECK(header_of(request, "Accept") ==
        "application/vnd.oci.image.index.v1+json, "
        "application/vnd.docker.distribution.manifest.list.v2+json, "
        "application/vnd.oci.image.manifest.v1+json, "
        "application/vnd.docker.distribution.manifest.v2+json");
  CHECK(header_of(request, "Authorization").empty());
  CHECK(request.verify_tls);
  CHECK(request.max_body == 4 * 1024 * 1024);
  CHECK(world.insecure_asked == 0);
}

TEST_CASE("the references of a call are each answered in their place, equal ones are asked once") {
  World world;
  world.network[k_head] = {tag(some_digest('a'))};
  world.network["HEAD https://registry-1.docker.io/v2/library/nginx/manifests/latest"] = {
      tag(some_digest('b'))};
  world.network["HEAD https://gone.lan/v2/x/manifests/1"] = {answer(500)};
  const auto images =
      world.registry().resolve({image_ref("nginx"), image_ref("gone.lan/x:1"), image_ref(k_image),
                                image_ref("docker.io/library/nginx:latest"), image_ref(k_image)});
  REQUIRE(images.size() == 5);
  CHECK(images[0]->digest.str() == some_digest('b'));
  CHECK_FALSE(images[0]->reference.has_explicit_domain());
  CHECK(images[1].error().kind == ErrorKind::transient);
  CHECK(images[2]->digest.str() == some_digest('a'));
  CHECK(images[3]->digest.str() == some_digest('b'));
  CHECK(images[3]->reference.has_explicit_domain());
  CHECK(images[4]->digest.str() == some_digest('a'));
  CHECK(world.http.requests.size() == 3);
  CHECK(world.registry().resolve({}).empty());
}

TEST_CASE("a port of the reference is kept") {
  World world;
  world.network["HEAD https://harbor.lan:8443/v2/a/manifests/1"] = {tag(some_digest('a'))};
  CHECK(world.resolve("harbor.lan:8443/a:1").has_value());
}

TEST_CASE("without a good digest header the bytes are fetched and hashed") {
  const std::vector<HeaderList> odd = {
      {},
      {{"docker-content-digest", ""}},
      {{"docker-content-digest", "garbage"}},
      {{"docker-content-digest", "sha256:abc"}},
      {{"docker-content-digest", "sha256:" + std::string(64, 'A')}},
      {{"docker-content-digest", "md5:" + std::string(32, 'a')}},
      {{"docker-content-digest", some_digest('a') + "\x01"}},
      {{"docker-content-digest", some_digest('a')}, {"docker-content-digest", some_digest('b')}},
  };
  for (const HeaderList& headers : odd) {
    CAPTURE((headers.empty() ? "" : headers.front().second));
    World world;
    world.network[k_head] = {answer(200, headers)};
    world.network[k_get] = {manifest()};
    const auto image = world.resolve(k_image);
    REQUIRE_MESSAGE(image.has_value(), (image ? "" : image.error().message));
    CHECK(image->digest.str() == digest_of(manifest_body()));
    CHECK(world.lines() == Lines{k_head, k_get});
    CHECK(header_of(world.http.requests[1], "Accept") == manifest_accept_header());
  }
}

TEST_CASE("a registry that does not know HEAD is asked by GET") {
  for (const long status : {400, 404, 405, 501}) {
    CAPTURE(status);
    World world;
    world.network[k_head] = {answer(status)};
    world.network[k_get] = {manifest({{"docker-content-digest", digest_of(manifest_body())}})};
    const auto image = world.resolve(k_image);
    REQUIRE(image.has_value());
    CHECK(image->digest.str() == digest_of(manifest_body()));
    CHECK(world.lines() == Lines{k_head, k_get});
  }
}

TEST_CASE("bytes that do not match the digest header are a hard error") {
  World world;
  world.network[k_head] = {answer(405)};
  world.network[k_get] = {manifest({{"docker-content-digest", some_digest('f')}})};
  const Error error = world.failure(k_image);
  CHECK(error.kind == ErrorKind::protocol);
  CHECK(contains(error.message, some_digest('f')));
  CHECK(contains(error.message, digest_of(manifest_body())));
}

TEST_CASE("a digest that cannot be verified here is taken from HEAD and refused from GET") {
  const std::string sha512 = "sha512:" + std::string(128, 'a');
  World head;
  head.network[k_head] = {tag(sha512)};
  CHECK(head.resolve(k_image)->digest.str() == sha512);
  World get;
  get.network[k_head] = {answer(405)};
  get.network[k_get] = {manifest({{"docker-content-digest", sha512}})};
  CHECK(get.failure(k_image).kind == ErrorKind::protocol);
}

TEST_CASE("what has no digest header and is no manifest has no digest") {
  struct Row {
    std::string type, body;
  };
  for (const Row& row : {
           Row{"text/html", "<html>please log in</html>"},
           Row{"application/json", "{}"},
           Row{"application/json", ""},
           Row{"application/vnd.oci.image.manifest.v1+json", "{\"schemaVersion\":2,"},
           Row{"application/vnd.oci.image.manifest.v1+json", manifest_body().substr(0, 90)},
           Row{"application/vnd.oci.image.index.v1+json", std::string(100'000, '[')},
           Row{"application/vnd.docker.distribution.manifest.v1+prettyjws",
               "{\"schemaVersion\":1}"},
       }) {
    CAPTURE(row.body.substr(0, 50));
    World world;
    world.network[k_head] = {answer(200)};
    world.network[k_get] = {answer(200, {{"content-type", row.type}}, row.body)};
    CHECK(world.failure(k_image).kind == ErrorKind::protocol);
  }
}

TEST_CASE("a GET that gets no answer is that error") {
  World world;
  world.network[k_head] = {answer(200)};
  world.network[k_get] = {no_answer(TransportFailure::too_large, "harbor.lan: too large")};
  CHECK(contains(world.failure(k_image).message, "too large"));
}

TEST_CASE("a reference with a digest is not asked for, nor one whose host is none") {
  World world;
  CHECK(world.failure("harbor.lan/a@" + some_digest('a')).kind == ErrorKind::bug);
  CHECK(world.failure("harbor.lan:99999/a:1").kind == ErrorKind::config);
  CHECK(world.failure("127.1/a:1").kind == ErrorKind::config);
  CHECK(world.http.requests.empty());
}

TEST_CASE("each status is an error of its kind, with the registry's own words") {
  struct Row {
    long status;
    HttpResult get;
    ErrorKind kind;
    std::string words;
  };
  const std::vector<Row> rows = {
      {404, error_body(404, "manifest unknown"), ErrorKind::not_found,
       "(404: \"manifest unknown\")"},
      {404, answer(404), ErrorKind::not_found,
       "harbor.lan has no such tag (404), asked anonymously"},
      {412, error_body(412, "current image without vulnerability scanning cannot be pulled"),
       ErrorKind::denied, "without vulnerability scanning"},
      {403, error_body(403, "permission_denied: read_package"), ErrorKind::denied, "read_package"},
      {400, error_body(400, "bad name"), ErrorKind::protocol, "400: \"bad name\""},
      {405, answer(405), ErrorKind::protocol, "405"},
      {501, answer(501), ErrorKind::transient, "501"},
      {405, answer(404, {}, R"({"message":"zot says so"})"), ErrorKind::not_found, "zot says so"},
      {405, answer(404, {{"content-type", "text/plain; charset=utf-8"}}, "plain\nsecond"),
       ErrorKind::not_found, "(404: \"plain\")"},
      {405, answer(404, {{"content-type", "text/html"}}, "<p>page</p>"), ErrorKind::not_found,
       "(404)"},
      {405, answer(404, {}, R"({"errors":[{"code":"NAME_UNKNOWN"}]})"), ErrorKind::not_found,
       "NAME_UNKNOWN"},
      {405, answer(404, {}, R"({"errors":[7]})"), ErrorKind::not_found, "(404)"},
      {405, answer(404, {}, R"({"errors":{}})"), ErrorKind::not_found, "(404)"},
      {405, answer(404, {}, std::string(5000, '[')), ErrorKind::not_found, "(404)"},
      {405, error_body(404, "a\\u001b[31m\\nb"), ErrorKind::not_found, "a\\x1b[31m\\x0ab"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.words);
    World world;
    world.network[k_head] = {answer(row.status)};
    world.network[k_get] = {row.get};
    const Error error = world.failure(k_image);
    CHECK(error.kind == row.kind);
    CHECK_MESSAGE(contains(error.message, row.words), error.message);
    CHECK(contains(error.message, "harbor.lan"));
    CHECK(world.http.requests.size() == 2);
  }
}

TEST_CASE("what a GET would not tell better is not asked again") {
  struct Row {
    HttpResult head;
    ErrorKind kind;
    std::string words;
  };
  const std::vector<Row> rows = {
      {answer(429), ErrorKind::rate_limited, "429"},
      {answer(429, {{"retry-after", "60"}}), ErrorKind::rate_limited, "is rate limited until "},
      {answer(429, {{"retry-after", "Wed, 21 Oct 2099 07:28:00 GMT"}}), ErrorKind::rate_limited,
       "is rate limited until "},
      {answer(429, {{"retry-after", "\x1b[2J"}}), ErrorKind::rate_limited, "\\x1b[2J"},
      {answer(500), ErrorKind::transient, "500"},
      {answer(502), ErrorKind::transient, "502"},
      {answer(503), ErrorKind::transient, "503"},
      {answer(504), ErrorKind::transient, "504"},
      {answer(204), ErrorKind::protocol, "204"},
      {answer(304), ErrorKind::protocol, "304"},
      {answer(418), ErrorKind::protocol, "418"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.words);
    World world;
    world.network[k_head] = {row.head};
    const Error error = world.failure(k_image);
    CHECK(error.kind == row.kind);
    CHECK_MESSAGE(contains(error.message, row.words), error.message);
    // What may be over in a moment is tried twice more.
    const bool again = row.words == "502" || row.words == "503" || row.words == "504";
    CHECK(world.lines() == (again ? Lines{k_head, k_head, k_head} : Lines{k_head}));
  }
}

TEST_CASE("long words are cut, not within a character") {
  std::string words = std::string(199, 'x') + "\xe4\xb8\xad" + std::string(1000, 'y');
  World world;
  world.network[k_head] = {answer(404)};
  world.network[k_get] = {error_body(404, words)};
  const Error error = world.failure(k_image);
  CHECK(contains(error.message, std::string(199, 'x') + "...\""));
}

}  // namespace
}  // namespace tallyman::test
