#include "unit/config/support.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using tallyman::test::ConfigFolder;

namespace {

std::string mistakes_of_settings(std::string_view text) {
  const ConfigFolder folder;
  folder.settings(text);
  return folder.mistakes();
}

struct Row {
  std::string text;
  std::string_view mistakes;
};

void check_all(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(mistakes_of_settings(row.text) == row.mistakes);
  }
}

}  // namespace

TEST_CASE("every setting arrives where it belongs") {
  const ConfigFolder folder;
  folder.settings(R"(
[registry."harbor.lan"]
username = "robot$shop+pull"
password_file = "/etc/tallyman/harbor.secret"
[registry."172.21.138.103:5000"]
plain_http = true
[registry."docker.io"]
[registry.localhost]
plain_http = false
[registry."[fd00::1]:5000"]
[engine]
host = "unix:///run/user/1000/docker.sock"
[status]
file = "/run/tallyman/status.json"
)");
  const auto config = folder.load();
  REQUIRE(config.has_value());
  CHECK(config->engine_host == "unix:///run/user/1000/docker.sock");
  CHECK(config->status_file == "/run/tallyman/status.json");
  REQUIRE(config->registries.size() == 5);
  const auto& harbor = config->registries.at("harbor.lan");
  CHECK_FALSE(harbor.plain_http);
  CHECK(harbor.username == "robot$shop+pull");
  CHECK(harbor.password_file == "/etc/tallyman/harbor.secret");
  const auto& plain = config->registries.at("172.21.138.103:5000");
  CHECK(plain.plain_http);
  CHECK(plain.username.empty());
  CHECK(config->registries.contains("docker.io"));
  CHECK(config->registries.contains("localhost"));
  CHECK(config->registries.contains("[fd00::1]:5000"));
}

TEST_CASE("the settings may be missing or empty") {
  const ConfigFolder folder;
  for (const bool written : {false, true}) {
    if (written) {
      folder.settings("");
    }
    const auto config = folder.load();
    REQUIRE(config.has_value());
    CHECK(config->engine_host.empty());
    CHECK(config->status_file.empty());
    CHECK(config->registries.empty());
  }
}

TEST_CASE("a registry is named as references name it") {
  check_all({
      {"[registry.\"https://harbor.lan\"]",
       "tallyman.toml:1:11: registry.\"https://harbor.lan\": only the domain of a reference, "
       "without scheme, user and path; write [registry.\"harbor.lan\"]"},
      {"[registry.\"harbor.lan/shop\"]",
       "tallyman.toml:1:11: registry.\"harbor.lan/shop\": only the domain of a reference, without "
       "scheme, user and path; write [registry.\"harbor.lan\"]"},
      {"[registry.\"https://index.docker.io/v1/\"]",
       "tallyman.toml:1:11: registry.\"https://index.docker.io/v1/\": only the domain of a "
       "reference, without scheme, user and path; write [registry.\"docker.io\"]"},
      {"[registry.\"index.docker.io\"]",
       "tallyman.toml:1:11: registry.\"index.docker.io\": that registry is called docker.io in "
       "references; write [registry.\"docker.io\"]"},
      {"[registry.\"registry-1.docker.io\"]",
       "tallyman.toml:1:11: registry.\"registry-1.docker.io\": that registry is called docker.io "
       "in references; write [registry.\"docker.io\"]"},
      {"[registry.harbor.lan]\nplain_http = true",
       "tallyman.toml:1:11: registry.harbor: a domain needs quotes, its dots separate keys "
       "otherwise; write [registry.\"harbor.lan\"]"},
      {"[registry.10.0.0.7]\nplain_http = true\n[registry.10.0.0.8]\nplain_http = true",
       "tallyman.toml:1:11: registry.10: a domain needs quotes, its dots separate keys otherwise; "
       "write [registry.\"10.0.0.7\"]"},
      {"[registry.harbor]\nplain_http = true",
       "tallyman.toml:1:11: registry.harbor: no domain of a reference: that is \"localhost\", or a "
       "name or address with a dot or a port, such as \"harbor.lan\" or \"harbor:5000\""},
      {"[registry]\nplain_http = true",
       "tallyman.toml:2:1: registry.plain_http: expected a section of a domain, found a boolean; "
       "write it under [registry.\"DOMAIN\"]"},
      {"registry = \"harbor.lan\"",
       "tallyman.toml:1:12: registry: expected a table, found a string; write it as a section, "
       "[registry]"},
  });
  for (const auto* bad : {"", " ", "harbor.lan:", "harbor.lan:x", ":5000", "har bor.lan", "a..b",
                          "*.lan", "harbor.lan@sha256:1"}) {
    CAPTURE(bad);
    CHECK(mistakes_of_settings(std::string("[registry.\"") + bad + "\"]")
              .starts_with("tallyman.toml:1:11: registry.\""));
  }
}

