#include "unit/config/support.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using tallyman::test::mistakes_of;

namespace {

struct Row {
  std::string_view text;
  std::string_view mistakes;
};

void check_all(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(mistakes_of(row.text) == row.mistakes);
  }
}

constexpr std::string_view k_nothing_to_watch =
    "web.toml: it says nothing to watch: write image = \"HOST/NAME:TAG\", for every running "
    "container of that reference, or [compose] with directory = \"/srv/web\" and services = "
    "[\"web\"]; services = [\"*\"] takes all of the project, and never by default, because a "
    "project often holds its database too";

}  // namespace

TEST_CASE("a drop-in that watches nothing is told both smallest forms") {
  check_all({{"", k_nothing_to_watch},
             {"# only a comment\n", k_nothing_to_watch},
             {"mode = \"notify\"", k_nothing_to_watch},
             {"[compose]\ndirectory = \"/srv/web\"", k_nothing_to_watch},
             {"[health]\nsettle = \"1s\"\n[rollback]\nkeep = 1", k_nothing_to_watch}});
}

TEST_CASE("services alone don't say of which project") {
  check_all({{"[compose]\nservices = [\"web\"]\nfiles = [\"/srv/web/compose.yaml\"]",
              "web.toml:1:1: compose.services: of which project? add directory = \"/srv/web\" "
              "(where the compose file is) or project = \"web\", or write an image"},
             {"image = \"nginx\"\n[compose]\nservices = [\"web\"]", ""}});
}

TEST_CASE("an unknown key names the one that was meant, the place where it belongs, or all") {
  check_all({
      {"imgae = \"nginx\"", "web.toml:1:1: imgae: unknown key; did you mean \"image\"?"},
      {"image = \"a\"\n[compose]\n  servces = [\"a\"]",
       "web.toml:3:3: compose.servces: unknown key; did you mean \"services\"?"},
      {"image = \"a\"\ntimeout = \"1m\"",
       "web.toml:2:1: timeout: unknown key; timeout belongs under [compose] or under [health] or "
       "under [redeploy] or under [hooks]"},
      {"services = [\"web\"]",
       "web.toml:1:1: services: unknown key; services belongs under [compose]"},
      {"[compose]\nimage = \"nginx\"",
       "web.toml:2:1: compose.image: unknown key; image belongs at the top of the file, above the "
       "first [section]"},
      {"image = \"a\"\n[compose]\nplain_http = true",
       "web.toml:3:1: compose.plain_http: unknown key; plain_http belongs into tallyman.toml, "
       "under [registry.\"DOMAIN\"]"},
      {"image = \"a\"\n[registry.\"h.lan\"]\nplain_http = true",
       "web.toml:2:2: registry: unknown key; registry belongs into tallyman.toml"},
      {"image = \"a\"\nhttp = [\"http://a/\"]\nkeep = 1",
       "web.toml:2:1: http: unknown key; http belongs under [health]\n"
       "web.toml:3:1: keep: unknown key; keep belongs under [rollback]"},
      {"image = \"a\"\n[compose]\nhealth = {}",
       "web.toml:3:1: compose.health: unknown key; health belongs at the top of the file, above "
       "the "
       "first [section]"},
      {"image = \"a\"\n[helth]", "web.toml:2:2: helth: unknown key; did you mean \"health\"?"},
      {"image = \"a\"\n\"odd key\" = 1",
       "web.toml:2:1: \"odd key\": unknown key; known here: image, mode, stable_checks, after, "
       "compose, "
       "health, rollback, redeploy, hooks"},
      {"image = \"a\"\n\"\" = 1",
       "web.toml:2:1: \"\": unknown key; known here: image, mode, stable_checks, after, compose, "
       "health, "
       "rollback, redeploy, hooks"},
      {"image = \"a\"\n[compose]\nbanana = 1",
       "web.toml:3:1: compose.banana: unknown key; known here: directory, files, project, "
       "env_files, profiles, services, environment, command, timeout, on_drift"},
      {"image = \"a\"\n[redeploy]\ncommand = [\"/a\"]\non_drift = \"apply\"",
       "web.toml:4:1: redeploy.on_drift: unknown key; on_drift belongs under [compose]"},
      {"image = \"a\"\n[compose]\non_drift = \"refused\"",
       "web.toml:3:12: compose.on_drift: \"refused\" is not known; did you mean \"refuse\"?"},
      {"image = \"a\"\n[compose]\non_drift = \"never\"",
       "web.toml:3:12: compose.on_drift: \"never\" is none of \"apply\" (report it and deploy) and "
       "\"refuse\" (leave the service as it is)"},
  });
}

