#include "tallyman/deploy/gate.hpp"

#include <doctest/doctest.h>

#include "unit/deploy/gate_bench.hpp"

using namespace tallyman;
using namespace tallyman::test;
using namespace std::chrono_literals;

namespace {

struct Change {
  std::string_view name;
  void (*change)(Container&);
  std::string_view verdict;
};

const std::vector<Change>& dead_ends() {
  static const std::vector<Change> changes = {
      {"exited",
       [](Container& web) {
         web.status = ContainerStatus::exited;
         web.exit_code = 1;
       },
       "shop-web-1 exited with status 1"},
      {"exited well",
       [](Container& web) {
         web.status = ContainerStatus::exited;
         web.exit_code = 0;
       },
       "shop-web-1 exited with status 0"},
      {"exited, nobody knows how", [](Container& web) { web.status = ContainerStatus::exited; },
       "shop-web-1 exited"},
      {"dead",
       [](Container& web) {
         web.status = ContainerStatus::dead;
         web.exit_code = 128;
       },
       "shop-web-1 exited with status 128"},
      {"out of memory",
       [](Container& web) {
         web.status = ContainerStatus::exited;
         web.exit_code = 137;
         web.oom_killed = true;
       },
       "shop-web-1 was killed for lack of memory (exit status 137)"},
      {"killed, but not for lack of memory",
       [](Container& web) {
         web.status = ContainerStatus::exited;
         web.exit_code = 137;
       },
       "shop-web-1 exited with status 137"},
      {"restarting",
       [](Container& web) {
         web.status = ContainerStatus::restarting;
         web.exit_code = 3;
       },
       "shop-web-1 exited with status 3 and is about to be restarted"},
      {"paused", [](Container& web) { web.status = ContainerStatus::paused; },
       "shop-web-1 is paused"},
      {"paused and healthy",
       [](Container& web) {
         web.status = ContainerStatus::paused;
         web.health = Health::healthy;
       },
       "shop-web-1 is paused"},
      {"removing", [](Container& web) { web.status = ContainerStatus::removing; },
       "shop-web-1 is being removed"},
      {"created", [](Container& web) { web.status = ContainerStatus::created; },
       "shop-web-1 was created but never started"},
      {"created, and told why",
       [](Container& web) {
         web.status = ContainerStatus::created;
         web.start_error = "driver failed: Bind for 0.0.0.0:80 failed: \x1b[1m\nport is taken";
       },
       "shop-web-1 was created but never started: driver failed: Bind for 0.0.0.0:80 failed: "
       "\\x1b[1m"},
      {"unknown", [](Container& web) { web.status = ContainerStatus::unknown; },
       "shop-web-1 is in an unknown state"},
      {"unhealthy", [](Container& web) { web.health = Health::unhealthy; },
       "shop-web-1 is unhealthy"},
      {"unhealthy, and told why",
       [](Container& web) {
         web.health = Health::unhealthy;
         web.health_output = "\n  curl: (7) refused\r\nmore\n";
       },
       "shop-web-1 is unhealthy: curl: (7) refused"},
  };
  return changes;
}

/// What only a gate that waits can see.
const std::vector<Change>& restarts() {
  static const std::vector<Change> changes = {
      {"restarted once", [](Container& web) { web.restarts = 1; }, "shop-web-1 restarted once"},
      {"restarted twice", [](Container& web) { web.restarts = 2; }, "shop-web-1 restarted 2 times"},
      {"restarting again",
       [](Container& web) {
         web.restarts = 2;
         web.status = ContainerStatus::restarting;
       },
       "shop-web-1 restarted 2 times"},
      {"restarted for lack of memory",
       [](Container& web) {
         web.restarts = 2;
         web.oom_killed = true;
       },
       "shop-web-1 was killed for lack of memory and restarted 2 times"},
      {"a process within it was killed", [](Container& web) { web.oom_killed = true; },
       "shop-web-1 had a process killed for lack of memory"},
  };
  return changes;
}

void start_anew(Container& web) {
  web.started = at("2026-11-22T19:45:15Z");
}

}  // namespace