TEST_CASE("max_concurrent_requests is 100, or a number from 1 to 1000") {
  const auto most = [](const std::string& line) {
    const ConfigFolder folder;
    folder.settings("[registry.\"h.lan\"]\n" + line);
    return folder.load()->registries.at("h.lan").max_concurrent_requests;
  };
  CHECK(most("") == 100);
  CHECK(most("max_concurrent_requests = 7") == 7);
  for (const std::string value : {"0", "1001", "-1", "\"many\"", "1.5"}) {
    CAPTURE(value);
    CHECK(mistakes_of_settings("[registry.\"h.lan\"]\nmax_concurrent_requests = " + value) != "");
  }
}

TEST_CASE("username and password_file come together") {
  check_all({
      {"[registry.\"h.lan\"]\nusername = \"me\"",
       "tallyman.toml:1:1: registry.\"h.lan\".password_file: is missing: username does nothing "
       "without it, or without credential; write both or none"},
      {"[registry.\"h.lan\"]\npassword_file = \"/x\"",
       "tallyman.toml:1:1: registry.\"h.lan\".username: is missing: password_file does nothing "
       "without it; write both or none"},
      {"[registry.\"h.lan\"]\nusername = \"a:b\"\npassword_file = \"/x\"",
       "tallyman.toml:2:12: registry.\"h.lan\".username: must not be empty, nor have a colon or a "
       "control character in it"},
      {"[registry.\"h.lan\"]\nusername = \"\"\npassword_file = \"/x\"",
       "tallyman.toml:2:12: registry.\"h.lan\".username: must not be empty, nor have a colon or a "
       "control character in it"},
  });
}

TEST_CASE("how a registry is reached arrives") {
  const ConfigFolder folder;
  folder.settings(R"([registry."h.lan"]
ca_file = "/etc/ca.pem"
client_cert = "/etc/c.pem"
client_key = "/etc/c.key"
proxy = "http://me:s3cret@proxy.lan:3128"
[registry."i.lan"]
plain_http = true
proxy = "none")");
  const auto config = folder.load();
  REQUIRE(config.has_value());
  const auto& settings = config->registries.at("h.lan");
  CHECK(settings.ca_file == "/etc/ca.pem");
  CHECK(settings.client_cert == "/etc/c.pem");
  CHECK(settings.client_key == "/etc/c.key");
  CHECK(settings.proxy == "http://me:s3cret@proxy.lan:3128");
  CHECK(config->registries.at("i.lan").proxy == "none");
}

