#include <doctest/doctest.h>

#include "unit/tick/ticking.hpp"

using namespace tallyman;
using namespace tallyman::test;
using std::chrono::minutes;

namespace {

/// Service web, whose drop-in wants a digest to be seen that often.
struct Patient : Ticking {
  explicit Patient(int checks) { config.watches.at(0).stable_checks = checks; }
  /// The registry has that digest now.
  void offers(char hex) {
    if (hex == '1') {
      registry.has(k_web, '1');
    } else {
      pushes(k_web, hex, static_cast<char>(hex + 4), static_cast<char>(hex - '0' + 'a'));
    }
  }
};

}  // namespace

TEST_CASE("a digest is deployed by the tick that sees it for the last time that is asked for") {
  Patient world(3);
  world.offers('2');
  for (int i = 1; i < 3; ++i) {
    const ServiceStatus web = world.next();
    check_state(web, ServiceState::pending, ReasonCode::not_yet_stable);
    CHECK(web.reason == fmt::format("222222222222 was seen in {} of 3 checks", i));
    CHECK(web.update_available == std::nullopt);
    CHECK(web.pending_since.has_value());
    CHECK_FALSE(web.error.has_value());
    CHECK(web.consecutive_failures == 0);
    CHECK(world.asked("pull").empty());
    // On disk, so that a reboot does not start over.
    CHECK(world.remembered("web").candidates.at(std::string(k_web)).checks == i);
  }
  check_state(world.next(), ServiceState::updated, ReasonCode::deployed);
  check_state(world.next(), ServiceState::current, ReasonCode::up_to_date);
}

TEST_CASE("what a tick's registry offers, and what comes of it") {
  struct Row {
    const char* what;
    std::string offers;  ///< one digest a tick; 'x': it does not answer
    std::string states;  ///< c: current, p: not yet stable, u: updated, ?: unknown
  };
  const Row rows[] = {
      {"it comes, and stays", "122", "cpu"},
      {"it flips back", "12121", "cpcpc"},
      {"it flips back, then comes to stay", "12122", "cpcpu"},
      {"it flips between two others", "23233", "ppppu"},
      {"it moves again before it counts", "233", "ppu"},
      {"no answer is no other digest", "2x2", "p?u"},
      {"no answer is no check, either", "2xx", "p??"},
      {"the next one counts anew", "22334", "pupup"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Patient world(2);
    std::string states;
    for (const char offered : row.offers) {
      if (offered == 'x') {
        world.registry.fails(k_web, {ErrorKind::transient, "refused"});
      } else {
        world.offers(offered);
      }
      const ServiceStatus web = world.next();
      states += web.state == ServiceState::current              ? 'c'
                : web.state == ServiceState::updated            ? 'u'
                : web.state == ServiceState::unknown            ? '?'
                : web.reason_code == ReasonCode::not_yet_stable ? 'p'
                                                                : '!';
    }
    CHECK(states == row.states);
  }
}

TEST_CASE("looking is not counting: check and dry run change nothing") {
  Patient world(2);
  world.offers('2');
  check_state(world.next(), ServiceState::pending, ReasonCode::not_yet_stable);
  Memory memory = world.remembered();
  for (int i = 0; i < 3; ++i) {
    const Look look = world.look(memory);
    check_state(look.services.at(0).decision, ServiceState::pending, ReasonCode::not_yet_stable);
    CHECK(look.services.at(0).decision.reason == "222222222222 was seen in 1 of 2 checks");
  }
  CHECK(memory.services.at("web").candidates.at(std::string(k_web)).checks == 1);
}

TEST_CASE("nothing is counted that nobody waits for") {
  Patient world(2);
  world.offers('2');
  (void)world.next();
  CHECK(world.remembered("web").candidates.size() == 1);
  world.config.watches.at(0).stable_checks = 1;
  check_state(world.next(), ServiceState::updated, ReasonCode::deployed);
  CHECK(world.remembered("web").candidates.empty());

  Patient other(2);
  (void)other.next();
  other.config.watches.at(0).image = ref("harbor.lan/shop/web:2");
  (void)other.next();
  CHECK(other.remembered("web").candidates.empty());
}

TEST_CASE("a run of one service does not count for the others") {
  Patient world(2);
  world.with_api();
  world.config.watches.at(1).stable_checks = 2;
  world.offers('2');
  world.clock.advance(minutes(5));
  (void)world.run({"api"});
  CHECK(world.remembered("web").candidates.empty());
  CHECK(world.remembered("api").candidates.size() == 1);
}

TEST_CASE("a mirror that lags is pending and no failure, and is tried again later and later") {
  Ticking world;
  world.pushes_web();
  world.engine.engine_info.mirrors = {{"harbor.lan", {"mirror.lan"}}};
  world.engine.fails("pull", {ErrorKind::not_found, "manifest unknown"});
  for (const int later : {5, 1}) {
    const ServiceStatus web = world.next("web", minutes(later));
    check_state(web, ServiceState::pending, ReasonCode::mirror_lag);
    CHECK(contains(web.reason, "its mirror mirror.lan lags behind; wait, or see registry-mirrors"));
    CHECK_FALSE(web.error.has_value());
    CHECK(web.update_available == true);
    CHECK(web.consecutive_failures == 0);
  }
  const ServiceStatus waits = world.next("web", minutes(1));
  check_state(waits, ServiceState::pending, ReasonCode::mirror_lag);
  CHECK(waits.reason == "the engine's mirror does not have 222222222222 yet; next try in 4 min");
  CHECK(world.asked("pull").empty());

  world.engine.forgive();
  check_state(world.next(), ServiceState::updated, ReasonCode::deployed);
  CHECK_FALSE(world.remembered("web").attempts.mirror_lags);
}

TEST_CASE("another failure after the mirror's lag is what is told") {
  Ticking world;
  world.pushes_web();
  world.engine.engine_info.mirrors = {{"harbor.lan", {"mirror.lan"}}};
  world.engine.fails("pull", {ErrorKind::not_found, "manifest unknown"}, 1);
  check_state(world.next(), ServiceState::pending, ReasonCode::mirror_lag);
  world.engine.fails("pull", {ErrorKind::transient, "cut"});
  check_state(world.next(), ServiceState::pending, ReasonCode::pull_failed);
  check_state(world.next("web", minutes(1)), ServiceState::pending, ReasonCode::backing_off);
}
