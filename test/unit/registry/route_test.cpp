#include "../src/registry/route.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include "support/authority.hpp"
#include "unit/io/curl_fixture.hpp"
#include "unit/registry/world.hpp"

namespace tallyman::test {
namespace {

/// An authority, and a certs.d with an empty folder for "harbor.lan:8443".
struct Files {
  Authority acme;
  TempFolder certs;
  std::string folder = certs / "harbor.lan:8443";

  Files() {
    acme.issue("alice");
    acme.issue("bob");
    std::filesystem::create_directory(folder);
  }
  void put(const std::string& name, const std::string& source) const {
    std::filesystem::copy_file(acme.file(source), folder + "/" + name);
  }
  [[nodiscard]] auto route(const RegistrySettings* settings = nullptr,
                           const std::string& domain = "harbor.lan:8443") const {
    return route_to(domain, settings, {certs / "missing", certs.path()});
  }
  [[nodiscard]] Error error(const RegistrySettings* settings = nullptr) const {
    const auto result = route(settings);
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().kind == ErrorKind::config);
    return result.error();
  }
};

TEST_CASE("without a section and without files there is no route") {
  const Files files;
  const RegistrySettings empty{};
  CHECK(*files.route() == nullptr);
  CHECK(*files.route(&empty) == nullptr);
}

TEST_CASE("certs.d: every .crt is a root, .cert and .key are a pair, the rest does not count") {
  const Files files;
  files.put("ca.crt", "ca.pem");
  files.put("other.crt", "bob.pem");
  files.put("client.cert", "alice.pem");
  files.put("client.key", "alice.key");
  files.put("README", "ca.key");
  const auto route = files.route();
  REQUIRE(route.has_value());
  CHECK((*route)->roots == files.acme.pem("ca.pem") + "\n" + files.acme.pem("bob.pem") + "\n");
  CHECK((*route)->client_cert == files.acme.pem("alice.pem") + "\n");
  CHECK((*route)->client_key.reveal() == files.acme.pem("alice.key"));
  CHECK_FALSE((*route)->proxy);
  CHECK(*files.route(nullptr, "harbor.lan") == nullptr);  // another port is another registry
}

TEST_CASE("the section's files come on top, its client certificate instead") {
  const Files files;
  files.put("ca.crt", "alice.pem");
  files.put("client.cert", "alice.pem");
  files.put("client.key", "alice.key");
  RegistrySettings settings{};
  settings.ca_file = files.acme.file("ca.pem");
  settings.client_cert = files.acme.file("bob.pem");
  settings.client_key = files.acme.file("bob.key");
  const auto route = files.route(&settings);
  REQUIRE(route.has_value());
  CHECK((*route)->roots == files.acme.pem("ca.pem") + "\n" + files.acme.pem("alice.pem") + "\n");
  CHECK((*route)->client_cert == files.acme.pem("bob.pem") + "\n");
}

TEST_CASE("a proxy of the section, or none at all") {
  const Files files;
  RegistrySettings settings{};
  settings.proxy = "http://robot:s3cr3t@proxy.lan:3128";
  const auto by = files.route(&settings);
  CHECK((*by)->proxy == settings.proxy);
  CHECK((*by)->proxy_source == "proxy of [registry.\"harbor.lan:8443\"]");
  settings.proxy = "none";
  CHECK((*files.route(&settings))->proxy == "");
}

TEST_CASE("half a pair is an error that names both halves") {
  for (const bool cert : {true, false}) {
    const Files files;
    files.put(cert ? "me.cert" : "me.key", cert ? "alice.pem" : "alice.key");
    const Error error = files.error();
    CHECK(error.message == files.folder + (cert ? "/me.cert" : "/me.key") + " has no " +
                               files.folder + (cert ? "/me.key" : "/me.cert") + " beside it");
  }
}

TEST_CASE("a file that is no use is an error that names it") {
  const Files files;
  RegistrySettings settings{};
  settings.ca_file = files.acme.file("missing.pem");
  CHECK(contains(files.error(&settings).message, settings.ca_file));
  settings.ca_file = files.acme.file("ca.key");
  CHECK(files.error(&settings).message ==
        settings.ca_file + ": no certificate in PEM form (\"-----BEGIN CERTIFICATE-----\")");
  settings.ca_file = files.certs.write("big", std::string(2'000'000, 'x'));
  CHECK(contains(files.error(&settings).message, settings.ca_file));
  settings.ca_file = "";
  settings.client_cert = files.acme.file("alice.pem");
  settings.client_key = files.acme.file("bob.key");
  CHECK(files.error(&settings).message ==
        settings.client_key + ": not the key of the client certificate");
  files.put("ca.crt", "ca.key");
  CHECK(contains(files.error().message, files.folder + "/ca.crt: no certificate"));
}

TEST_CASE("what cannot be used fails its own registry only") {
  World world;
  world.settings["bad.lan"].ca_file = world.folder / "missing.pem";
  world.network["HEAD https://good.lan/v2/a/manifests/1"] = {tag(some_digest('a'))};
  const Error error = world.failure("bad.lan/a:1");
  CHECK(error.kind == ErrorKind::config);
  CHECK(contains(error.message, "missing.pem"));
  CHECK(world.resolve("good.lan/a:1").has_value());
  CHECK(world.http.requests.size() == 1);
  CHECK(world.http.requests[0].route == nullptr);
}

TEST_CASE(
    "the client certificate is shown to the registry's host, the rest holds for all it names") {
  const Files files;
  World world;
  RegistrySettings& settings = world.settings["harbor.lan"];
  settings.ca_file = files.acme.file("ca.pem");
  settings.client_cert = files.acme.file("alice.pem");
  settings.client_key = files.acme.file("alice.key");
  settings.proxy = "http://proxy.lan:3128";
  world.network["HEAD https://harbor.lan/v2/a/manifests/1"] = {
      bearer(R"(realm="https://harbor.lan:8443/t")"), redirect("https://cdn.lan/x")};
  world.network["GET https://harbor.lan:8443/t?scope=repository%3Aa%3Apull&client_id=tallyman"] = {
      token("s3cr3t-t")};
  world.network["HEAD https://cdn.lan/x"] = {tag(some_digest('a'))};
  REQUIRE(world.resolve("harbor.lan/a:1").has_value());
  REQUIRE(world.http.requests.size() == 4);
  for (const HttpRequest& request : world.http.requests) {
    CAPTURE(request.url);
    REQUIRE(request.route != nullptr);
    CHECK_FALSE(request.route->roots.empty());
    CHECK(request.route->proxy == settings.proxy);
    CHECK(request.route->client_cert.empty() == contains(request.url, "cdn.lan"));
    CHECK(request.route->client_key.empty() == contains(request.url, "cdn.lan"));
  }
}

TEST_CASE("a client certificate that is wanted: where to put one") {
  World world;
  world.network["HEAD https://harbor.lan/v2/a/manifests/1"] = {
      no_answer(TransportFailure::client_certificate)};
  const Error error = world.failure("harbor.lan/a:1");
  for (const std::string way : {"client_cert and client_key under [registry.\"harbor.lan\"]",
                                "/etc/docker/certs.d/harbor.lan/client.cert",
                                "/etc/docker/certs.d/harbor.lan/client.key"}) {
    CHECK_MESSAGE(contains(error.remedy, way), error.remedy);
  }
}

TEST_CASE("real: a registry with an authority and client certificates of its own") {
  Authority acme;
  acme.issue("registry");
  acme.issue("alice");
  const TlsServer server(acme, "registry", acme.file("ca.pem"));
  const std::string image = server.host() + "/a:1";
  const TempFolder certs;
  const std::string folder = certs / server.host();
  for (const bool by_section : {true, false}) {
    CAPTURE(by_section);
    Curl curl;
    World world;
    const auto ask = [&] {
      RemoteRegistry registry(curl.http, world.credentials(), world.settings, {}, world.clock,
                              world.log, {certs.path()});
      return registry.resolve({image_ref(image)}).front();
    };
    CHECK(contains(ask().error().message, "does not know the issuer CN=Acme Root"));
    std::filesystem::create_directory(folder);
    if (by_section) {
      world.settings[server.host()].ca_file = acme.file("ca.pem");
    } else {
      std::filesystem::copy_file(acme.file("ca.pem"), folder + "/ca.crt");
    }
    CHECK(contains(ask().error().message, "wants a client certificate"));
    if (by_section) {
      world.settings[server.host()].client_cert = acme.file("alice.pem");
      world.settings[server.host()].client_key = acme.file("alice.key");
    } else {
      std::filesystem::copy_file(acme.file("alice.pem"), folder + "/client.cert");
      std::filesystem::copy_file(acme.file("alice.key"), folder + "/client.key");
    }
    const auto found = ask();
    REQUIRE_MESSAGE(found.has_value(), (found ? "" : found.error().message));
    CHECK(found->digest.str() == some_digest('a'));
    std::filesystem::remove_all(folder);
  }
}

}  // namespace
}  // namespace tallyman::test