TEST_CASE("how a registry is reached makes sense") {
  const std::string h = "[registry.\"h.lan\"]\n";
  check_all({
      {h + "ca_file = \"ca.pem\"",
       "tallyman.toml:2:11: registry.\"h.lan\".ca_file: must be an absolute path, one that begins "
       "with /"},
      {h + "client_cert = \"/c\"",
       "tallyman.toml:1:1: registry.\"h.lan\".client_key: is missing: client_cert does nothing "
       "without it; write both or none"},
      {h + "client_key = \"/c\"",
       "tallyman.toml:1:1: registry.\"h.lan\".client_cert: is missing: client_key does nothing "
       "without it; write both or none"},
      {h + "plain_http = true\nca_file = \"/c\"",
       "tallyman.toml:1:1: registry.\"h.lan\".ca_file: contradicts plain_http = true: there are no "
       "certificates without TLS"},
      {h + "plain_http = true\nclient_cert = \"/c\"\nclient_key = \"/c\"",
       "tallyman.toml:1:1: registry.\"h.lan\".client_cert: contradicts plain_http = true: there "
       "are "
       "no certificates without TLS"},
  });
  for (const auto* good : {"http://p", "https://p:1", "socks5://p:1080", "socks5h://[::1]:1080",
                           "http://me:p%40@p.lan:3128/", "none"}) {
    CHECK(mistakes_of_settings(h + "proxy = \"" + good + "\"").empty());
  }
  for (const auto* bad :
       {"", "s3cret", "p.lan:3128", "ftp://p", "socks4://p", "http://", "http://:1",
        "http://me:s3cret@", "http://me:s3cret@p/x", "http://me:s3 cret@p"}) {
    CAPTURE(bad);
    const auto mistakes = mistakes_of_settings(h + "proxy = \"" + bad + "\"");
    CHECK(mistakes.starts_with("tallyman.toml:2:9: registry.\"h.lan\".proxy: "));
    CHECK(mistakes.find("s3c") == std::string::npos);
  }
}

TEST_CASE("a systemd credential stands alone or with a username") {
  const ConfigFolder folder;
  folder.settings(
      "[registry.\"ghcr.io\"]\ncredential = \"ghcr\"\n"
      "[registry.\"h.lan\"]\nusername = \"robot$shop+pull\"\ncredential = \"h.lan-1_x\"\n");
  const auto config = folder.load();
  REQUIRE(config.has_value());
  CHECK(config->registries.at("ghcr.io").credential == "ghcr");
  CHECK(config->registries.at("ghcr.io").username.empty());
  CHECK(config->registries.at("h.lan").credential == "h.lan-1_x");
  CHECK(config->registries.at("h.lan").username == "robot$shop+pull");
  const std::string start = "[registry.\"h.lan\"]\ncredential = ";
  for (const std::string name : {"", "/etc/x", "a/b", "a:b", "a b", ".", "..", "\\u00e9", "\\n"}) {
    CAPTURE(name);
    CHECK(mistakes_of_settings((start + "\"" + name + "\"").c_str())
              .starts_with("tallyman.toml:2:14: registry.\"h.lan\".credential: is the name of one "
                           "of systemd's credentials"));
  }
  check_all({
      {"[registry.\"h.lan\"]\nusername = \"me\"\npassword_file = \"/x\"\ncredential = \"x\"",
       "tallyman.toml:1:1: registry.\"h.lan\".credential: stands beside password_file: the secret "
       "can come from one of them only"},
  });
}

TEST_CASE("no password is ever shown, wherever somebody put it") {
  for (const auto* text :
       {"[registry.\"h.lan\"]\nusername = \"me\"\npassword_file = \"s3cret\"",
        "[registry.\"h.lan\"]\nusername = \"me\"\npassword = \"s3cret\"",
        "[registry.\"h.lan\"]\ncredential = \"me:s3cret\"",
        "[registry.\"h.lan\"]\ncredential = \"s3cret/\"",
        "[registry.\"h.lan\"]\nusername = \"me\"\npassword_file = s3cret",
        "[registry.\"h.lan\"]\nusername = \"me\"\npassword_file = [\"s3cret\"]",
        "[registry.\"https://me:s3cret@h.lan/x\"]", "[registry.\"me:s3cret@h.lan\"]\nuser = 1",
        "[registry.\"me:s3cret@\"]"}) {
    CAPTURE(text);
    const auto mistakes = mistakes_of_settings(text);
    CHECK(mistakes.starts_with("tallyman.toml:"));
    CHECK(mistakes.find("s3c") == std::string::npos);
  }
  CHECK(mistakes_of_settings("[registry.\"h.lan\"]\npassword = \"x\"") ==
        "tallyman.toml:2:1: registry.\"h.lan\".password: unknown key; a password never stands in "
        "this file: put it into one of its own, mode 0600, and name that with password_file");
}