TEST_CASE("trouble of a container is a verdict at the first look") {
  for (const auto* table : {&dead_ends(), &restarts()}) {
    for (const Change& row : *table) {
      CAPTURE(row.name);
      GateBench bench;
      row.change(bench.web());
      CHECK(bench.wait() == row.verdict);
      CHECK(bench.passed() == 0ms);
      CHECK(bench.culprit == "id-of-shop-web-1");
      CHECK(bench.kind == ErrorKind::process);
      CHECK(bench.steps.empty());
    }
  }
}

TEST_CASE("trouble of a container ends the settling at once") {
  for (const auto* table : {&dead_ends(), &restarts()}) {
    for (const Change& row : *table) {
      CAPTURE(row.name);
      GateBench bench(2);
      bench.after(4s, [&] { row.change(bench.web()); });
      CHECK(bench.wait() == row.verdict);
      CHECK(bench.passed() == 4s);
      REQUIRE(bench.steps.size() == 1);
      CHECK(bench.steps[0].name == "health");
    }
  }
}

TEST_CASE("a container that is gone, or was started anew, is trouble") {
  GateBench gone(2);
  gone.after(1s, [&] { gone.engine.containers.pop_back(); });
  CHECK(gone.wait() == "shop-web-2 is gone");
  CHECK(gone.culprit == "id-of-shop-web-2");

  GateBench anew;
  anew.after(1s, [&] { start_anew(anew.web()); });
  CHECK(anew.wait() == "shop-web-1 was started anew");
}

TEST_CASE("without a health check or a probe, staying up for the time of settling is enough") {
  GateBench bench(2);
  CHECK(bench.wait() == "");
  CHECK(bench.passed() == 10s);
  REQUIRE(bench.steps.size() == 2);
  CHECK(bench.steps[0].name == "health");
  CHECK(bench.steps[0].text == "no health check");
  CHECK(bench.steps[0].took == 0ms);
  CHECK(bench.steps[1].name == "settle");
  CHECK(bench.steps[1].text == "0 restarts");
  CHECK(bench.steps[1].took == 10s);
}

TEST_CASE("no settling is a single good look") {
  GateBench bench;
  bench.settings.settle = 0s;
  CHECK(bench.wait() == "");
  CHECK(bench.passed() == 0ms);
  CHECK(bench.calls.size() == 1);
  CHECK(bench.steps.size() == 2);
}

TEST_CASE("starting is waited for, and all is told meanwhile") {
  GateBench bench(3);
  bench.web(1).health = Health::starting;
  bench.web(2).health = Health::healthy;
  bench.settings.http = {k_url};
  bench.after(2s, [&] { bench.web(1).health = Health::healthy; });
  CHECK(bench.wait() == "");
  CHECK(bench.passed() == 12s);
  REQUIRE(bench.steps.size() == 2);
  CHECK(bench.steps[0].text == "2/2 healthy, http://127.0.0.1:3000/health 200");
  CHECK(bench.steps[0].took == 2s);
  CHECK(bench.steps[1].took == 10s);
  REQUIRE(bench.progressed.size() == 12);  // one a second, none of the last look
  CHECK(bench.progressed.at(1) == "health: 1/2 healthy");
  CHECK(bench.progressed.at(2) == "health: 2/2 healthy, http://127.0.0.1:3000/health 200");
}

TEST_CASE("starting has until the timeout, and settling comes on top of it") {
  GateBench slow;
  slow.web().health = Health::starting;
  CHECK(slow.wait() == "shop-web-1 is still starting after 90 s");
  CHECK(slow.culprit == "id-of-shop-web-1");
  CHECK(slow.passed() == 90s);
  CHECK(slow.steps.empty());

  GateBench both(2);  // the first is named
  both.web(1).health = Health::starting;
  both.web(2).health = Health::starting;
  CHECK(both.wait() == "shop-web-1 is still starting after 90 s");

  GateBench late;
  late.web().health = Health::starting;
  late.after(89500ms, [&] { late.web().health = Health::healthy; });
  CHECK(late.wait() == "");
  CHECK(late.passed() == 99500ms);

  GateBench trouble(2);
  trouble.web(1).health = Health::starting;
  trouble.after(3s, [&] { trouble.web(2).health = Health::unhealthy; });
  CHECK(trouble.wait() == "shop-web-2 is unhealthy");
  CHECK(trouble.passed() == 3s);
}

