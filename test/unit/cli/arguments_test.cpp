#include "tallyman/cli/arguments.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "support/values.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

using Words = std::vector<std::string>;

Arguments parsed(const Words& words, const std::map<std::string, std::string>& environment = {}) {
  const auto arguments = parse_arguments(words, environment, "0.1.0");
  REQUIRE_MESSAGE(arguments.has_value(), (arguments ? "" : arguments.error().err));
  return *arguments;
}

EarlyExit early(const Words& words) {
  const auto arguments = parse_arguments(words, {}, "0.1.0");
  REQUIRE_FALSE(arguments.has_value());
  return arguments.error();
}

}  // namespace

TEST_CASE("each command is understood, and has the defaults of the design") {
  struct Row {
    Words words;
    CommandName command;
  };
  const Row rows[] = {
      {{"run"}, CommandName::run},
      {{"check"}, CommandName::check},
      {{"status"}, CommandName::status},
      {{"explain", "web"}, CommandName::explain},
      {{"digest", "nginx"}, CommandName::digest},
      {{"validate"}, CommandName::validate},
  };
  for (const Row& row : rows) {
    CAPTURE(row.words.front());
    const Arguments arguments = parsed(row.words);
    CHECK(arguments.command == row.command);
    CHECK(arguments.config_directory == "/etc/tallyman");
    CHECK(arguments.state_directory == "/var/lib/tallyman");
    CHECK(arguments.status_file == "");
    CHECK(arguments.log_level == LogLevel::info);
    CHECK(arguments.log_format == LogFormat::text);
    CHECK_FALSE(arguments.platform.has_value());
    CHECK_FALSE(arguments.dry_run);
    CHECK_FALSE(arguments.json);
    CHECK_FALSE(arguments.exit_code);
    CHECK_FALSE(arguments.online);
  }
}

TEST_CASE("each command takes its own options") {
  const Arguments run = parsed({"run", "web", "api", "--dry-run"});
  CHECK(run.services == Words{"web", "api"});
  CHECK(run.dry_run);
  const Arguments check = parsed({"check", "--json", "web", "--exit-code"});
  CHECK(check.services == Words{"web"});
  CHECK(check.json);
  CHECK(check.exit_code);
  CHECK(parsed({"status", "--json"}).json);
  CHECK(parsed({"explain", "web"}).services == Words{"web"});
  const Arguments digest = parsed({"digest", "nginx:1", "--platform", "linux/arm64/v8", "--json"});
  CHECK(digest.image == "nginx:1");
  CHECK(digest.platform->str() == "linux/arm64/v8");
  CHECK(digest.json);
  CHECK(parsed({"validate", "--online"}).online);
}

TEST_CASE("a service may be called like a command, and begin with a dash after --") {
  CHECK(parsed({"run", "status"}).services == Words{"status"});
  CHECK(parsed({"run", "--", "-odd"}).services == Words{"-odd"});
}

TEST_CASE("global options may stand on either side of the command") {
  const Words options = {"--config", "/c",          "--state", "/s",           "--status-file",
                         "/f",       "--log-level", "debug",   "--log-format", "json"};
  Words before = options;
  before.push_back("run");
  Words after = {"run"};
  after.insert(after.end(), options.begin(), options.end());
  for (const Words& words : {before, after}) {
    const Arguments arguments = parsed(words);
    CHECK(arguments.config_directory == "/c");
    CHECK(arguments.state_directory == "/s");
    CHECK(arguments.status_file == "/f");
    CHECK(arguments.log_level == LogLevel::debug);
    CHECK(arguments.log_format == LogFormat::json);
  }
}

TEST_CASE("every log level is understood") {
  CHECK(parsed({"run", "--log-level", "info"}).log_level == LogLevel::info);
  CHECK(parsed({"run", "--log-level", "warning"}).log_level == LogLevel::warning);
  CHECK(parsed({"run", "--log-level", "error"}).log_level == LogLevel::error);
  CHECK(parsed({"run", "--log-level", "off"}).log_level == LogLevel::off);
}

TEST_CASE("relative paths count from where we are") {
  const auto here = [](const char* name) {
    return (std::filesystem::current_path() / name).string();
  };
  const Arguments arguments =
      parsed({"run", "--config", "c", "--state", "./s/../t", "--status-file", "f"});
  CHECK(arguments.config_directory == here("c"));
  CHECK(arguments.state_directory == here("t"));
  CHECK(arguments.status_file == here("f"));
}

