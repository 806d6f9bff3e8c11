#include "tallyman/io/process.hpp"

#include <chrono>
#include <string>

#include "support/scripted_server.hpp"
#include "unit/io/curl_fixture.hpp"
#include "unit/registry/world.hpp"

namespace tallyman::test {
namespace {

constexpr std::string_view k_config = R"({"credHelpers":{"ghcr.io":"x","two.lan":"x"}})";
const std::string k_command = "docker-credential-x get";

Exit exit_with(int code, std::string out) {
  return {.code = code, .out = std::move(out)};
}

/// "user:secret", "identity:secret", "none", or the error's message.
std::string look_up(World& world, const std::string& domain = "ghcr.io") {
  const auto found = world.credentials().find(domain, "acme/web");
  if (!found) {
    CHECK(found.error().kind == ErrorKind::process);
    CHECK_FALSE(found.error().remedy.empty());
    CHECK_FALSE(contains(found.error().message + found.error().remedy, k_mark));
    return found.error().message;
  }
  if (!*found) {
    return "none";
  }
  const bool identity = (*found)->kind == CredentialKind::identity_token;
  return (identity ? "identity" : "") + (*found)->username + ":" + (*found)->secret.reveal();
}

TEST_CASE("what a helper may answer") {
  struct Row {
    Result<Exit> exit;
    std::string expected;
  };
  const std::string none = "credentials not found in native keychain";
  for (const Row& row : {
           Row{exit_with(0, R"({"ServerURL":"ghcr.io","Username":"robot$a+b","Secret":"s3cr3t"})"),
               "robot$a+b:s3cr3t"},
           Row{exit_with(0, R"({"Username":"<token>","Secret":"s3cr3t"})"
                            "\n"),
               "identity:s3cr3t"},
           Row{exit_with(1, none), "none"},
           Row{exit_with(1, "\n" + none + " \n"), "none"},
           Row{exit_with(1, "s3cr3t is wrong"), "gave no credential (exit status 1)"},
           Row{exit_with(1, "no credentials username"), "gave no credential (exit status 1)"},
           Row{exit_with(127, ""), "gave no credential (exit status 127)"},
           Row{Exit{.signal = 11}, "killed by signal 11"},
           Row{Exit{.signal = 9, .timed_out = true, .out = none}, "timed out after 10.0 s"},
           Row{exit_with(0, ""), "did not answer with JSON"},
           Row{exit_with(0, "s3cr3t"), "did not answer with JSON"},
           Row{exit_with(0, "[]"), "did not answer with JSON"},
           Row{exit_with(0, "{}"), "answered without Username and Secret"},
           Row{exit_with(0, R"({"Username":"","Secret":"s3cr3t"})"), "without Username and Secret"},
           Row{exit_with(0, R"({"Username":"me","Secret":7})"), "without Username and Secret"},
           Row{exit_with(0, R"({"Username":"m\u001b","Secret":"s3cr3t"})"), "that is no text"},
           Row{exit_with(0, std::string(100, '[') + std::string(100, ']')), "with JSON"},
           Row{exit_with(0, std::string(64 * 1024, ' ')), "answered too much"},
           Row{fail(ErrorKind::process, "not found"), "not in PATH /usr/bin"},
       }) {
    CAPTURE(row.expected);
    World world;
    world.add_file("config.json", k_config);
    world.process.on(k_command, row.exit);
    const std::string found = look_up(world);
    CHECK_MESSAGE(contains(found, row.expected), found);
    const bool is_error = contains(found, "docker-credential-x, which");
    if (is_error) {
      CHECK(contains(found, world.places.files.front() + " names for ghcr.io"));
    }
    CHECK(occurrences(world.captured.text(), "warning: ") == (is_error ? 1 : 0));
    CHECK(look_up(world) == found);
    CHECK(world.process.commands.size() == 1);
  }
}

TEST_CASE("a helper is started without a shell, with little and bounded in everything") {
  World world;
  world.places.helper_environment = {{"HOME", "/root"}};
  world.add_file("config.json", k_config);
  look_up(world);
  REQUIRE(world.process.commands.size() == 1);
  const Command& command = world.process.commands.front();
  CHECK(command.argv == std::vector<std::string>{"docker-credential-x", "get"});
  CHECK(command.input == "ghcr.io");
  CHECK(command.environment ==
        std::map<std::string, std::string>{{"HOME", "/root"}, {"PATH", "/usr/bin"}});
  CHECK(command.timeout == std::chrono::seconds(10));
  CHECK(command.grace.count() == 0);
  CHECK(command.max_output == 64 * 1024);
}

TEST_CASE("a name that is none starts nothing") {
  for (const std::string name : {"../x", "a b", "x;id", "a/b", "\\u00e9", "$HOME", "x\\n"}) {
    CAPTURE(name);
    World world;
    world.add_file("config.json", "{\"credsStore\":\"" + name + "\"}");
    const auto found = world.credentials().find("ghcr.io", "acme/web");
    REQUIRE_FALSE(found.has_value());
    CHECK(found.error().kind == ErrorKind::config);
    CHECK(contains(found.error().message, "no name of a credential helper"));
    CHECK(world.process.commands.empty());
  }
}

TEST_CASE("helpers that need somebody's session say so") {
  for (const std::string name : {"secretservice", "pass", "desktop", "ecr-login"}) {
    World world;
    world.add_file("config.json", "{\"credsStore\":\"" + name + "\"}");
    world.process.on("docker-credential", exit_with(1, "s3cr3t"));
    CHECK(contains(look_up(world), "needs a user session, which a systemd service has not") ==
          (name != "ecr-login"));
  }
}

TEST_CASE(
    "a registry that lets everybody in costs no helper, and a failed one nothing but itself") {
  World world;
  world.add_file("config.json", R"({"credsStore":"x"})");
  world.process.on(k_command, exit_with(1, "s3cr3t"));
  world.network["HEAD https://open.lan/v2/a/manifests/1"] = {tag(some_digest('a'))};
  CHECK(world.resolve("open.lan/a:1").has_value());
  CHECK(world.process.commands.empty());
  const std::string head = "HEAD https://ghcr.io/v2/acme/web/manifests/1";
  const std::string ask =
      "GET https://ghcr.io/token?scope=repository%3Aacme%2Fweb%3Apull&client_id=tallyman";
  world.network[head] = {bearer("realm=\"https://ghcr.io/token\""), tag(some_digest('a'))};
  world.network[ask] = {token("s3cr3t-t")};
  CHECK(world.resolve("ghcr.io/acme/web:1").has_value());
  CHECK(world.authorizations() == Lines{"", "", "", "Bearer s3cr3t-t"});
  world.network["HEAD https://shut.lan/v2/a/manifests/1"] = {basic()};
  const Error error = world.failure("shut.lan/a:1");
  CHECK(error.kind == ErrorKind::process);
  CHECK(contains(error.message, "docker-credential-x, which"));
}

TEST_CASE("two repositories that wait for one helper ask it once") {
  World world;
  world.add_file("config.json", k_config);
  world.process.prints(k_command, R"({"Username":"me","Secret":"s3cr3t"})");
  std::vector<ImageReference> references;
  for (const std::string name : {"a", "b", "c"}) {
    world.network["HEAD https://ghcr.io/v2/" + name + "/manifests/1"] = {basic(),
                                                                         tag(some_digest('a'))};
    references.push_back(image_ref("ghcr.io/" + name + ":1"));
  }
  for (const auto& image : world.registry().resolve(references)) {
    CHECK_MESSAGE(image.has_value(), (image ? "" : image.error().message));
  }
  CHECK(world.process.commands.size() == 1);
  CHECK(world.authorizations().back() == "Basic " + base64_encode("me:s3cr3t"));
}

/// A helper that is a script, on real sockets.
struct Scripted {
  Curl curl;
  World world;
  PosixProcess process;