TEST_CASE("what was before the gate does not count for a container that is not fresh") {
  GateBench bench;
  bench.subjects[0].fresh = false;
  bench.web().restarts = 7;
  bench.web().oom_killed = true;
  CHECK(bench.wait() == "");

  for (const auto& [change, verdict] : std::vector<std::pair<void (*)(Container&), std::string>>{
           {[](Container& web) { web.restarts = 9; }, "shop-web-1 restarted 2 times"},
           {start_anew, "shop-web-1 was started anew"},
           {[](Container& web) { web.oom_killed = true; },
            "shop-web-1 had a process killed for lack of memory"}}) {
    GateBench changed;
    changed.subjects[0].fresh = false;
    changed.web().restarts = 7;
    changed.after(5s, [&, how = change] { how(changed.web()); });
    CHECK(changed.wait() == verdict);
    CHECK(changed.passed() == 5s);
  }
}

TEST_CASE("an engine that is away for a while is asked again") {
  GateBench bench;
  bench.engine.fails("inspect container", k_no_engine, 6);
  CHECK(bench.wait() == "");
  CHECK(bench.passed() == 13s);
  CHECK(bench.progressed.front() == "health: the Docker Engine does not answer");

  GateBench settling;  // which goes on: the containers were not restarted meanwhile
  settling.after(4s, [&] { settling.engine.fails("inspect container", k_no_engine, 4); });
  CHECK(settling.wait() == "");
  CHECK(settling.passed() == 10s);

  GateBench end;  // but it does not end while nobody looks
  end.after(9s, [&] { end.engine.fails("inspect container", k_no_engine, 10); });
  CHECK(end.wait() == "");
  CHECK(end.passed() == 14s);
}

TEST_CASE("an engine that stays away proves nothing") {
  GateBench bench;
  bench.engine.fails("inspect container", k_no_engine);
  CHECK(bench.wait() ==
        "(unjudged) cannot look at shop-web-1: no Docker Engine listens on /run/docker.sock");
  CHECK(bench.kind == ErrorKind::transient);
  CHECK(bench.culprit == "");
  CHECK(bench.passed() == 100s);
}

TEST_CASE("a verdict after the engine was away proves nothing, whatever it is") {
  GateBench restarted;
  restarted.after(2s, [&] {
    restarted.engine.fails("inspect container", k_no_engine, 1);
    start_anew(restarted.web());
  });
  CHECK(restarted.wait() == "(unjudged) shop-web-1 was started anew");
  CHECK(restarted.culprit == "id-of-shop-web-1");

  GateBench gone;
  gone.after(2s, [&] {
    gone.engine.fails("inspect container", k_no_engine, 1);
    gone.engine.containers.clear();
  });
  CHECK(gone.wait() == "(unjudged) shop-web-1 is gone");

  GateBench starting;
  starting.web().health = Health::starting;
  starting.engine.fails("inspect container", k_no_engine, 1);
  CHECK(starting.wait() == "(unjudged) shop-web-1 is still starting after 90 s");
}

TEST_CASE("a look waits for nothing, and what was before does not count") {
  GateBench bench(2);
  bench.web(1).health = Health::starting;
  bench.web(2).restarts = 4;
  bench.web(2).oom_killed = true;
  bench.settings.http = {k_url};
  CHECK(bench.look() == "");
  CHECK(bench.passed() == 0ms);
  CHECK(bench.calls.size() == 2);
  CHECK(bench.http.requests.size() == 1);
  CHECK(bench.progressed.empty());
  CHECK(bench.steps.empty());

  bench.answer = HttpResponse{.status = 503};
  CHECK(bench.look() == "http://127.0.0.1:3000/health answered 503 (expected 200 to 399)");
  CHECK(bench.culprit == "");

  for (const Change& row : dead_ends()) {
    CAPTURE(row.name);
    GateBench bad;
    row.change(bad.web());
    CHECK(bad.look() == row.verdict);
    CHECK(bad.culprit == "id-of-shop-web-1");
  }
}

TEST_CASE("a look at an engine that does not answer, or at nothing") {
  GateBench bench;
  bench.engine.fails("inspect container", k_no_engine, 1);
  CHECK(bench.look() ==
        "(unjudged) cannot look at shop-web-1: no Docker Engine listens on /run/docker.sock");
  CHECK(bench.passed() == 0ms);
  bench.engine.containers.clear();
  CHECK(bench.look() == "shop-web-1 is gone");
  CHECK(GateBench(0).look() == "");
  CHECK(GateBench(0).wait() == "");
}
