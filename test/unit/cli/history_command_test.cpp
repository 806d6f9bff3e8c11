#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>

#include "unit/cli/running.hpp"
#include "unit/state/journals.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

struct Shell {
  TempFolder folder;
  StateDirectory state{folder.path()};
  Config config;

  Shell() {
    ::setenv("TZ", "UTC0", 1);
    ::tzset();
    config.watches = {{.name = "web", .file = "web.toml", .image = std::nullopt},
                      {.name = "worker", .file = "worker.toml", .image = std::nullopt}};
  }
  /// One image, one service.
  [[nodiscard]] Journal journal(const std::string& id, const std::string& started,
                                Phase phase) const {
    Journal journal = full_journal(id);
    journal.phase = phase;
    journal.started_at = at(started);
    journal.finished_at = journal.started_at + std::chrono::milliseconds(22'500);
    journal.recoveries = 0;
    journal.plan.parts.pop_back();
    journal.plan.parts[0].references = {ref("harbor.lan/shop/web:1")};
    journal.plan.images.pop_back();
    journal.plan.images[0].old = {{"shop", id_of('a'), digest('1'), "v1.2.0"}};
    journal.images.resize(1);
    journal.images[0].version = "v1.3.0";
    journal.steps.resize(1);
    journal.plan.trigger = {.name = "timer"};
    if (phase == Phase::committed) {
      journal.error.reset();
    }
    return journal;
  }
  void add(const Journal& journal) const {
    REQUIRE(state.save_journal(journal).has_value());
    REQUIRE(state.close_journal(journal).has_value());
  }
  void add_three() const {
    add(journal("20261122T194514Z-web", "2026-11-22T19:45:14Z", Phase::committed));
    Journal failed = journal("20261123T080000Z-web", "2026-11-23T08:00:00Z", Phase::rolled_back);
    failed.plan.trigger = {.name = "deploy", .by = "anna"};
    add(failed);
    Journal both = journal("20261124T080000Z-web", "2026-11-24T08:00:00Z", Phase::committed);
    both.plan.parts.push_back(both.plan.parts[0]);
    both.plan.parts[1].service = "worker";
    both.plan.parts[1].from.reset();
    add(both);
  }
  [[nodiscard]] Ran history(HistoryOptions options = {}) const {
    Screen screen;
    const CapturedStderr captured;
    Log log({.level = LogLevel::warning});
    const int status = history_command(config, state, options, screen.terminal, log);
    return {status, screen.text(), captured.text()};
  }
};

}  // namespace

TEST_CASE("history: nothing was deployed yet") {
  const Shell shell;
  CHECK(shell.history().status == 0);
  CHECK(shell.history().out == "nothing was deployed yet\n");
  CHECK(shell.history({.service = "web"}).out == "web: nothing was deployed yet\n");
  CHECK(shell.history({.service = "web"}).status == 0);
}

TEST_CASE("history of all: a table, newest first") {
  const Shell shell;
  shell.add_three();
  const Ran ran = shell.history();
  CHECK(ran.status == 0);
  CHECK(ran.err == "");
  CHECK(ran.out ==
        "STARTED              SERVICE  RESULT       BY              CHANGE\n"
        "2026-11-24 08:00:00  web      updated      timer           v1.2.0 11111111 ->\n"
        "                                                           v1.3.0 22222222\n"
        "                     worker   updated                      v1.2.0 -> v1.3.0\n"
        "                                                           22222222\n"
        "2026-11-23 08:00:00  web      rolled_back  deploy by anna  v1.2.0 11111111 ->\n"
        "                                                           v1.3.0 22222222\n"
        "2026-11-22 19:45:14  web      updated      timer           v1.2.0 11111111 ->\n"
        "                                                           v1.3.0 22222222\n");
  CHECK(shell.history({.limit = 1}).out.find("rolled_back") == std::string::npos);
}

TEST_CASE("history of one service: its steps, why it failed, and where the output is") {
  const Shell shell;
  shell.add_three();
  const std::string folder = shell.state.deployment_folder("20261123T080000Z-web");
  shell.folder.write("deployments/20261123T080000Z-web/compose-shop.log", "Recreated");
  const Ran ran = shell.history({.service = "web"});
  CHECK(ran.status == 0);
  CHECK(contains(
      ran.out,
      "2  2026-11-23 08:00 UTC  rolled_back  v1.2.0 11111111 -> v1.3.0 22222222\n"
      "  by        deploy by anna\n"
      "  image     harbor.lan/shop/web@" +
          digest('2').str() +
          "\n"
          "  pull      222222222222, 38.2 MB                                        6.1 s\n"
          "  end       3 verified, took 22.5 s\n"
          "  error     shop-web-1 exited with status 1\n"
          "  fix       look at its log\n"
          "  folder    " +
          folder + "\n  files     compose-shop.log\n"));
  CHECK(ran.out.starts_with("1  2026-11-24 08:00 UTC  updated  "));
  CHECK(contains(ran.out, "  end       3 verified, down 1.2 s, took 22.5 s\n"));
  CHECK(contains(ran.out, "  with      worker, v1.2.0 -> v1.3.0 22222222\n"));
  CHECK(contains(ran.out, "\n3  2026-11-22 19:45:14 UTC  updated  "));
  const Ran worker = shell.history({.service = "worker"});
  CHECK(worker.out.starts_with("1  2026-11-24 08:00 UTC  updated  "));
  CHECK_FALSE(contains(worker.out, "\n2  "));
}

TEST_CASE("history for programs") {
  const Shell shell;
  shell.add_three();
  const auto json = nlohmann::json::parse(shell.history({.json = true, .limit = 2}).out);
  REQUIRE(json["deployments"].size() == 2);
  CHECK(json["deployments"][1]["result"] == "rolled_back");
  CHECK(json["deployments"][1]["by"] == "anna");
  CHECK(json["deployments"][1]["services"][0]["to_version"] == "v1.3.0");
  CHECK(json["deployments"][1]["steps"][0]["ms"] == 6100);
}

TEST_CASE("a service that is gone from the configuration has its history, an unknown one has not") {
  Shell shell;
  shell.add_three();
  shell.config.watches = {{.name = "api", .file = "api.toml", .image = std::nullopt}};
  CHECK(shell.history({.service = "web"}).status == 0);
  const Ran unknown = shell.history({.service = "apo"});
  CHECK(unknown.status == 2);
  CHECK(contains(unknown.err, "no service apo"));
  CHECK(contains(unknown.err, "did you mean api?"));
}

TEST_CASE("a broken record is told, and the others are shown") {
  const Shell shell;
  shell.add_three();
  shell.folder.write("deployments/20261123T080000Z-web/record.json", "{\"schema\": 1, \"id\"");
  const Ran ran = shell.history();
  CHECK(ran.status == 1);
  CHECK(contains(ran.err, "left out: "));
  CHECK(contains(ran.err, "20261123T080000Z-web/record.json"));
  CHECK(contains(ran.out, "2026-11-22 19:45:14"));
  CHECK_FALSE(contains(ran.out, "rolled_back"));
}
