#include "tallyman/deploy/script_target.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <algorithm>

#include "support/captured.hpp"
#include "support/fake_process.hpp"
#include "support/temp_folder.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

struct Workshop {
  TempFolder folder;
  FakeProcess process;
  CapturedStderr captured;
  Log log{{.level = LogLevel::info}};
  ScriptTarget target{process, {{"PATH", "/usr/bin:/bin"}, {"HOME", "/root"}}, log};
  Lock lock{Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC))};
  ProjectPlan plan{.compose = {.project = "web"},
                   .by_script = true,
                   .redeploy = {.command = {"./start.sh", "--no-rag"},
                                .directory = folder.path(),
                                .environment = {{"CHANNEL", "stable"}},
                                .timeout = std::chrono::seconds(77)}};
  Workshop() { (void)folder.script("start.sh", "exit 0\n"); }
};

}  // namespace

TEST_CASE("a script is run as its drop-in says, and has no more variables") {
  Workshop shop;
  shop.process.prints("start.sh", "one\n\ntwo\n");
  const PreparedProject prepared = value_of(shop.target.prepare(shop.plan));
  CHECK(shop.process.commands.empty());
  REQUIRE(shop.target.recreate(prepared, shop.lock).has_value());
  const Command& command = shop.process.commands.at(0);
  CHECK(command.argv == Calls{"./start.sh", "--no-rag"});
  CHECK(command.directory == shop.folder.path());
  CHECK(command.environment == std::map<std::string, std::string>{{"CHANNEL", "stable"},
                                                                  {"HOME", "/root"},
                                                                  {"PATH", "/usr/bin:/bin"}});
  CHECK((command.timeout == std::chrono::seconds(77)));
  CHECK(command.keep_fd == shop.lock.fd());
  CHECK(command.max_output == 0);
  const std::string log = shop.captured.text();
  CHECK(contains(log, "script ./start.sh: one"));
  CHECK(contains(log, "script ./start.sh: two"));
}

TEST_CASE("a script that cannot be started is found before anything is touched") {
  struct Row {
    const char* program;
    const char* directory;  ///< empty: the one that there is
    const char* message;
  };
  const Row rows[] = {
      {"./stop.sh", "", "stop.sh is no program: it is not there, or not executable"},
      {"./plain", "", "plain is no program: it is not there, or not executable"},
      {"nonesuch", "", "nonesuch: not found in PATH /usr/bin:/bin"},
      {"/bin/true", "/no/such/folder", "cannot be run in /no/such/folder: there is no such folder"},
      {"/bin/true", "/etc/passwd", "cannot be run in /etc/passwd: there is no such folder"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.program);
    Workshop shop;
    shop.folder.write("plain", "text");
    shop.plan.redeploy.command = {row.program};
    if (*row.directory != '\0') {
      shop.plan.redeploy.directory = row.directory;
    }
    const Error error = error_of(shop.target.prepare(shop.plan));
    CHECK(error.kind == ErrorKind::config);
    CHECK(error.message.starts_with("the script of [redeploy]: "));
    CHECK(error.message.ends_with(row.message));
  }
}

TEST_CASE("a script that fails says why with the end of its output") {
  struct Row {
    Exit exit;
    std::string message;
  };
  const Row rows[] = {
      {{.code = 3}, "script ./start.sh: exit status 3"},
      {{.code = 3, .out = "first\n", .err = "no such network\n"},
       "script ./start.sh: exit status 3: first; no such network"},
      {{.code = -1, .signal = 9}, "script ./start.sh: killed by signal 9"},
      {{.code = 0, .timed_out = true, .out = "waiting"},
       "script ./start.sh: timed out after 1 min: waiting"},
      {{.code = 1, .out = std::string(100'000, 'x') + "\nthe end\x1b[0m\n"},
       "script ./start.sh: exit status 1: the end\\x1b[0m"},
  };
  for (const Row& row : rows) {
    Workshop shop;
    shop.process.on("start.sh", row.exit);
    const PreparedProject prepared = value_of(shop.target.prepare(shop.plan));
    const auto done = shop.target.recreate(prepared, shop.lock);
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().kind == ErrorKind::process);
    CHECK(done.error().message == row.message);
  }
}

TEST_CASE("the log gets so many lines of a script, and no longer ones") {
  Workshop shop;
  std::string output(8000, 'x');
  for (int i = 0; i < 10'000; ++i) {
    output += fmt::format("\nline {} \x01", i);
  }
  shop.process.prints("start.sh", output);
  REQUIRE(shop.target.recreate(value_of(shop.target.prepare(shop.plan)), shop.lock).has_value());
  const std::string text = shop.captured.text();
  CHECK(std::ranges::count(text, '\n') == 201);
  CHECK(contains(text, "x …"));
  CHECK(contains(text, "line 198 \\x01"));
  CHECK_FALSE(contains(text, "line 199"));
  CHECK(contains(text, "more lines; all of them are in the deployment's folder"));
  CHECK(text.size() < 20'000);
}

TEST_CASE("each project goes to its target") {
  struct Recording final : Target {
    Result<PreparedProject> prepare(const ProjectPlan& plan) override {
      ++prepared;
      return PreparedProject{.plan = plan, .recreate = {}};
    }
    Result<ComposeModels> models(const ProjectPlan&) override { return {}; }
    Result<void> recreate(const PreparedProject&, const Lock&) override {
      ++recreated;
      return {};
    }
    int prepared = 0;
    int recreated = 0;
  };
  Recording compose;
  Recording script;
  TargetOfPlan target(compose, script);
  const Lock lock{Fd()};
  for (const bool by_script : {false, true, true}) {
    ProjectPlan plan;
    plan.by_script = by_script;
    REQUIRE(target.recreate(value_of(target.prepare(plan)), lock).has_value());
  }
  CHECK(compose.prepared == 1);
  CHECK(compose.recreated == 1);
  CHECK(script.prepared == 2);
  CHECK(script.recreated == 2);
}
