#include <doctest/doctest.h>

#include <csignal>

#include "unit/deploy/yard.hpp"
#include "unit/io/signals.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

const Error k_cut{ErrorKind::transient, "cut"};

/// What ran before still runs, and its tag means what it meant.
void check_untouched(const Yard& yard) {
  CHECK(yard.target.recreated.empty());
  CHECK(yard.running().front() == "shop-web-1 #a running");
  CHECK(yard.engine.containers.at(0).id == "id-of-shop-web-1");
  CHECK(yard.tag_of() == "#a");
}

/// It was begun, and given up before a container was touched.
void check_abandoned(const Yard& yard, const Outcome& outcome, ReasonCode code) {
  check(outcome, ServiceState::pending, code);
  CHECK(yard.phase_of(outcome) == "abandoned");
  CHECK_FALSE(outcome.journal->judged);
  CHECK(outcome.journal->suspects.empty());
  check_untouched(yard);
}

}  // namespace

TEST_CASE("a project that cannot be prepared stops everything before the first pull") {
  Yard yard;
  yard.runs("blog", "site", k_web, 'a');
  yard.target.prepare_error = Error{ErrorKind::config, "no compose", "install it"};
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::pending, ReasonCode::preflight_failed);
  CHECK(outcome.error->message == "no compose");
  CHECK(outcome.error->remedy == "install it");
  CHECK_FALSE(outcome.journal.has_value());
  CHECK(yard.asked() == Calls{"prepare shop"});
}

TEST_CASE("what runs must be kept before anything is pulled") {
  Yard yard;
  yard.engine.fails("tag", k_cut);
  const Outcome outcome = yard.deploy();
  check_abandoned(yard, outcome, ReasonCode::preflight_failed);
  CHECK(outcome.error->message == "the image that shop runs cannot be kept for a way back: cut");
  CHECK(yard.asked("pull").empty());

  Yard gone;  // and nobody knows where it came from
  gone.engine.images.erase(id_of('a'));
  gone.plan.images[0].old[0].digest.reset();
  check(gone.deploy(), ServiceState::pending, ReasonCode::preflight_failed);
  CHECK(gone.asked("pull").empty());
  CHECK(gone.target.recreated.empty());
}

TEST_CASE("a password that cannot be read is no reason to pull as nobody") {
  Yard yard;
  yard.registry.who = std::unexpected(Error{ErrorKind::auth, "cannot read /etc/x"});
  const Outcome outcome = yard.deploy();
  check_abandoned(yard, outcome, ReasonCode::pull_failed);
  CHECK(outcome.error->message == "cannot read /etc/x");
  CHECK(yard.asked("pull").empty());
}

TEST_CASE("a pull that fails names the image by digest and leaves the tag alone") {
  Yard yard;
  yard.engine.fails("pull", k_cut);
  const Outcome outcome = yard.deploy();
  check_abandoned(yard, outcome, ReasonCode::pull_failed);
  CHECK(outcome.error->kind == ErrorKind::transient);
  CHECK(shortened(outcome.error->message) == "pull of harbor.lan/shop/web@#2: cut");
  CHECK(yard.phases == Calls{"protect", "pull", "abandon", "abandoned"});
  CHECK(yard.asked("tag") == Calls{"tag #a as harbor.lan/shop/web:tallyman-rollback-aaaaaaaaaaaa"});
  CHECK(yard.steps.empty());
}

TEST_CASE("a second image that cannot be pulled leaves the tag of the first alone") {
  Yard yard;
  yard.offers(k_api, '5', 'c', '6', 'd');
  yard.runs("shop", "api", k_api, 'c');
  yard.engine.fails("pull harbor.lan/shop/api", k_cut);
  check_abandoned(yard, yard.deploy(), ReasonCode::pull_failed);
  CHECK(yard.asked("tag #b").empty());
}

TEST_CASE("a second tag that cannot be moved takes the first one back") {
  Yard yard;
  yard.offers(k_api, '5', 'c', '6', 'd');
  yard.runs("shop", "api", k_api, 'c');
  yard.engine.fails("tag " + id_of('d'), k_cut);
  check_abandoned(yard, yard.deploy(), ReasonCode::pull_failed);
  CHECK(yard.asked("tag #b") == Calls{"tag #b as harbor.lan/shop/web:1"});
  CHECK(yard.asked("tag #a").back() == "tag #a as harbor.lan/shop/web:1");
  CHECK(yard.tag_of(k_api) == "#c");
}

