#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "support/scripted_server.hpp"
#include "tallyman/io/curl_http.hpp"
#include "unit/engine/pulling.hpp"
#include "unit/engine/recordings_20_10.hpp"
#include "unit/engine/recordings_26_1_containerd.hpp"

using tallyman::ErrorKind;
using tallyman::test::k_pulled_digest;
using tallyman::test::RecordedRequest;
using tallyman::test::robot;
using tallyman::test::ScriptedAnswer;
using tallyman::test::ScriptedServer;

namespace {

/// A folder for a socket, gone with the test.
class SocketFolder {
 public:
  SocketFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "engine-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    m_path = name;
  }
  SocketFolder(const SocketFolder&) = delete;
  SocketFolder& operator=(const SocketFolder&) = delete;
  ~SocketFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(m_path, ignored);
  }
  [[nodiscard]] std::string socket() const { return (m_path / "docker.sock").string(); }

 private:
  std::filesystem::path m_path;
};

struct Wire {
  tallyman::CurlGlobal global;
  tallyman::Stop stop;
  SocketFolder folder;
  tallyman::CurlHttp http{stop, "tallyman-test"};
  tallyman::DockerEngine engine{http, http, folder.socket()};
};

ScriptedAnswer answer(std::string_view body, int status = 200) {
  return {.status = status,
          .headers = {{"Api-Version", "1.41"}, {"Content-Type", "application/json"}},
          .body = std::string(body)};
}

/// One chunk of the chunked coding for each line, as dockerd flushes them.
std::string chunked(std::string_view stream) {
  std::string text =
      "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n";
  while (!stream.empty()) {
    const std::size_t size = std::min(stream.find("\r\n"), stream.size() - 2) + 2;
    text += fmt::format("{:x}\r\n{}\r\n", size, stream.substr(0, size));
    stream.remove_prefix(size);
  }
  return text + "0\r\n\r\n";
}

/// Everything but the pull, which `pull` answers.
ScriptedServer::Script engine_script(std::function<ScriptedAnswer()> pull) {
  return [pull = std::move(pull)](const RecordedRequest& request) {
    if (request.target == "/v1.41/version") {
      return answer(R"({"Os":"linux","Arch":"amd64"})");
    }
    return request.method == "POST" ? pull() : answer("{}");
  };
}

}  // namespace

TEST_CASE("a host is observed over a real socket") {
  Wire wire;
  const ScriptedServer server(wire.folder.socket(), [](const RecordedRequest& request) {
    if (request.target == "/v1.41/containers/json?all=1") {
      return answer(R"([{"Id":"a1","Names":["/web"],"Image":"sha256:1","ImageID":"sha256:1"}])");
    }
    if (request.target == "/v1.41/containers/a1/json") {
      return answer(R"({"Id":"a1","Name":"/web","Config":{"Image":"nginx:1"}})");
    }
    return request.target == "/v1.41/images/json" ? answer("[]") : answer("{}");
  });
  const auto host = wire.engine.observe();
  REQUIRE(host);
  REQUIRE(host->containers.size() == 1);
  CHECK(host->containers[0].image == "nginx:1");
  REQUIRE(server.requests().size() == 4);
  CHECK(server.requests()[0].method == "HEAD");
  CHECK(server.requests()[0].target == "/_ping");
  CHECK(server.requests()[0].header("host") == "docker");
}

TEST_CASE("an inspected name arrives at the engine as it was meant") {
  Wire wire;
  const ScriptedServer server(wire.folder.socket(),
                              [](const RecordedRequest&) { return answer(R"({"Id":"a"})"); });
  CHECK(wire.engine.inspect_image("harbor.lan:8443/a/b@sha256:00"));
  CHECK(server.requests().back().target == "/v1.41/images/harbor.lan:8443/a/b@sha256:00/json");
}

TEST_CASE("a pull over a real socket") {
  Wire wire;
  const ScriptedServer server(
      wire.folder.socket(), engine_script([] {
        return ScriptedAnswer::bytes({chunked(tallyman::test::k_engine20_pull)});
      }));
  const auto result = tallyman::test::pull(wire.engine, robot());
  REQUIRE(result.bytes);
  CHECK(*result.bytes == 1'093'854 + 3'001'272);
  const RecordedRequest request = server.requests().back();
  CHECK(request.target == "/v1.41/images/create?fromImage=harbor.lan%2Fshop%2Fweb&tag=sha256%3A" +
                              std::string(k_pulled_digest.substr(7)));
  CHECK_FALSE(request.header("x-registry-auth").empty());
  CHECK(request.body.empty());
}