TEST_CASE("a wrong type says what was found and what to write") {
  check_all({
      {"image = 3",
       "web.toml:1:9: image: expected a string, found an integer; write image = "
       "\"HOST/NAME:TAG\""},
      {"image = [\"nginx\"]",
       "web.toml:1:9: image: expected a string, found an array; write image = \"HOST/NAME:TAG\""},
      {"image = \"a\"\nmode = true",
       "web.toml:2:8: mode: expected a string, found a boolean; write mode = \"auto\""},
      {"image = \"a\"\ncompose = 1",
       "web.toml:2:11: compose: expected a table, found an integer; write it as a section, "
       "[compose]"},
      {"image = \"a\"\n[[compose]]\nproject = \"a\"",
       "web.toml:2:1: compose: expected a table, found an array of tables; write [compose] in "
       "single brackets"},
      {"image = \"a\"\n[compose]\nservices = \"web\"",
       "web.toml:3:12: compose.services: expected an array of strings, found a string; write "
       "[\"web\"]"},
      {"image = \"a\"\n[compose]\ncommand = \"docker  compose\"",
       "web.toml:3:11: compose.command: expected an array of strings, found a string; write "
       "[\"docker\", \"compose\"]"},
      {"image = \"a\"\n[compose]\nfiles = 1.5",
       "web.toml:3:9: compose.files: expected an array of strings, found a fractional number; "
       "write [\"…\"]"},
      {"image = \"a\"\n[compose]\nfiles = [\"a\", 1979-05-27, [\"b\"]]",
       "web.toml:3:15: compose.files: expected only strings in here, found a date or time\n"
       "web.toml:3:27: compose.files: expected only strings in here, found an array"},
      {"image = \"a\"\n[compose]\ntimeout = 10",
       "web.toml:3:11: compose.timeout: expected a string, found an integer; write timeout = "
       "\"10m\""},
      {"image = \"a\"\n[compose]\nenvironment = [\"A=b\"]",
       "web.toml:3:15: compose.environment: expected a table, found an array; write it as a "
       "section, [compose.environment]"},
  });
}

TEST_CASE("a bad value says what is wrong with it") {
  check_all({
      {"image = \"a\"\nstable_checks = 0",
       "web.toml:2:17: stable_checks: 0 is out of bounds: from 1 to 10"},
      {"image = \"a\"\nstable_checks = 11",
       "web.toml:2:17: stable_checks: 11 is out of bounds: from 1 to 10"},
      {"image = \"a\"\nstable_checks = \"2\"",
       "web.toml:2:17: stable_checks: expected an integer, found a string; write stable_checks = "
       "2"},
      {"image = \"a\"\n[rollback]\nstable_checks = 2",
       "web.toml:3:1: rollback.stable_checks: unknown key; stable_checks belongs at the top of the "
       "file, above the first [section]"},
      {"image = \"a\"\nmode = \"notfy\"",
       "web.toml:2:8: mode: \"notfy\" is no mode; did you mean \"notify\"?"},
      {"image = \"a\"\nmode = \"manual\"",
       "web.toml:2:8: mode: \"manual\" is no mode: \"auto\" deploys, \"notify\" only reports"},
      {"image = \"a\"\n[compose]\ndirectory = \"srv/web\"",
       "web.toml:3:13: compose.directory: \"srv/web\": must be an absolute path, one that begins "
       "with /"},
      {"image = \"a\"\n[compose]\ndirectory = \"~/web\"",
       "web.toml:3:13: compose.directory: \"~/web\": must be an absolute path; nothing replaces a "
       "~ here, write the folder's full name"},
      {"image = \"a\"\n[compose]\nproject = \"Shop\"",
       "web.toml:3:11: compose.project: \"Shop\" is no project name that compose knows: lower-case "
       "letters, digits, _ and -, with a letter or digit first"},
      {"image = \"a\"\n[compose]\nfiles = []",
       "web.toml:3:9: compose.files: an empty array says nothing; name at least one, or leave the "
       "key out"},
      {"image = \"a\"\n[compose]\nservices = [\"*\", \"web\"]",
       "web.toml:3:13: compose.services: \"*\" means all services of the project: it stands alone"},
      {"image = \"a\"\n[compose]\nservices = [\"web\", \"-rf\", \"web\", \"web-*\"]",
       "web.toml:3:20: compose.services: \"-rf\" is no name that compose knows: letters, digits, . "
       "_ and -, with a letter or digit first\n"
       "web.toml:3:27: compose.services: \"web\" is there twice\n"
       "web.toml:3:34: compose.services: \"web-*\" is no name that compose knows: letters, digits, "
       ". _ and -, with a letter or digit first"},
      {"image = \"a\"\n[compose]\nprofiles = [\"\", \"*\"]",
       "web.toml:3:13: compose.profiles: \"\" is no name that compose knows: letters, digits, . _ "
       "and -, with a letter or digit first\n"
       "web.toml:3:17: compose.profiles: \"*\" is no name that compose knows: letters, digits, . _ "
       "and -, with a letter or digit first"},
      {"image = \"a\"\n[compose]\nfiles = [\"\", \"-\", \"a\\nb\", \"~/c\", \"d\", \"d\"]",
       "web.toml:3:10: compose.files: an empty file name\n"
       "web.toml:3:14: compose.files: \"-\" is standard input: there is none here; name a file\n"
       "web.toml:3:19: compose.files: a file name with a control character in it\n"
       "web.toml:3:27: compose.files: nothing replaces a ~ here; write the folder's full name\n"
       "web.toml:3:39: compose.files: \"d\" is there twice"},
      {"image = \"a\"\n[compose]\ncommand = [\"./dc\", \"\", \"a\\u0000\"]",
       "web.toml:3:12: compose.command: a program is a name that PATH knows, or an absolute path; "
       "no shell reads this\n"
       "web.toml:3:20: compose.command: an empty word\n"
       "web.toml:3:24: compose.command: a word with a NUL byte in it"},
      {"image = \"a\"\n[compose]\ntimeout = \"25h\"",
       "web.toml:3:11: compose.timeout: \"25h\" is out of bounds: from \"1s\" to \"24h\""},
  });
}

