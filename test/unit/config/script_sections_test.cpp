#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "unit/config/support.hpp"

using tallyman::parse_drop_in;
using tallyman::test::mistakes_of;
using Strings = std::vector<std::string>;

namespace {

struct Row {
  std::string text;
  std::string mistakes;
};

void check_all(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(mistakes_of(row.text) == row.mistakes);
  }
}

}  // namespace

TEST_CASE("every key of [redeploy] and [hooks] arrives where it belongs") {
  const auto watch = parse_drop_in(R"(
image = "harbor.lan/shop/app:stable"
[redeploy]
command = ["./start.sh", "--no-rag"]
directory = "/opt/./app"
timeout = "5m"
environment = { CHANNEL = "stable" }
[hooks]
before = ["/usr/local/bin/dump", "db"]
after = ["./tell", "all"]
on_failure = ["logger", "oh"]
directory = "/opt/hooks"
timeout = "90s"
)",
                                   "app.toml");
  REQUIRE(watch.has_value());
  CHECK(watch->redeploy.used());
  CHECK(watch->redeploy.command == Strings{"./start.sh", "--no-rag"});
  CHECK(watch->redeploy.directory == "/opt/app");
  CHECK((watch->redeploy.timeout == std::chrono::minutes(5)));
  CHECK(watch->redeploy.environment == std::map<std::string, std::string>{{"CHANNEL", "stable"}});
  CHECK(watch->hooks.before == Strings{"/usr/local/bin/dump", "db"});
  CHECK(watch->hooks.after == Strings{"./tell", "all"});
  CHECK(watch->hooks.on_failure == Strings{"logger", "oh"});
  CHECK(watch->hooks.directory == "/opt/hooks");
  CHECK((watch->hooks.timeout == std::chrono::seconds(90)));
}

TEST_CASE("what [redeploy] and [hooks] need not say") {
  const auto plain = parse_drop_in("image = \"a/b:1\"", "app.toml");
  REQUIRE(plain.has_value());
  CHECK_FALSE(plain->redeploy.used());
  CHECK(plain->hooks.before.empty());
  const auto watch =
      parse_drop_in("image = \"a/b:1\"\n[redeploy]\ncommand = [\"deploy\"]\n[hooks]\n", "app.toml");
  REQUIRE(watch.has_value());
  CHECK(watch->redeploy.directory == "/");
  CHECK((watch->redeploy.timeout == std::chrono::minutes(10)));
  CHECK(watch->hooks.directory == "/");
  CHECK((watch->hooks.timeout == std::chrono::minutes(10)));
}

TEST_CASE("hooks stand beside [compose]") {
  CHECK(mistakes_of("[compose]\ndirectory = \"/srv/web\"\nservices = [\"web\"]\n[hooks]\nbefore = "
                    "[\"/usr/local/bin/dump\"]")
            .empty());
}

