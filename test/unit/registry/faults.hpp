#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/scripted_server.hpp"
#include "tallyman/io/http.hpp"
#include "unit/io/curl_fixture.hpp"
#include "unit/registry/world.hpp"

/// The fault list: a RemoteRegistry on real sockets against servers that are broken, slow or lying.
namespace tallyman::test {

/// A CurlHttp whose limits are a test's.
class TunedHttp final : public Http {
 public:
  explicit TunedHttp(Http& http) : m_http(http) {}
  void send(HttpRequest request, Done done) override {
    request.delay = std::min(request.delay, std::chrono::milliseconds(1));  // before a retry
    tune(request);
    m_http.send(std::move(request), std::move(done));
  }
  void watch(int fd, std::move_only_function<void()> ready) override {
    m_http.watch(fd, std::move(ready));
  }
  void run() override { m_http.run(); }

  std::function<void(HttpRequest&)> tune = [](HttpRequest&) {};

 private:
  Http& m_http;
};

/// A registry's client. No secret of it may be in the log at its end.
struct Loopback {
  Curl curl;
  TunedHttp http{curl.http};
  World world;

  RemoteRegistry& registry() {
    if (!m_registry) {
      m_registry.emplace(
          http, world.credentials(), world.settings, [this] { return world.insecure; }, world.clock,
          world.log);
    }
    return *m_registry;
  }
  Result<RemoteImage> resolve(const std::string& image) {
    return registry().resolve({image_ref(image)}).front();
  }
  Result<PlatformImage> look_into(const std::string& image, const std::string& digest) {
    const Registry::PlatformQuestion question{
        image_ref(image), Digest::parse(digest).value(), {"linux", "amd64", ""}};
    return registry().look_into({question}).front();
  }

  /// Every http URL leads to this server, which sees it as a proxy does: "http://HOST/path".
  void go_through(const ScriptedServer& proxy) {
    m_no_proxy.emplace("no_proxy", "");
    m_proxy.emplace("http_proxy", proxy.url("").c_str());
  }

  /// Its section says plain_http, with or without a credential.
  void plain(const std::string& host) { world.settings[host] = {true, "", ""}; }
  void plain_with_credential(const std::string& host) {
    world.section(host, "robot$shop+pull", std::string(k_mark) + "-password", true);
  }

 private:
  std::optional<Variable> m_no_proxy;
  std::optional<Variable> m_proxy;
  std::optional<RemoteRegistry> m_registry;
};

inline const std::string k_basic =
    "Basic " + base64_encode("robot$shop+pull:" + std::string(k_mark) + "-password");
inline const std::string k_token = std::string(k_mark) + "-token";

/// What is expected of a fault. "HOST" stands for the server's host and port.
struct Expected {
  ErrorKind kind = ErrorKind::bug;
  std::string message = {};  ///< is within it
  std::string remedy = {};   ///< is within it
};

inline std::string with_host(std::string text, const std::string& host) {
  for (std::size_t at = text.find("HOST"); at != std::string::npos; at = text.find("HOST", at)) {
    text.replace(at, 4, host);
  }
  return text;
}

/// The error names the image (and with it its host), and nothing secret.
template <class T>
void check_fault(const Result<T>& result, const Expected& expected, const std::string& host,
                 const std::string& image) {
  CHECK_FALSE(result.has_value());
  if (result) {
    return;
  }
  const Error& error = result.error();
  CHECK_MESSAGE(error.kind == expected.kind,
                to_string(error.kind) << ": " << error.message << " -- " << error.remedy);
  CHECK(error.message.starts_with(image));
  CHECK_MESSAGE(contains(error.message, with_host(expected.message, host)), error.message);
  CHECK(contains(error.remedy, with_host(expected.remedy, host)));
  CHECK_FALSE(contains(error.message + error.remedy, k_mark));
  CHECK(error.message.size() < 2000);
}

/// A manifest that nothing is wrong with.
inline const std::string k_manifest =
    R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)"
    R"({"mediaType":"application/vnd.oci.image.config.v1+json","digest":")" +
    some_digest('c') + R"(","size":2},"layers":[]})";
inline const std::string k_manifest_type = "application/vnd.oci.image.manifest.v1+json";
inline const std::string k_digest_a = some_digest('a');

/// A tag that is there.
inline ScriptedAnswer good_tag() {
  return {200, {{"Docker-Content-Digest", k_digest_a}}};
}
inline ScriptedAnswer good_manifest() {
  return {200, {{"Content-Type", k_manifest_type}}, k_manifest};
}

/// One plain-http registry that does the same to every request.
struct Fault {
  std::string name;
  ScriptedAnswer answer;
  Expected expected;
};

/// The fault meets HEAD; or GET, after a HEAD that tells nothing.
inline void check_faults(const std::vector<Fault>& faults, bool at_get = false) {
  for (const Fault& fault : faults) {
    CAPTURE(fault.name);
    ScriptedServer server([&](const RecordedRequest& request) -> ScriptedAnswer {
      return at_get && request.method == "HEAD" ? ScriptedAnswer{200} : fault.answer;
    });
    Loopback loopback;
    loopback.plain(server.host());
    const std::string image = server.host() + "/shop/api:1";
    check_fault(loopback.resolve(image), fault.expected, server.host(), image);
    CHECK_FALSE(server.requests().empty());
  }
}

/// An answer that is odd, and still good enough: the digest that comes of it.
struct Oddity {
  std::string name;
  ScriptedAnswer head;
  ScriptedAnswer get;
  std::string digest;
};

inline void check_oddities(const std::vector<Oddity>& oddities) {
  for (const Oddity& oddity : oddities) {
    CAPTURE(oddity.name);
    ScriptedServer server([&](const RecordedRequest& request) {
      return request.method == "HEAD" ? oddity.head : oddity.get;
    });
    Loopback loopback;
    loopback.plain(server.host());
    const auto image = loopback.resolve(server.host() + "/shop/api:1");
    CHECK_MESSAGE(image.has_value(), (image ? "" : image.error().message));
    CHECK((image ? image->digest.str() : "") == oddity.digest);
  }
}

}  // namespace tallyman::test