TEST_CASE("the messages of the reference and of the duration are passed on, with their remedies") {
  const std::string id(64, 'a');
  for (const auto& text : {"sha256:" + id, id}) {
    const auto mistakes = mistakes_of("image = \"" + text + "\"");
    CAPTURE(mistakes);
    CHECK(mistakes.starts_with("web.toml:1:9: image: \"" + text + "\""));
    CHECK(mistakes.find("image id") != std::string::npos);
    CHECK(mistakes.find("; ") != std::string::npos);
  }
  CHECK(mistakes_of("image = \"Acme/Web\"").starts_with("web.toml:1:9: image: \"Acme/Web\" "));
  CHECK(mistakes_of("image = \"\"").starts_with("web.toml:1:9: image: "));
  CHECK(mistakes_of("image = \"a\"\ncompose.timeout = \"10 min\"")
            .starts_with("web.toml:2:19: compose.timeout: \"10 min\""));
}

TEST_CASE("variables that would lead compose astray cannot be set") {
  for (const auto* name :
       {"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "COMPOSE_FILE", "COMPOSE_PROJECT_NAME",
        "COMPOSE_PROFILES", "COMPOSE_ENV_FILES", "COMPOSE_REMOVE_ORPHANS", "LC_ALL", "PATH",
        "LD_PRELOAD", "LD_LIBRARY_PATH"}) {
    CAPTURE(name);
    const auto mistakes =
        mistakes_of(std::string("image = \"a\"\n[compose.environment]\n") + name + " = \"s3cret\"");
    CHECK(mistakes.starts_with(std::string("web.toml:3:1: compose.environment.") + name +
                               ": cannot be set here: "));
    CHECK(mistakes.find("s3cret") == std::string::npos);
  }
  for (const auto* name : {"HOME", "USER", "PWD", "TAG", "_x", "COMPOSE_HTTP_TIMEOUT", "LDAP"}) {
    CAPTURE(name);
    CHECK(mistakes_of(std::string("image = \"a\"\n[compose.environment]\n") + name + " = \"x\"")
              .empty());
  }
}

TEST_CASE("the value of a variable is never shown") {
  for (const auto* text :
       {"A-B = \"s3cret\"", "1A = \"s3cret\"", "A = [\"s3cret\"]", "A = { b = \"s3cret\" }",
        "A = \"s3cret\\u0000\"", "A = s3cret", "A = \"s3cret", "A = 's3cret\" # x"}) {
    CAPTURE(text);
    const auto mistakes = mistakes_of(std::string("image = \"a\"\n[compose.environment]\n") + text);
    CHECK(mistakes.starts_with("web.toml:3:"));
    CHECK(mistakes.find("s3c") == std::string::npos);
  }
  CHECK(mistakes_of("image = \"a\"\n[compose.environment]\nPORT = 8080") ==
        "web.toml:3:8: compose.environment.PORT: expected a string, found an integer; put it in "
        "quotes");
}

TEST_CASE("all mistakes are reported at once, by position") {
  CHECK(mistakes_of("mode = 1\nimge = 2\n[compose]\ndirectory = 3\nfoo = 4\nservices = [5]",
                    "a b.toml") ==
        "a b.toml: the file's name is the service's name, and \"a b\" is none: up to 63 letters, "
        "digits, . _ and -, with a letter or digit first\n"
        "a b.toml:1:8: mode: expected a string, found an integer; write mode = \"auto\"\n"
        "a b.toml:2:1: imge: unknown key; did you mean \"image\"?\n"
        "a b.toml:4:13: compose.directory: expected a string, found an integer; write directory = "
        "\"/srv/web\"\n"
        "a b.toml:5:1: compose.foo: unknown key; known here: directory, files, project, env_files, "
        "profiles, services, environment, command, timeout, on_drift\n"
        "a b.toml:6:13: compose.services: expected only strings in here, found an integer");
}
