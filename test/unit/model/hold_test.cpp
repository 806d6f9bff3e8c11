#include "tallyman/model/hold.hpp"

#include <doctest/doctest.h>

#include "unit/model/comparisons.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

const Timestamp k_now = at("2026-11-22T19:45:14Z");
const Hold k_hold = {.reason = "exam week", .by = "anna", .at = at("2026-11-20T08:00:00Z")};
constexpr const char* k_held = "held by anna since 2026-11-20T08:00:00Z: exam week";

Memory held(Result<Hold> hold) {
  Memory memory;
  memory.holds.emplace("web", std::move(hold));
  return memory;
}

/// The registry has #2, which is image #b; #1 runs, which is image #a.
Comparison differing() {
  RemoteImage offered = remote('2');
  offered.platform = PlatformImage{digest('7'), digest('b')};
  return comparison({{'a', {repo_digest('1')}}}, offered);
}
Comparison current() {
  return comparison({{'a', {repo_digest('1')}}}, remote('1'));
}

Decision decided(const Comparison& comparison, const Memory& memory, Moment moment = {.now = k_now},
                 Mode mode = Mode::automatic) {
  return decide(watch_of(mode), {comparison}, {}, memory, moment);
}

}  // namespace

TEST_CASE("a hold in words") {
  Hold hold = k_hold;
  CHECK(hold.str() == k_held);
  hold.until = at("2026-12-01T08:00:00Z");
  hold.command = "rollback";
  CHECK(hold.str() ==
        "held by anna (rollback) since 2026-11-20T08:00:00Z until 2026-12-01T08:00:00Z: exam week");
  hold.reason.clear();
  CHECK(hold.str() ==
        "held by anna (rollback) since 2026-11-20T08:00:00Z until 2026-12-01T08:00:00Z");
}

TEST_CASE("decide: what is held is not deployed, and tells the update that is at hand") {
  const Decision decision = decided(differing(), held(k_hold));
  CHECK((decision.action == Decision::Action::none));
  CHECK((decision.state == ServiceState::held));
  CHECK((decision.reason_code == ReasonCode::held));
  CHECK(decision.reason == std::string(k_held) + "; 222222222222 is available");
  CHECK(decision.update_available == true);
  CHECK_FALSE(decision.error.has_value());
}

TEST_CASE("decide: what is held and current says held, too") {
  const Decision decision = decided(current(), held(k_hold));
  CHECK((decision.state == ServiceState::held));
  CHECK(decision.reason == k_held);
  CHECK(decision.update_available == false);
}

TEST_CASE("decide: a hold does not hide what is worse") {
  Memory memory = held(k_hold);
  memory.services["web"].broken = "shop-web-1 exited with status 7";
  for (const Comparison& comparison : {differing(), current()}) {
    const Decision decision = decided(comparison, memory);
    CHECK((decision.action == Decision::Action::none));
    CHECK((decision.state == ServiceState::failed));
  }
}

TEST_CASE("decide: a hold ends at its time, to the millisecond") {
  Hold hold = k_hold;
  hold.until = k_now + std::chrono::milliseconds(1);
  CHECK((decided(differing(), held(hold)).state == ServiceState::held));
  hold.until = k_now;
  CHECK((decided(differing(), held(hold)).action == Decision::Action::deploy));
}

TEST_CASE("decide: a hold of another service is none") {
  Memory memory;
  memory.holds.emplace("api", k_hold);
  CHECK((decided(differing(), memory).action == Decision::Action::deploy));
}

TEST_CASE("decide: a hold that cannot be read holds, and is unknown") {
  const Memory memory = held(fail(ErrorKind::protocol, "holds/web.json: not a hold"));
  for (const Comparison& comparison : {differing(), current()}) {
    const Decision decision = decided(comparison, memory);
    CHECK((decision.action == Decision::Action::none));
    CHECK((decision.state == ServiceState::unknown));
    CHECK((decision.reason_code == ReasonCode::state_error));
    REQUIRE(decision.error.has_value());
    CHECK(decision.error->message == "holds/web.json: not a hold");
  }
}

TEST_CASE("decide: a person's wish, row by row") {
  Memory settled;
  settled.services["web"].settled.emplace(ref(k_web).str(), digest('2'));
  Memory tried;
  tried.services["web"].attempts = {digest('2'), 5, 0, k_now};
  Memory quarantined;
  quarantined.services["web"].quarantined.push_back(
      {std::string(k_web), digest('2'), std::nullopt, "exited", k_now});
  struct Row {
    const char* what;
    Comparison comparison;
    Memory memory;
    Mode mode;
    Wish wish;
    bool deploys;
  };
  const Row rows[] = {
      {"an update", differing(), {}, Mode::automatic, {}, true},
      {"mode notify", differing(), {}, Mode::notify, {}, true},
      {"changed by hand", differing(), settled, Mode::automatic, {}, true},
      {"backing off", differing(), tried, Mode::automatic, {}, true},
      {"held: whoever asks has looked", differing(), held(k_hold), Mode::automatic, {}, true},
      {"quarantined", differing(), quarantined, Mode::automatic, {}, false},
      {"quarantined, once more", differing(), quarantined, Mode::automatic, {true, false}, true},
      {"current", current(), {}, Mode::automatic, {}, false},
      {"current, again", current(), {}, Mode::automatic, {false, true}, true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const Moment moment{.now = k_now, .patient = true, .wish = row.wish};
    const Decision decision = decided(row.comparison, row.memory, moment, row.mode);
    CHECK((decision.action == Decision::Action::deploy) == row.deploys);
  }
}

TEST_CASE("decide: mode notify names the command that deploys") {
  CHECK(decided(differing(), {}, {.now = k_now}, Mode::notify).reason ==
        "222222222222 is available, and mode is notify; to deploy it: tallyman deploy web");
}