TEST_CASE("the engine is a socket of this host") {
  check_all({
      {"engine.host = \"tcp://10.0.0.1:2375\"",
       "tallyman.toml:1:15: engine.host: \"tcp://10.0.0.1:2375\": only sockets of this host: "
       "\"unix:///run/docker.sock\""},
      {"engine.host = \"/run/docker.sock\"",
       "tallyman.toml:1:15: engine.host: \"/run/docker.sock\": write "
       "\"unix:///run/docker.sock\""},
      {"engine.host = \"unix://run/docker.sock\"",
       "tallyman.toml:1:15: engine.host: \"unix://run/docker.sock\": three slashes, the path is "
       "absolute: \"unix:///run/docker.sock\""},
      {"engine.host = \"unix:///\"",
       "tallyman.toml:1:15: engine.host: \"unix:///\": no path of a socket"},
      {"engine.host = \"unix:///" + std::string(106, 'a') + "\"", ""},
  });
  CHECK(mistakes_of_settings("engine.host = \"unix:///" + std::string(107, 'a') + "\"")
            .ends_with("a socket's path has at most 107 bytes"));
}

TEST_CASE("the status file is an absolute path") {
  check_all({
      {"status.file = \"status.json\"",
       "tallyman.toml:1:15: status.file: \"status.json\": must be an absolute path, one that "
       "begins with /"},
      {"status.file = \"/run/tallyman/\"",
       "tallyman.toml:1:15: status.file: \"/run/tallyman/\" is a folder's name"},
      {"status.file = \"\"", "tallyman.toml:1:15: status.file: \"\": an empty path"},
      {"status.file = \"/a\\nb\"",
       "tallyman.toml:1:15: status.file: \"/a\\x0Ab\": a path with a control character in it"},
  });
}

TEST_CASE("unknown keys of the settings are refused, those of later versions too") {
  check_all({
      {"[regsitry.\"h.lan\"]",
       "tallyman.toml:1:2: regsitry: unknown key; did you mean "
       "\"registry\"?"},
      {"image = \"nginx\"",
       "tallyman.toml:1:1: image: unknown key; image belongs into a service's own file, "
       "conf.d/NAME.toml"},
      {"timeout = \"1m\"",
       "tallyman.toml:1:1: timeout: unknown key; timeout belongs into a service's own file, "
       "conf.d/NAME.toml, under [compose] or under [health] or under [redeploy] or under "
       "[hooks]"},
      {"[status]\nprometheus = \"/x\"",
       "tallyman.toml:2:1: status.prometheus: unknown key; known here: file"},
      {"[registry.\"h.lan\"]\ntoken = \"x\"\nplain-http = true",
       "tallyman.toml:2:1: registry.\"h.lan\".token: unknown key; known here: plain_http, "
       "username, password_file, credential, ca_file, client_cert, client_key, proxy, "
       "max_concurrent_requests\n"
       "tallyman.toml:3:1: registry.\"h.lan\".plain-http: unknown key; did you mean "
       "\"plain_http\"?"},
      {"[registry.\"h.lan\"]\nplain_http = \"yes\"",
       "tallyman.toml:2:14: registry.\"h.lan\".plain_http: expected a boolean, found a string; "
       "write true or false, without quotes"},
      {"host = \"x\"", "tallyman.toml:1:1: host: unknown key; host belongs under [engine]"},
  });
}
