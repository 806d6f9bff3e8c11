#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "support/scripted_server.hpp"
#include "unit/io/curl_fixture.hpp"
#include "unit/registry/world.hpp"

namespace tallyman::test {
namespace {

/// A RemoteRegistry on real sockets.
struct Loopback {
  Curl curl;
  World world;
  std::optional<RemoteRegistry> made;

  RemoteRegistry& registry() {
    if (!made) {
      made.emplace(
          curl.http, world.credentials(), world.settings, [this] { return world.insecure; },
          world.clock, world.log);
    }
    return *made;
  }
};

TEST_CASE("real: Bearer with a credential, then the manifest, all within one registry") {
  ScriptedServer server([](const RecordedRequest& request) -> ScriptedAnswer {
    const std::string authorization = request.header("authorization");
    if (request.target.starts_with("/token?")) {
      const bool known = authorization == "Basic " + base64_encode("robot$shop+pull:s3cr3t");
      return {known ? 200 : 401, {}, R"({"token":"s3cr3t-t"})"};
    }
    if (authorization != "Bearer s3cr3t-t") {
      return {401, {{"WWW-Authenticate", "Bearer realm=\"/token\",service=\"s\""}}};
    }
    return {200, {{"Docker-Content-Digest", some_digest('a')}}};
  });
  Loopback loopback;
  loopback.world.section(server.host(), "robot$shop+pull", "s3cr3t", true);
  const auto image =
      loopback.registry().resolve({image_ref(server.host() + "/shop/api:stable")})[0];
  REQUIRE_MESSAGE(image.has_value(), (image ? "" : image.error().message));
  CHECK(image->digest.str() == some_digest('a'));
  const auto requests = server.requests();
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].method == "HEAD");
  CHECK(requests[0].header("authorization").empty());
  CHECK(contains(requests[0].header("accept"), "image.index.v1+json, application/"));
  CHECK(requests[0].header("accept-encoding").empty());
  CHECK(requests[1].target ==
        "/token?service=s&scope=repository%3Ashop%2Fapi%3Apull&client_id=tallyman&"
        "account=robot%24shop%2Bpull");
}

TEST_CASE("real: the engine's loopback rule leads from https to http") {
  ScriptedServer server([](const RecordedRequest&) -> ScriptedAnswer {
    return {200, {{"Docker-Content-Digest", some_digest('a')}}};
  });
  Loopback loopback;
  loopback.world.insecure.cidrs = {"127.0.0.0/8"};
  std::vector<ImageReference> references;
  references.reserve(50);
  for (int i = 0; i < 50; ++i) {
    references.push_back(image_ref(server.host() + "/a:" + std::to_string(i)));
  }
  for (const auto& image : loopback.registry().resolve(references)) {
    REQUIRE_MESSAGE(image.has_value(), (image ? "" : image.error().message));
  }
  CHECK(loopback.registry().describe_access(references[0]) == "http, anonymous");
}

TEST_CASE("real: without that rule the probe finds http and says so") {
  ScriptedServer server([](const RecordedRequest&) -> ScriptedAnswer { return {200}; });
  Loopback loopback;
  const auto image = loopback.registry().resolve({image_ref(server.host() + "/a:1")})[0];
  REQUIRE_FALSE(image.has_value());
  CHECK(contains(image.error().message, "but answers http on"));
  CHECK(contains(image.error().remedy, "[registry.\"" + server.host() + "\"]"));
}

TEST_CASE("real: nobody listens") {
  std::string host;
  {
    ScriptedServer server([](const RecordedRequest&) -> ScriptedAnswer { return {}; });
    host = server.host();
  }
  Loopback loopback;
  const auto images =
      loopback.registry().resolve({image_ref(host + "/a:1"), image_ref(host + "/a:2")});
  for (const auto& image : images) {
    REQUIRE_FALSE(image.has_value());
    CHECK(image.error().kind == ErrorKind::transient);
    CHECK(contains(image.error().message, host));
  }
}