TEST_CASE("a pulled image that cannot be inspected, or is another one, is not deployed") {
  Yard blind;
  blind.engine.on_call = [&](std::string_view call) {
    if (call.starts_with("pull")) {
      blind.engine.fails("inspect", k_cut, 1);
    }
  };
  const Outcome unseen = blind.deploy();
  check_abandoned(blind, unseen, ReasonCode::pull_failed);
  CHECK(unseen.error->message == "cut");

  Yard wrong;
  wrong.engine.tags.insert_or_assign(ref(k_web).at(digest('2')), id_of('a'));
  const Outcome other = wrong.deploy();
  check_abandoned(wrong, other, ReasonCode::mirror_lag);
  CHECK(
      other.error->message ==
      "harbor.lan offers 222222222222, but the engine does not get it: its mirror or a proxy lags "
      "behind");
  CHECK(contains(other.error->remedy, "registry-mirrors in /etc/docker/daemon.json"));
}

TEST_CASE("an image that is known by its platform's manifest alone is the right one") {
  Yard yard;
  yard.plan.images[0].manifest = digest('7');
  yard.engine.can_pull(k_web, '2', 'f');
  yard.engine.on_call = [&](std::string_view call) {
    if (call.starts_with("pull")) {  // whatever the pull leaves behind
      yard.engine.add_image("harbor.lan/shop/web:x", 'b', "7");
      yard.engine.tags.insert_or_assign(ref(k_web).at(digest('2')), id_of('b'));
    }
  };
  check(yard.deploy(), ServiceState::updated, ReasonCode::deployed);
  CHECK(yard.tag_of(k_web) == "#b");
}