TEST_CASE("a pull arriving byte by byte is the same pull") {
  Wire wire;
  const ScriptedServer server(wire.folder.socket(), engine_script([] {
                                std::vector<std::string> bytes;
                                for (const char c : chunked(tallyman::test::k_containerd26_pull)) {
                                  bytes.emplace_back(1, c);
                                }
                                return ScriptedAnswer::bytes(std::move(bytes));
                              }));
  const auto result = tallyman::test::pull(wire.engine);
  REQUIRE(result.bytes);
  CHECK(*result.bytes == 3'001'272);
}

TEST_CASE("a pull that is cut, at whatever byte, is never a success") {
  Wire wire;
  const std::string whole = chunked(tallyman::test::k_containerd26_pull);
  const std::size_t body = whole.find("\r\n\r\n") + 4;
  std::size_t length = 0;
  const ScriptedServer server(wire.folder.socket(), engine_script([&whole, &length] {
                                return ScriptedAnswer::bytes({whole.substr(0, length)});
                              }));
  // The last line feed says nothing new: the empty last chunk and its empty trailer were there.
  for (; length + 1 < whole.size(); ++length) {
    const auto result = tallyman::test::pull(wire.engine);
    CAPTURE(length);
    REQUIRE_FALSE(result.bytes);
    if (length > body) {  // within the head it may also be something that is not HTTP
      CHECK(result.bytes.error().kind == ErrorKind::transient);
    }
  }
  length = whole.size();
  CHECK(tallyman::test::pull(wire.engine).bytes);
}

TEST_CASE("a stream that makes no sense is not read to its end") {
  Wire wire;
  const ScriptedServer server(wire.folder.socket(), engine_script([] {
                                ScriptedAnswer endless = ScriptedAnswer::bytes(
                                    {"HTTP/1.1 200 OK\r\n\r\nHello", "never sent"});
                                endless.pause = std::chrono::milliseconds(0);
                                return endless;
                              }));
  const auto result = tallyman::test::pull(wire.engine);
  REQUIRE_FALSE(result.bytes);
  CHECK(result.bytes.error().kind == ErrorKind::protocol);
}

TEST_CASE("an error of HTTP is told though the answer to a pull is streamed") {
  Wire wire;
  const ScriptedServer server(
      wire.folder.socket(), engine_script([] {
        return answer(R"({"message":"manifest for x not found: manifest unknown"})", 404);
      }));
  const auto result = tallyman::test::pull(wire.engine);
  REQUIRE_FALSE(result.bytes);
  CHECK(result.bytes.error().kind == ErrorKind::not_found);
  CHECK(result.bytes.error().message.ends_with(": manifest for x not found: manifest unknown"));
}

TEST_CASE("no socket, or one that nobody listens on") {
  Wire wire;
  const auto missing = wire.engine.info();
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind == ErrorKind::transient);
  CHECK(missing.error().message == "no Docker Engine listens on " + wire.folder.socket());
  CHECK_FALSE(missing.error().remedy.empty());
  {
    const ScriptedServer ended(wire.folder.socket(),
                               [](const RecordedRequest&) { return answer("{}"); });
  }
  REQUIRE(std::filesystem::exists(wire.folder.socket()));
  const auto deserted = wire.engine.info();
  REQUIRE_FALSE(deserted);
  CHECK(deserted.error().message == missing.error().message);
}

TEST_CASE("no permission on the socket") {
  Wire wire;
  const ScriptedServer server(wire.folder.socket(),
                              [](const RecordedRequest&) { return answer("{}"); });
  REQUIRE(::chmod(wire.folder.socket().c_str(), 0) == 0);
  // Root may do everything, so this needs another effective user for a moment.
  const uid_t self = ::geteuid();
  if (self == 0) {
    const std::filesystem::path folder = std::filesystem::path(wire.folder.socket()).parent_path();
    REQUIRE(::chmod(folder.c_str(), 0755) == 0);
    REQUIRE(::seteuid(65534) == 0);
  }
  const auto info = wire.engine.info();
  REQUIRE(::seteuid(self) == 0);
  REQUIRE_FALSE(info);
  CHECK(info.error().kind == ErrorKind::denied);
  CHECK(info.error().message ==
        "no permission on " + wire.folder.socket() + ", the Docker Engine's socket");
  CHECK(info.error().remedy == "run as root or as a member of the docker group");
}

TEST_CASE("an engine that hangs up at once") {
  Wire wire;
  const ScriptedServer server(wire.folder.socket(),
                              [](const RecordedRequest&) { return ScriptedAnswer::bytes({}); });
  const auto info = wire.engine.info();
  REQUIRE_FALSE(info);
  CHECK(info.error().kind == ErrorKind::transient);
  CHECK(info.error().message.contains("hung up when asked to answer a ping"));
}