TEST_CASE("real: broken answers are errors, each of its own question") {
  ScriptedServer server([](const RecordedRequest& request) -> ScriptedAnswer {
    if (request.target.ends_with("/good")) {
      return {200, {{"Docker-Content-Digest", some_digest('a')}}};
    }
    if (request.target.ends_with("/closed")) {
      return ScriptedAnswer::bytes({});
    }
    if (request.target.ends_with("/cut") && request.method == "GET") {
      return ScriptedAnswer::bytes({"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"sche"});
    }
    if (request.target.ends_with("/large") && request.method == "GET") {
      return {200, {}, std::string(std::size_t{5} * 1024 * 1024, 'x')};
    }
    if (request.target.ends_with("/garbage")) {
      return ScriptedAnswer::bytes({"SSH-2.0-OpenSSH\r\n\r\n"});
    }
    return {200};
  });
  Loopback loopback;
  loopback.world.settings[server.host()] = {true, "", ""};
  std::vector<ImageReference> references;
  for (const std::string name : {"good", "closed", "cut", "large", "garbage"}) {
    references.push_back(image_ref(server.host() + "/a:" + name));
  }
  const auto images = loopback.registry().resolve(references);
  CHECK(images[0].has_value());
  for (std::size_t i = 1; i < images.size(); ++i) {
    REQUIRE_FALSE(images[i].has_value());
    CHECK(contains(images[i].error().message, references[i].familiar()));
  }
}

/// Opens once; who waits for it goes on then.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(m_mutex);
    m_open = true;
    m_change.notify_all();
  }
  /// False: it did not open, and the test has failed.
  bool wait() {
    std::unique_lock lock(m_mutex);
    return m_change.wait_for(lock, std::chrono::seconds(20), [this] { return m_open; });
  }

 private:
  std::mutex m_mutex;
  std::condition_variable m_change;
  bool m_open = false;
};

TEST_CASE("real: nobody waits for the first answer of a registry, only for its connection") {
  Gate second_came;
  std::atomic<int> requests = 0;
  std::atomic<bool> first_waited_in_vain = false;
  ScriptedServer server([&](const RecordedRequest&) -> ScriptedAnswer {
    if (++requests == 1) {
      first_waited_in_vain = !second_came.wait();
    } else {
      second_came.open();
    }
    return {200, {{"Docker-Content-Digest", some_digest('a')}}};
  });
  Loopback loopback;
  loopback.world.settings[server.host()] = {true, "", ""};
  for (const auto& image : loopback.registry().resolve(
           {image_ref(server.host() + "/a:1"), image_ref(server.host() + "/b:1")})) {
    REQUIRE_MESSAGE(image.has_value(), (image ? "" : image.error().message));
  }
  CHECK_FALSE(first_waited_in_vain);
}

TEST_CASE("real: a registry that never answers holds up nobody else") {
  constexpr int k_good = 20;
  Gate all_served;
  std::atomic<int> served = 0;
  std::atomic<bool> waited_in_vain = false;
  ScriptedServer good([&](const RecordedRequest&) -> ScriptedAnswer {
    if (++served == k_good) {
      all_served.open();
    }
    return {200, {{"Docker-Content-Digest", some_digest('a')}}};
  });
  // Lets go of its clients only after the other one has answered all of its own.
  ScriptedServer black_hole([&](const RecordedRequest&) -> ScriptedAnswer {
    waited_in_vain = waited_in_vain || !all_served.wait();
    return ScriptedAnswer::bytes({});
  });
  Loopback loopback;
  loopback.world.settings[good.host()] = {true, "", ""};
  loopback.world.settings[black_hole.host()] = {true, "", ""};
  std::vector<ImageReference> references;
  for (int i = 0; i < k_good; ++i) {
    references.push_back(image_ref(black_hole.host() + "/a:" + std::to_string(i)));
    references.push_back(image_ref(good.host() + "/a:" + std::to_string(i)));
  }
  const auto images = loopback.registry().resolve(references);
  for (int i = 0; i < 2 * k_good; ++i) {
    CHECK(images[i].has_value() == (i % 2 == 1));
  }
  CHECK_FALSE(waited_in_vain);
}

TEST_CASE("real: questions go on their way while somebody else is asked") {
  Gate registry_was_asked;
  ScriptedServer server([&](const RecordedRequest&) -> ScriptedAnswer {
    registry_was_asked.open();
    return {200, {{"Docker-Content-Digest", some_digest('a')}}};
  });
  std::atomic<bool> waited_in_vain = false;
  ScriptedServer engine([&](const RecordedRequest&) -> ScriptedAnswer {
    waited_in_vain = !registry_was_asked.wait();
    return {200};
  });
  Loopback loopback;
  loopback.world.settings[server.host()] = {true, "", ""};
  const std::vector references = {image_ref(server.host() + "/a:1")};
  loopback.registry().begin(references);
  CurlHttp other(loopback.curl.stop, "tallyman-test/1", loopback.curl.http);
  REQUIRE(other.fetch({.url = engine.url("/")}).has_value());
  CHECK_FALSE(waited_in_vain);
  CHECK(loopback.registry().resolve(references)[0].has_value());
  CHECK(server.requests().size() == 1);
}

}  // namespace
}  // namespace tallyman::test
