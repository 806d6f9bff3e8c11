#include <string>
#include <vector>

#include "unit/registry/world.hpp"

namespace tallyman::test {
namespace {

const std::string k_head = "HEAD https://ghcr.io/v2/acme/web/manifests/1";
const std::string k_get = "GET https://ghcr.io/v2/acme/web/manifests/1";
const std::string k_image = "ghcr.io/acme/web:1";
const std::string k_challenge = R"(realm="https://ghcr.io/token",service="ghcr.io")";
const std::string k_anonymous =
    "GET https://ghcr.io/token?service=ghcr.io&scope=repository%3Aacme%2Fweb%3Apull&"
    "client_id=tallyman";
const std::string k_as_me = k_anonymous + "&account=me";
const std::string k_basic = "Basic " + base64_encode("me:s3cr3t");

TEST_CASE("no credential found: at the realm, at the registry, with Basic") {
  for (const long status : {401, 403}) {
    World realm;
    realm.network[k_head] = {bearer(k_challenge)};
    realm.network[k_anonymous] = {error_body(status, "denied")};
    World registry;
    registry.network[k_head] = {bearer(k_challenge), answer(status)};
    registry.network[k_get] = {error_body(status, "denied")};
    registry.network[k_anonymous] = {token("s3cr3t-t")};
    World basic_only;
    basic_only.network[k_head] = {basic()};
    for (World* world : {&realm, &registry, &basic_only}) {
      world->places.files = {"/a/x.json"};
      const Error error = world->failure(k_image);
      CHECK(error.kind == ErrorKind::auth);
      CHECK(contains(error.message,
                     "no credential for ghcr.io was found (looked in tallyman.toml, /a/x.json)"));
      CHECK(contains(error.remedy, "docker login ghcr.io"));
      CHECK(contains(error.remedy, "[registry.\"ghcr.io\"]"));
    }
    CHECK(realm.lines() == Lines{k_head, k_anonymous});
    CHECK(registry.lines() == (status == 401 ? Lines{k_head, k_anonymous, k_head}
                                             : Lines{k_head, k_anonymous, k_head, k_get}));
    CHECK(basic_only.lines() == Lines{k_head});
  }
}

TEST_CASE("a credential that is rejected: at the realm, with Basic") {
  for (const long status : {401, 403}) {
    World realm;
    realm.section("ghcr.io", "me", "s3cr3t");
    realm.network[k_head] = {bearer(k_challenge)};
    realm.network[k_as_me] = {error_body(status, "denied: denied")};
    const Error error = realm.failure(k_image);
    CHECK(error.kind == ErrorKind::auth);
    CHECK(contains(error.message,
                   "ghcr.io rejected the credential of me from [registry.\"ghcr.io\"]"));
    CHECK(contains(error.message, "denied: denied"));
    CHECK(error.remedy ==
          "the stored token is rejected, also for public images: renew (a classic personal access "
          "token with the scope read:packages) or remove it in [registry.\"ghcr.io\"]");
    CHECK(realm.lines() == Lines{k_head, k_as_me});
  }
  World wrong;
  wrong.section("ghcr.io", "me", "s3cr3t");
  wrong.network[k_head] = {basic()};
  CHECK(contains(wrong.failure(k_image).message, "rejected the credential of me"));
  CHECK(wrong.authorizations() == Lines{"", k_basic});
  CHECK(wrong.failure(k_image).kind == ErrorKind::auth);
  CHECK(wrong.authorizations() == Lines{"", k_basic, k_basic});
}

TEST_CASE("nginx says only in a page that it wants a client certificate") {
  const auto page = [](const std::string& title) {
    return HttpResponse{.status = 400,
                        .headers = {{"content-type", "text/html"}},
                        .body = "<html>\r\n<head><title>400 " + title + "</title></head>\r\n"};
  };
  World none;
  none.network[k_head] = {answer(400)};
  none.network[k_get] = {page("No required SSL certificate was sent")};
  const Error error = none.failure(k_image);
  CHECK(error.kind == ErrorKind::tls);
  CHECK(contains(error.message, "ghcr.io wants a client certificate, and there is none (400)"));
  CHECK(contains(error.remedy, "client_cert and client_key under [registry.\"ghcr.io\"]"));
  World wrong;
  wrong.network[k_head] = {answer(400)};
  wrong.network[k_get] = {page("The SSL certificate error")};
  CHECK(contains(wrong.failure(k_image).message, "ghcr.io does not take our client certificate"));
  World other;
  other.network[k_head] = {answer(400)};
  other.network[k_get] = {page("Bad Request")};
  CHECK(other.failure(k_image).kind == ErrorKind::protocol);
}

TEST_CASE("a good credential without the right") {
  for (const long status : {401, 403}) {
    World world;
    world.section("ghcr.io", "me", "s3cr3t");
    world.network[k_head] = {bearer(k_challenge), answer(status)};
    world.network[k_get] = {error_body(status, "permission_denied: read_package")};
    world.network[k_as_me] = {token("s3cr3t-t")};
    const Error error = world.failure(k_image);
    CHECK(error.kind == ErrorKind::denied);
    CHECK(contains(error.message, "no right to pull acme/web"));
    CHECK(contains(error.message, "me from [registry.\"ghcr.io\"]"));
    CHECK(contains(error.remedy, "acme/web"));
    if (status == 403) {
      CHECK(contains(error.message, "permission_denied: read_package"));
      CHECK(contains(error.remedy, "role Read"));
    } else {
      CHECK_FALSE(contains(error.remedy, "role Read"));
    }
  }
  World basic_denied;
  basic_denied.section("ghcr.io", "me", "s3cr3t");
  basic_denied.network[k_head] = {basic(), answer(403)};
  basic_denied.network[k_get] = {answer(403)};
  CHECK(basic_denied.failure(k_image).kind == ErrorKind::denied);
}

TEST_CASE("Harbor's empty challenge after a good token: no project, or none for us") {
  World world;
  world.section("ghcr.io", "robot$acme+pull", "s3cr3t");
  world.network[k_head] = {bearer(k_challenge), answer(401, {{"www-authenticate", ""}})};
  world.network[k_anonymous + "&account=robot%24acme%2Bpull"] = {token("s3cr3t-t")};
  const Error error = world.failure(k_image);
  CHECK(error.kind == ErrorKind::denied);
  CHECK(contains(error.message, "robot$acme+pull from [registry.\"ghcr.io\"] no right to pull"));
  CHECK(contains(error.remedy, "no project acme, or none that robot$acme+pull may see"));
}

TEST_CASE("a policy of the registry is neither an outage nor a missing right") {
  World world;
  world.network[k_head] = {answer(412)};
  world.network[k_get] = {answer(
      412, {},
      R"({"errors":[{"code":"PROJECTPOLICYVIOLATION","message":"the image is not signed"}]})")};
  const Error error = world.failure(k_image);
  CHECK(error.kind == ErrorKind::denied);
  CHECK(contains(error.message, "blocks such tag by a policy of its own"));
  CHECK(contains(error.message, "the image is not signed"));
  CHECK(contains(error.remedy, "policy"));
}

TEST_CASE("not found is told apart from no right, and says as whom") {
  World world;
  world.section("ghcr.io", "me", "s3cr3t");
  world.network[k_head] = {bearer(k_challenge), answer(404)};
  world.network[k_get] = {error_body(404, "manifest unknown")};
  world.network[k_as_me] = {token("s3cr3t-t")};
  const Error error = world.failure(k_image);
  CHECK(error.kind == ErrorKind::not_found);
  CHECK(error.message ==
        "ghcr.io/acme/web:1: ghcr.io has no such tag (404: \"manifest unknown\"), asked as me "
        "from [registry.\"ghcr.io\"]");
  CHECK(world.authorizations() == Lines{"", k_basic, "Bearer s3cr3t-t", "Bearer s3cr3t-t"});
}

TEST_CASE("a bad token's Basic challenge is not answered: the second refusal is final") {
  World world;
  world.section("ghcr.io", "me", "s3cr3t");
  world.network[k_head] = {bearer(k_challenge), basic()};
  world.network[k_as_me] = {token("s3cr3t-t")};
  CHECK(world.failure(k_image).kind == ErrorKind::denied);
  CHECK(world.authorizations() == Lines{"", k_basic, "Bearer s3cr3t-t"});
}

TEST_CASE("a 401 that offers nothing we speak") {
  struct Row {
    HeaderList headers;
    std::string words;
  };
  for (const Row& row : {
           Row{{}, "does not say how"},
           Row{{{"www-authenticate", ""}}, "does not say how"},
           Row{{{"www-authenticate", "Negotiate"}, {"www-authenticate", "NTLM"}},
               "negotiate, ntlm"},
           Row{{{"www-authenticate", "Bearer service=\"x\""}}, "bearer"},
       }) {
    CAPTURE(row.words);
    World world;
    world.section("ghcr.io", "me", "s3cr3t");
    world.network[k_head] = {answer(401, row.headers)};
    const Error error = world.failure(k_image);
    CHECK(error.kind == ErrorKind::auth);
    CHECK_MESSAGE(contains(error.message, row.words), error.message);
    CHECK(world.lines() == Lines{k_head});
  }
}

TEST_CASE("Bearer goes before Basic, in one header or in two") {
  for (const HeaderList& headers :
       {HeaderList{{"www-authenticate", "Basic realm=\"x\", Bearer " + k_challenge}},
        HeaderList{{"www-authenticate", "Basic realm=\"x\""},
                   {"www-authenticate", "bearer " + k_challenge}}}) {
    World world;
    world.network[k_head] = {answer(401, headers), tag(some_digest('a'))};
    world.network[k_anonymous] = {token("s3cr3t-t")};
    CHECK(world.resolve(k_image).has_value());
  }
}

TEST_CASE("a challenge on a good answer is none") {
  World world;
  world.network[k_head] = {answer(200, {{"www-authenticate", "Bearer " + k_challenge},
                                        {"docker-content-digest", some_digest('a')}})};
  CHECK(world.resolve(k_image).has_value());
  CHECK(world.lines() == Lines{k_head});
}

TEST_CASE("an unusable password file is told only by those who are asked to log in") {
  World world;
  world.settings["ghcr.io"] = {.username = "me", .password_file = world.folder / "missing"};
  world.network["HEAD https://ghcr.io/v2/open/manifests/1"] = {tag(some_digest('a'))};
  world.network[k_head] = {bearer(k_challenge)};
  CHECK(world.resolve("ghcr.io/open:1").has_value());
  const Error error = world.failure(k_image);
  CHECK(error.kind == ErrorKind::auth);
  CHECK(contains(error.message, world.folder / "missing"));
  CHECK(world.asked("/token") == 0);
}

TEST_CASE("an unusable Docker configuration stops only those who need a credential") {
  World world;
  world.docker_config = world.folder.write("config.json", "{");
  world.network["HEAD https://ghcr.io/v2/public/manifests/1"] = {bearer(k_challenge),
                                                                 tag(some_digest('a'))};
  world.network
      ["GET https://ghcr.io/token?service=ghcr.io&scope=repository%3Apublic%3Apull&"
       "client_id=tallyman"] = {token("s3cr3t-t")};
  world.network[k_head] = {bearer(k_challenge)};
  world.network[k_anonymous] = {answer(403)};
  CHECK(world.resolve("ghcr.io/public:1").has_value());
  const Error error = world.failure(k_image);
  CHECK(error.kind == ErrorKind::config);
  CHECK(contains(error.message, world.docker_config));
  CHECK(occurrences(world.captured.text(), "warning: ") == 1);
}

TEST_CASE("words that repeat what we sent are not quoted") {
  const std::string pair = base64_encode("me:s3cr3t");
  struct Row {
    std::string message;
    bool quoted;
  };
  for (const Row& row : {Row{"bad password s3cr3t", false}, Row{"bad header Basic " + pair, false},
                         Row{"bad user me", true}}) {
    CAPTURE(row.message);
    World realm;
    realm.section("ghcr.io", "me", "s3cr3t");
    realm.network[k_head] = {bearer(k_challenge)};
    realm.network[k_as_me] = {error_body(401, row.message)};
    const Error error = realm.failure(k_image);
    CHECK_FALSE(contains(error.message, pair));
    CHECK(contains(error.message, row.message) == row.quoted);
  }
  World registry;
  registry.network[k_head] = {bearer(k_challenge), answer(403)};
  registry.network[k_get] = {error_body(403, "no right with s3cr3t-t")};
  registry.network[k_anonymous] = {token("s3cr3t-t")};
  CHECK(registry.failure(k_image).kind == ErrorKind::auth);
}

}  // namespace
}  // namespace tallyman::test