TEST_CASE("systemd says where the state is, unless --state does") {
  CHECK(parsed({"run"}, {{"STATE_DIRECTORY", "/var/lib/one"}}).state_directory == "/var/lib/one");
  CHECK(parsed({"run"}, {{"STATE_DIRECTORY", "/one:/two"}}).state_directory == "/one");
  CHECK(parsed({"run"}, {{"STATE_DIRECTORY", ""}}).state_directory == "/var/lib/tallyman");
  CHECK(parsed({"run", "--state", "/s"}, {{"STATE_DIRECTORY", "/one"}}).state_directory == "/s");
}

TEST_CASE("wrong usage is exit status 2, and the message says what was wrong") {
  struct Row {
    Words words;
    const char* message;
  };
  const Row rows[] = {
      {{}, "a COMMAND is missing\nsee: tallyman --help\n"},
      {{"frobnicate"}, "no command frobnicate\n"},
      {{"chekc", "web"}, "no command chekc; did you mean check?"},
      {{"\x1b[31m"}, "no command \\x1b[31m"},
      {{"--frob"}, "no option --frob"},
      {{"--frob", "run"}, "--frob"},
      {{"run", "--json"}, "no option --json here\nsee: tallyman run --help\n"},
      {{"run", "--dryrun=1"}, "no option --dryrun here; did you mean --dry-run?"},
      {{"check", "--confg", "/etc"}, "no option --confg here; did you mean --config?"},
      {{"run", "--config"}, "--config"},
      {{"status", "web"}, "web"},
      {{"validate", "web"}, "web"},
      {{"explain"}, "SERVICE"},
      {{"explain", "web", "api"}, "explain takes one SERVICE\nsee: tallyman explain --help\n"},
      {{"digest"}, "IMAGE"},
      {{"digest", "a", "b"}, "b"},
      {{"digest", "a", "--platform", "linux"}, "--platform: \"linux\" is not a platform"},
      {{"run", "--log-level", "loud"}, "--log-level"},
      {{"run", "--log-format", "xml"}, "--log-format"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.message);
    const EarlyExit exit = early(row.words);
    CHECK(exit.status == 2);
    CHECK(exit.out == "");
    CHECK(exit.err.starts_with("tallyman: "));
    CHECK_MESSAGE(contains(exit.err, row.message), exit.err);
    CHECK(contains(exit.err, "\nsee: tallyman "));
    CHECK(exit.err.ends_with("--help\n"));
  }
}

TEST_CASE("--help is no error and tells the commands, the options and the exit statuses") {
  for (const char* word : {"--help", "-h"}) {
    const EarlyExit exit = early({word});
    CHECK(exit.status == 0);
    CHECK(exit.err == "");
    for (const char* part : {"run", "check", "status", "explain", "digest", "validate", "--config",
                             "--state", "--status-file", "--log-level", "--log-format", "--version",
                             "/etc/tallyman", "/var/lib/tallyman", "Exit status: 0 all well"}) {
      CAPTURE(part);
      CHECK(contains(exit.out, part));
    }
  }
}

TEST_CASE("the help of each command has an example that can be parsed") {
  for (const std::string command : {"run", "check", "status", "explain", "digest", "validate"}) {
    CAPTURE(command);
    const EarlyExit exit = early({command, "--help"});
    CHECK(exit.status == 0);
    CHECK(exit.err == "");
    const std::size_t examples = exit.out.find("Examples:\n  tallyman " + command);
    REQUIRE(examples != std::string::npos);
    CHECK(contains(exit.out, "Usage: "));
  }
}

TEST_CASE("the examples of the help are right") {
  CHECK(parsed({"run", "web", "--dry-run"}).dry_run);
  CHECK(parsed({"check", "web", "--exit-code"}).exit_code);
  CHECK(parsed({"digest", "nginx:stable", "--platform", "linux/arm64", "--json"}).json);
}

TEST_CASE("no line of the help is longer than a terminal is wide") {
  for (const Words& words : {Words{"--help"}, Words{"run", "--help"}, Words{"check", "--help"},
                             Words{"status", "--help"}, Words{"explain", "--help"},
                             Words{"digest", "--help"}, Words{"validate", "--help"}}) {
    const std::string help = early(words).out;
    for (std::size_t begin = 0; begin < help.size();) {
      const std::size_t end = std::min(help.find('\n', begin), help.size());
      CHECK_MESSAGE(end - begin <= 80, help.substr(begin, end - begin));
      begin = end + 1;
    }
  }
}

TEST_CASE("--version is the version") {
  const EarlyExit exit = early({"--version"});
  CHECK(exit.status == 0);
  CHECK(exit.out == "tallyman 0.1.0\n");
  CHECK(exit.err == "");
}