TEST_CASE("mistakes in [redeploy]") {
  check_all({
      {"image = \"a\"\n[redeploy]\ndirectory = \"/opt/app\"",
       "web.toml:2:1: redeploy.command: is missing: which script? write command = "
       "[\"./start.sh\"] and directory = \"/opt/app\""},
      {"[redeploy]\ncommand = [\"/opt/app/start.sh\"]",
       "web.toml:1:1: redeploy: needs an image, which tells the script's containers: write image = "
       "\"HOST/NAME:TAG\" at the top of the file"},
      {"image = \"a\"\n[compose]\nproject = \"web\"\n[redeploy]\ncommand = [\"deploy\"]",
       "web.toml:4:1: redeploy: stands beside [compose]: either compose recreates the containers "
       "or a script, not both"},
      {"image = \"a\"\n[redeploy]\ncommand = [\"./start.sh\"]",
       "web.toml:3:12: redeploy.command: a program is a name that PATH knows, or an absolute path; "
       "no shell reads this"},
      {"image = \"a\"\n[redeploy]\ncommand = \"./start.sh --no-rag\"",
       "web.toml:3:11: redeploy.command: expected an array of strings, found a string; write "
       "[\"./start.sh\", \"--no-rag\"]"},
      {"image = \"a\"\n[redeploy]\ncommand = [\"~/start.sh\"]\ndirectory = \"/opt\"",
       "web.toml:3:12: redeploy.command: nothing replaces a ~ here; write the folder's full name"},
      {"image = \"a\"\n[redeploy]\ncommand = [\"./a\"]\ndirectory = \"app\"",
       "web.toml:4:13: redeploy.directory: \"app\": must be an absolute path, one that begins with "
       "/"},
      {"image = \"a\"\n[redeploy]\ncommand = [\"a\", \"\"]\ntimeout = \"0s\"",
       "web.toml:3:17: redeploy.command: an empty word\n"
       "web.toml:4:11: redeploy.timeout: \"0s\" is out of bounds: from \"1s\" to \"24h\""},
      {"image = \"a\"\n[redeploy]\ncomand = [\"a\"]",
       "web.toml:2:1: redeploy.command: is missing: which script? write command = "
       "[\"./start.sh\"] and directory = \"/opt/app\"\n"
       "web.toml:3:1: redeploy.comand: unknown key; did you mean \"command\"?"},
      {"image = \"a\"\n[redeploy]\ncommand = [\"a\"]\nservices = [\"web\"]",
       "web.toml:4:1: redeploy.services: unknown key; services belongs under [compose]"},
      {"image = \"a\"\n[redeploy]\ncommand = [\"a\"]\n[redeploy.environment]\nTALLYMAN_IMAGE = "
       "\"x\"\nLD_PRELOAD = \"y\"\nPATH = \"z\"\nA-B = \"1\"\nN = 1",
       "web.toml:5:1: redeploy.environment.TALLYMAN_IMAGE: cannot be set here: tallyman sets it to "
       "what it deploys\n"
       "web.toml:6:1: redeploy.environment.LD_PRELOAD: cannot be set here: it would load other "
       "code into the program\n"
       "web.toml:7:1: redeploy.environment.PATH: cannot be set here: it is tallyman's own; name "
       "the program in full with command = [\"/…\"]\n"
       "web.toml:8:1: redeploy.environment.A-B: no name of a variable: letters, digits and _, with "
       "no digit first\n"
       "web.toml:9:5: redeploy.environment.N: expected a string, found an integer; put it in "
       "quotes"},
      {"image = \"a\"\nredeploy = \"./start.sh\"",
       "web.toml:2:12: redeploy: expected a table, found a string; write it as a section, "
       "[redeploy]"},
  });
}

TEST_CASE("mistakes in [hooks]") {
  check_all({
      {"image = \"a\"\n[hooks]\nbefor = [\"a\"]",
       "web.toml:3:1: hooks.befor: unknown key; did you mean \"before\"?"},
      {"image = \"a\"\n[hooks]\nafter = \"tell all\"",
       "web.toml:3:9: hooks.after: expected an array of strings, found a string; write [\"tell\", "
       "\"all\"]"},
      {"image = \"a\"\n[hooks]\nbefore = []",
       "web.toml:3:10: hooks.before: an empty array says nothing; name at least one, or "
       "leave the key out"},
      {"image = \"a\"\n[hooks]\nafter = [\"./x\"]\non_failure = [\"a/b\"]",
       "web.toml:3:10: hooks.after: a program is a name that PATH knows, or an absolute path; no "
       "shell reads this\n"
       "web.toml:4:15: hooks.on_failure: a program is a name that PATH knows, or an absolute path; "
       "no shell reads this"},
      {"image = \"a\"\n[hooks]\ntimeout = \"25h\"",
       "web.toml:3:11: hooks.timeout: \"25h\" is out of bounds: from \"1s\" to \"24h\""},
      {"image = \"a\"\nbefore = [\"a\"]",
       "web.toml:2:1: before: unknown key; before belongs under [hooks]"},
      {"image = \"a\"\n[hooks]\nbanana = 1",
       "web.toml:3:1: hooks.banana: unknown key; known here: directory, before, after, "
       "on_failure, timeout"},
  });
}