  explicit Scripted(std::string_view script, std::string_view config = k_config) {
    (void)world.folder.script("docker-credential-x", script);
    world.places.helper_environment = {{"PATH", world.folder.path() + ":/usr/bin:/bin"},
                                       {"HOME", world.folder.path()}};
    world.runs_programs = &process;
    world.add_file("config.json", config);
  }

  /// What asks these over plain http.
  [[nodiscard]] RemoteRegistry registry(const std::vector<std::string>& hosts) {
    for (const std::string& host : hosts) {
      world.settings[host] = {true, "", ""};
    }
    return RemoteRegistry(
        curl.http, world.credentials(), world.settings, [] { return InsecureRegistries{}; },
        world.clock, world.log);
  }
};

TEST_CASE("real: a helper that answers, does not know, fails, is garbled or floods") {
  struct Row {
    std::string script, expected;
  };
  for (const Row& row : {
           Row{"read -r server || true\n"
               "printf '{\"ServerURL\":\"%s\",\"Username\":\"%s\",\"Secret\":\"s3cr3t\"}' "
               "\"$server\" \"$1-$server-$#-$(env | grep -c .)\"",
               "get-ghcr.io-1-3:s3cr3t"},  // PATH, HOME and the shell's own PWD
           Row{"echo credentials not found in native keychain; exit 1", "none"},
           Row{"echo s3cr3t is wrong; echo s3cr3t >&2; exit 1",
               "gave no credential (exit status 1)"},
           Row{"echo '{\"Username\":\"s3cr3t'", "did not answer with JSON"},
           Row{"head -c 3000000 /dev/zero", "answered too much"},
           Row{"kill -9 $$", "killed by signal 9"},
       }) {
    CAPTURE(row.script);
    Scripted scripted(row.script + "\n");
    CHECK_MESSAGE(contains(look_up(scripted.world), row.expected), look_up(scripted.world));
  }
  Scripted missing("");
  REQUIRE(::unlink((missing.world.folder / "docker-credential-x").c_str()) == 0);
  CHECK(contains(look_up(missing.world), "not in PATH " + missing.world.folder.path()));
}

TEST_CASE("real: while one registry's helper hangs, the others go on; then it is killed") {
  // The helper ends only after the other registry was asked three times, or when it is killed.
  ScriptedServer shut([](const RecordedRequest&) -> ScriptedAnswer {
    return {401, {{"WWW-Authenticate", "Basic realm=\"x\""}}};
  });
  ScriptedServer open([](const RecordedRequest&) -> ScriptedAnswer {
    return {200, {{"Docker-Content-Digest", some_digest('a')}}};
  });
  Scripted scripted("trap '' TERM\nwhile :; do sleep 1; done\n",
                    "{\"credHelpers\":{\"" + shut.host() + "\":\"x\"}}");
  World& world = scripted.world;
  world.places.helper_timeout = std::chrono::seconds(2);
  RemoteRegistry registry = scripted.registry({shut.host(), open.host()});
  const auto images =
      registry.resolve({image_ref(shut.host() + "/a:1"), image_ref(open.host() + "/a:1"),
                        image_ref(open.host() + "/b:1"), image_ref(open.host() + "/c:1")});
  REQUIRE_FALSE(images[0].has_value());
  CHECK(images[0].error().kind == ErrorKind::process);
  CHECK(contains(images[0].error().message, "timed out after 2.0 s"));
  for (std::size_t i = 1; i < images.size(); ++i) {
    CHECK(images[i].has_value());
  }
  CHECK(open.requests().size() == 3);
}

TEST_CASE("real: the answers of others do not wait for a helper") {
  // It is let go by the last answer of the other registry: were that held up, it would be killed.
  ScriptedServer shut([](const RecordedRequest& request) -> ScriptedAnswer {
    if (request.header("authorization") == "Basic " + base64_encode("me:s3cr3t")) {
      return {200, {{"Docker-Content-Digest", some_digest('b')}}};
    }
    return {401, {{"WWW-Authenticate", "Basic realm=\"x\""}}};
  });
  const TempFolder gate;
  ScriptedServer open([&gate](const RecordedRequest& request) -> ScriptedAnswer {
    if (request.header("authorization").empty()) {
      return {401, {{"WWW-Authenticate", "Bearer realm=\"/token\""}}};
    }
    gate.write("go", "");
    return {200, {{"Docker-Content-Digest", some_digest('a')}}};
  });
  const std::string script = "until [ -e " + gate / "go" +
                             " ]; do sleep 0.1; done\n"
                             "echo '{\"Username\":\"me\",\"Secret\":\"s3cr3t\"}'\n";
  Scripted scripted(script, "{\"credHelpers\":{\"" + shut.host() + "\":\"x\"},\"auths\":{\"" +
                                open.host() + "\":{\"registrytoken\":\"s3cr3t-t\"}}}");
  World& world = scripted.world;
  world.places.helper_timeout = std::chrono::minutes(2);
  RemoteRegistry registry = scripted.registry({shut.host(), open.host()});
  const auto images =
      registry.resolve({image_ref(shut.host() + "/a:1"), image_ref(open.host() + "/a:1")});
  for (const auto& image : images) {
    CHECK_MESSAGE(image.has_value(), (image ? "" : image.error().message));
  }
}

TEST_CASE("real: nor in a run that knows who gives tokens, and needs the helper first of all") {
  ScriptedServer shut([](const RecordedRequest& request) -> ScriptedAnswer {
    if (request.target.starts_with("/token")) {
      const bool good = request.header("authorization") == "Basic " + base64_encode("me:s3cr3t");
      return {good ? 200 : 401, {}, R"({"token":"s3cr3t-t"})"};
    }
    if (request.header("authorization") == "Bearer s3cr3t-t") {
      return {200, {{"Docker-Content-Digest", some_digest('b')}}};
    }
    return {401, {{"WWW-Authenticate", "Bearer realm=\"/token\""}}};
  });
  const TempFolder gate;
  ScriptedServer open([&gate](const RecordedRequest&) -> ScriptedAnswer {
    gate.write("go", "");
    return {200, {{"Docker-Content-Digest", some_digest('a')}}};
  });
  const std::string script = "until [ -e " + gate / "go" +
                             " ]; do sleep 0.1; done\n"
                             "echo '{\"Username\":\"me\",\"Secret\":\"s3cr3t\"}'\n";
  Scripted scripted(script, "{\"credHelpers\":{\"" + shut.host() + "\":\"x\"}}");
  World& world = scripted.world;
  world.places.helper_timeout = std::chrono::minutes(2);
  RemoteRegistry registry = scripted.registry({shut.host(), open.host()});
  RegistryMemory known;
  known.token_service = {"http://" + shut.host() + "/token", "", world.clock.wall};
  registry.recall({{shut.host(), known}});
  const auto images =
      registry.resolve({image_ref(shut.host() + "/a:1"), image_ref(open.host() + "/a:1")});
  for (const auto& image : images) {
    CHECK_MESSAGE(image.has_value(), (image ? "" : image.error().message));
  }
  CHECK(shut.requests().size() == 2);  // the token first, no 401
}

}  // namespace
}  // namespace tallyman::test
