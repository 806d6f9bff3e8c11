#include <doctest/doctest.h>

#include "support/values.hpp"
#include "tallyman/cli/arguments.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

using Words = std::vector<std::string>;

Arguments parsed(const Words& words) {
  const auto arguments = parse_arguments(words, {}, "0.1.0");
  REQUIRE_MESSAGE(arguments.has_value(), (arguments ? "" : arguments.error().err));
  return *arguments;
}

EarlyExit early(const Words& words) {
  const auto arguments = parse_arguments(words, {}, "0.1.0");
  REQUIRE_FALSE(arguments.has_value());
  return arguments.error();
}

}  // namespace

TEST_CASE("deploy, rollback, hold and release take one service and their options") {
  const Arguments deploy = parsed(
      {"deploy", "web", "--to", "v1.2.0", "--retry-quarantined", "--recreate", "--wait", "1m30s"});
  CHECK((deploy.command == CommandName::deploy));
  CHECK(deploy.services == Words{"web"});
  CHECK(deploy.to == "v1.2.0");
  CHECK(deploy.retry_quarantined);
  CHECK(deploy.recreate);
  CHECK(deploy.wait == std::chrono::seconds(90));
  const Arguments rollback = parsed({"rollback", "--to", "2", "web"});
  CHECK((rollback.command == CommandName::rollback));
  CHECK(rollback.services == Words{"web"});
  CHECK(rollback.to == "2");
  CHECK(rollback.wait == std::chrono::seconds(0));
  const Arguments hold = parsed({"hold", "web", "--reason", "exam week", "--until", "18:00"});
  CHECK((hold.command == CommandName::hold));
  CHECK(hold.reason == "exam week");
  CHECK(hold.until == "18:00");
  CHECK((parsed({"release", "web"}).command == CommandName::release));
}

TEST_CASE("wrong usage of them is exit status 2") {
  struct Row {
    Words words;
    const char* message;
  };
  const Row rows[] = {
      {{"deploy"}, "SERVICE"},
      {{"deploy", "web", "api"}, "deploy takes one SERVICE"},
      {{"deploy", "web", "--wait", "soon"}, "--wait: "},
      {{"deploy", "web", "--wait", "-1s"}, "--wait"},
      {{"deploy", "web", "--until", "18:00"}, "--until"},
      {{"rollback"}, "SERVICE"},
      {{"rollback", "web", "--recreate"}, "--recreate"},
      {{"hold"}, "SERVICE"},
      {{"hold", "web", "--wait", "1m"}, "--wait"},
      {{"release"}, "SERVICE"},
      {{"release", "web", "--reason", "x"}, "--reason"},
      {{"relase", "web"}, "no command relase; did you mean release?"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.message);
    const EarlyExit exit = early(row.words);
    CHECK(exit.status == 2);
    CHECK_MESSAGE(contains(exit.err, row.message), exit.err);
  }
}

TEST_CASE("their help, line by line within 80 columns") {
  for (const char* command : {"deploy", "rollback", "hold", "release"}) {
    CAPTURE(command);
    const EarlyExit exit = early({command, "--help"});
    CHECK(exit.status == 0);
    CHECK(contains(exit.out, fmt::format("Examples:\n  tallyman {} web", command)));
    for (std::size_t begin = 0; begin < exit.out.size();) {
      const std::size_t end = std::min(exit.out.find('\n', begin), exit.out.size());
      CHECK_MESSAGE(end - begin <= 80, exit.out.substr(begin, end - begin));
      begin = end + 1;
    }
  }
}

TEST_CASE("the examples of their help are right") {
  CHECK(parsed({"deploy", "web", "--wait", "10m"}).wait == std::chrono::minutes(10));
  CHECK(parsed({"deploy", "web", "--to", "v1.2.0"}).to == "v1.2.0");
  CHECK(parsed({"rollback", "web", "--to", "9c1f22ab"}).to == "9c1f22ab");
  CHECK(parsed({"hold", "web", "--reason", "exam week", "--until", "2026-12-01"}).until ==
        "2026-12-01");
}