TEST_CASE("what a mirror of the engine does not have yet is waited for") {
  struct Row {
    const char* what;
    Error error;
    std::map<std::string, std::vector<std::string>> mirrors;
    bool podman;
    ReasonCode code;
    const char* remedy;
  };
  const Error missing{ErrorKind::not_found, "manifest unknown"};
  const Row rows[] = {
      {"docker",
       missing,
       {{"harbor.lan", {"mirror.lan", "other.lan"}}},
       false,
       ReasonCode::mirror_lag,
       "registry-mirrors in /etc/docker/daemon.json"},
      {"podman",
       missing,
       {{"harbor.lan", {"mirror.lan"}}},
       true,
       ReasonCode::mirror_lag,
       "[[registry.mirror]] in /etc/containers/registries.conf"},
      {"the mirror of another registry",
       missing,
       {{"docker.io", {"mirror.lan"}}},
       false,
       ReasonCode::pull_failed,
       ""},
      {"no mirror", missing, {}, false, ReasonCode::pull_failed, ""},
      {"another failure",
       k_cut,
       {{"harbor.lan", {"mirror.lan"}}},
       false,
       ReasonCode::pull_failed,
       ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Yard yard;
    yard.engine.fails("pull", row.error);
    yard.engine.engine_info.mirrors = row.mirrors;
    yard.engine.engine_info.podman = row.podman;
    const Outcome outcome = yard.deploy();
    check_abandoned(yard, outcome, row.code);
    CHECK(contains(outcome.error->remedy, row.remedy));
    if (row.code == ReasonCode::mirror_lag) {
      CHECK(outcome.error->message ==
            "harbor.lan offers 222222222222, but the engine does not get it: its mirror mirror.lan "
            "lags behind");
    }
  }
}

TEST_CASE("a tag that cannot be moved touches no container") {
  Yard yard;
  yard.engine.fails("tag " + id_of('b'), k_cut);
  const Outcome outcome = yard.deploy();
  check_abandoned(yard, outcome, ReasonCode::pull_failed);
  CHECK(outcome.error->message == "cut");
  CHECK(yard.asked("tag").back() == "tag #b as harbor.lan/shop/web:1");
}

TEST_CASE("an image that is pruned twice, or cannot be pulled again, is given up") {
  Yard twice;
  twice.engine.fails("tag " + id_of('b'), {ErrorKind::not_found, "no such image"});
  const Outcome outcome = twice.deploy();
  check_abandoned(twice, outcome, ReasonCode::pull_failed);
  CHECK(outcome.error->kind == ErrorKind::not_found);
  CHECK(twice.asked("pull").size() == 2);

  Yard gone;
  gone.engine.fails("tag " + id_of('b'), {ErrorKind::not_found, "no such image"});
  gone.engine.on_call = [&](std::string_view call) {
    if (call.starts_with("tag " + id_of('b'))) {
      gone.engine.fails("pull", k_cut);
    }
  };
  const Outcome no_pull = gone.deploy();
  check_abandoned(gone, no_pull, ReasonCode::pull_failed);
  CHECK(no_pull.error->kind == ErrorKind::transient);
}

TEST_CASE("what was stopped, scaled or recreated during the pull is left alone") {
  const std::function<void(Host&)> changes[] = {
      [](Host& host) { host.containers.at(0).status = ContainerStatus::exited; },
      [](Host& host) { host.containers.push_back(compose_container("shop", "web", 2)); },
      [](Host& host) { host.containers.at(0).id = "somebody's"; },
      [](Host& host) { host.containers.clear(); },
  };
  for (const auto& change : changes) {
    Yard yard;
    yard.engine.on_observe = [&](Host host) -> Result<Host> {
      change(host);
      return host;
    };
    const Outcome outcome = yard.deploy();
    check_abandoned(yard, outcome, ReasonCode::preflight_failed);
    CHECK(outcome.error->kind == ErrorKind::transient);
    CHECK(outcome.error->message ==
          "the containers of service web changed during the pull; they are left alone");
  }
}

TEST_CASE("a host that cannot be seen before the recreation is left alone") {
  Yard yard;
  yard.engine.fails("observe", k_cut);
  check_abandoned(yard, yard.deploy(), ReasonCode::preflight_failed);
}

TEST_CASE("a deployment that is given up gives the tag back its meaning") {
  Yard yard;  // somebody had pulled another image by hand
  yard.has_image("harbor.lan/shop/web:1", '3', 'c');
  yard.fail_at(Phase::tag, true);
  check(yard.deploy(), ServiceState::pending, ReasonCode::recreate_failed);
  CHECK(yard.tag_of() == "#c");

  Yard none;  // there was no tag: then what runs is better than what was not deployed
  none.engine.tags.erase(ref(k_web));
  none.fail_at(Phase::tag, true);
  check_abandoned(none, none.deploy(), ReasonCode::recreate_failed);

  Yard other;  // somebody moved it meanwhile: that is theirs
  other.on_phase = [&](Phase phase, bool after) -> Result<void> {
    if (phase == Phase::tag && after) {
      other.has_image(k_web, '3', 'c');
      return fail(ErrorKind::io, "hooked");
    }
    return {};
  };
  check(other.deploy(), ServiceState::pending, ReasonCode::recreate_failed);
  CHECK(other.tag_of() == "#c");

  Yard same;  // it meant the new image already
  same.has_image(k_web, '2', 'b');
  same.fail_at(Phase::tag, true);
  check(same.deploy(), ServiceState::pending, ReasonCode::recreate_failed);
  CHECK(same.tag_of() == "#b");
}

TEST_CASE("a tag that cannot be given back stays the work of the next start") {
  Yard open;
  open.on_phase = [&](Phase phase, bool after) -> Result<void> {
    if (phase == Phase::tag && after) {
      open.engine.fails("tag", k_cut);
      return fail(ErrorKind::io, "hooked");
    }
    return {};
  };
  const Outcome left = open.deploy();
  check(left, ServiceState::pending, ReasonCode::recreate_failed);
  CHECK(open.phase_of(left) == "abandon");
  CHECK(left.error->message == "hooked; and the way back failed: cut");
  CHECK(open.tag_of() == "#b");
}

TEST_CASE("told to stop before it began, nothing is begun") {
  const SignalsRestored restored;
  Yard yard;
  yard.stop = Stop::on_signals();
  ::raise(SIGTERM);
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::pending, ReasonCode::interrupted);
  CHECK_FALSE(outcome.journal.has_value());
  CHECK(outcome.error->kind == ErrorKind::cancelled);
  CHECK(yard.asked().empty());
}

TEST_CASE("told to stop before compose is called, it is given up; later it is finished") {
  struct Row {
    Phase phase;
    bool after;
    const char* end;
  };
  const Row rows[] = {
      {Phase::protect, false, "abandoned"}, {Phase::protect, true, "abandoned"},
      {Phase::pull, false, "abandoned"},    {Phase::pull, true, "abandoned"},
      {Phase::tag, false, "abandoned"},     {Phase::recreate, false, "committed"},
      {Phase::recreate, true, "committed"}, {Phase::verify, false, "committed"},
  };
  for (const Row& row : rows) {
    CAPTURE(to_string(row.phase));
    CAPTURE(row.after);
    const SignalsRestored restored;
    Yard yard;
    yard.stop = Stop::on_signals();
    yard.on_phase = [&](Phase phase, bool after) -> Result<void> {
      if (phase == row.phase && after == row.after) {
        ::raise(SIGTERM);
      }
      return {};
    };
    const Outcome outcome = yard.deploy();
    CHECK(yard.phase_of(outcome) == row.end);
    if (row.end == std::string_view("abandoned")) {
      check_abandoned(yard, outcome, ReasonCode::interrupted);
      CHECK(outcome.error->message == "told to stop before a container was touched");
    }
  }
}
