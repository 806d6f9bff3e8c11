#include <doctest/doctest.h>

#include "tallyman/model/memory.hpp"
#include "unit/model/comparisons.hpp"

using namespace tallyman;
using namespace tallyman::test;
using std::chrono::milliseconds;
using std::chrono::minutes;

namespace {

const Timestamp k_failed_at = at("2026-11-22T19:00:00Z");

Memory with(const ServiceMemory& service) {
  Memory memory;
  memory.services["web"] = service;
  return memory;
}

Quarantined quarantined(char d, std::optional<Digest> manifest = std::nullopt,
                        std::string_view reference = k_web) {
  return {ref(reference).str(), digest(d), std::move(manifest), "shop-web-1 exited", k_failed_at};
}

ServiceMemory holding(std::vector<Quarantined> entries) {
  ServiceMemory service;
  service.quarantined = std::move(entries);
  return service;
}

/// Digest #2 could not be deployed.
ServiceMemory failed_times(int count) {
  ServiceMemory service;
  service.attempts = {.digest = digest('2'), .count = count, .last = k_failed_at};
  return service;
}

/// The engine's mirror did not have it.
ServiceMemory lagging(int count) {
  ServiceMemory service = failed_times(count);
  service.attempts.mirror_lags = true;
  return service;
}

ServiceMemory settled(char d, std::string_view reference = k_web) {
  ServiceMemory service;
  service.settled.emplace(ref(reference).str(), digest(d));
  return service;
}

bool deploys(const Decision& decision) {
  return decision.action == Decision::Action::deploy;
}

void check_state(const Decision& decision, ServiceState state, ReasonCode code) {
  CHECK(to_string(decision.state) == to_string(state));
  CHECK(to_string(decision.reason_code) == to_string(code));
}

}  // namespace

TEST_CASE("decide: what failed here is quarantined, by its digest or by the platform's manifest") {
  struct Row {
    const char* what;
    Quarantined entry;
    Comparison comparison;
    ServiceState state;
  };
  const auto not_looked_into = comparison({runs_1()}, remote('2'));
  const Row rows[] = {
      {"its digest", quarantined('2'), differs(), ServiceState::quarantined},
      {"its digest, which nobody looked into", quarantined('2', digest('8')), not_looked_into,
       ServiceState::quarantined},
      {"a new index around the same image", quarantined('3', digest('8')), differs(),
       ServiceState::quarantined},
      {"a new index around another image", quarantined('3', digest('7')), differs(),
       ServiceState::pending},
      {"another digest", quarantined('3'), differs(), ServiceState::pending},
      {"the same digest of another reference", quarantined('2', std::nullopt, "harbor.lan/x:1"),
       differs(), ServiceState::pending},
      {"the same manifest of another reference", quarantined('3', digest('8'), "harbor.lan/x:1"),
       differs(), ServiceState::pending},
      {"a digest that runs all the same", quarantined('1'),
       comparison({runs_1()}, remote('1', inside('8', '9'))), ServiceState::current},
      {"one of two replicas runs it", quarantined('1'),
       comparison({runs_1(), {'b', {repo_digest('4')}}}, remote('1')), ServiceState::quarantined},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const Decision decision =
        decide(watch_of(), {row.comparison}, {}, with(holding({row.entry})), {});
    CHECK(to_string(decision.state) == to_string(row.state));
    CHECK(deploys(decision) == (row.state == ServiceState::pending));
    CHECK(decision.update_available == (row.state != ServiceState::current));
    CHECK_FALSE(decision.error.has_value());
  }
}

TEST_CASE("decide: a quarantined digest says what it did") {
  const Decision decision =
      decide(watch_of(), {differs()}, {}, with(holding({quarantined('2')})), {});
  check_state(decision, ServiceState::quarantined, ReasonCode::failed_here);
  CHECK(decision.reason == "222222222222: shop-web-1 exited");
}

TEST_CASE("decide: of another service it does not matter") {
  Memory memory;
  ServiceMemory& api = memory.services["api"];
  api = failed_times(9);
  api.broken = "it is broken";
  api.quarantined = {quarantined('2')};
  CHECK(
      deploys(decide(watch_of(), {differs()}, {}, memory, {.now = k_failed_at, .patient = true})));
}

TEST_CASE("decide: what is left alone holds back its siblings of the same drop-in") {
  constexpr std::string_view k_worker = "harbor.lan/shop/worker:1";
  Comparison sibling =
      comparison({{'c', {"harbor.lan/shop/worker@" + id_of('5')}, true, "worker"}},
                 RemoteImage{ref(k_worker), digest('6'), {}, inside('f', 'e')}, k_worker);
  struct Row {
    const char* what;
    ServiceMemory memory;
    ReasonCode code;
  };
  const Row rows[] = {
      {"quarantined", holding({quarantined('2')}), ReasonCode::failed_here},
      {"changed by hand", settled('2'), ReasonCode::changed_by_hand},
      {"failed lately", failed_times(2), ReasonCode::backing_off},
      {"the mirror lags", lagging(2), ReasonCode::mirror_lag},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const Moment moment{.now = k_failed_at, .patient = true};
    const Decision decision =
        decide(watch_of(), {sibling, differs()}, {}, with(row.memory), moment);
    CHECK_FALSE(deploys(decision));
    CHECK(decision.images.at(0).deploy);
    CHECK(to_string(decision.images.at(1).reason_code) == to_string(row.code));
    CHECK(deploys(decide(watch_of(), {sibling, differs()}, {}, {}, moment)));
  }
}

TEST_CASE("decide: quarantined comes before all other reasons to leave it alone") {
  ServiceMemory service = failed_times(9);
  service.quarantined = {quarantined('2')};
  service.settled = {{ref(k_web).str(), digest('2')}};
  const Moment moment{.now = k_failed_at, .patient = true};
  check_state(decide(watch_of(Mode::notify), {differs()}, {}, with(service), moment),
              ServiceState::quarantined, ReasonCode::failed_here);
}

TEST_CASE("decide: only what is settled was changed by hand, not what was once deployed") {
  const auto decided = [](const ServiceMemory& service) {
    return decide(watch_of(), {differs()}, {}, with(service), {});
  };
  const Decision by_hand = decided(settled('2'));
  check_state(by_hand, ServiceState::pending, ReasonCode::changed_by_hand);
  CHECK(contains(by_hand.reason, "left alone until harbor.lan/shop/web:1 moves"));
  CHECK_FALSE(deploys(by_hand));
  ServiceMemory deployed;
  deployed.last_good.emplace(ref(k_web).str(), digest('2'));
  CHECK(deploys(decided(deployed)));
  CHECK(deploys(decided(settled('3'))));
  CHECK(deploys(decided(settled('2', "harbor.lan/shop/api:1"))));
}

TEST_CASE("decide: the timer's ticks leave alone for a while what failed lately") {
  struct Row {
    const char* what;
    int failures;
    char digest;
    bool patient;
    minutes later;
    bool deploys;
  };
  const Row rows[] = {
      {"never failed", 0, '2', true, minutes(0), true},
      {"failed once", 1, '2', true, minutes(0), true},
      {"failed twice", 2, '2', true, minutes(4), false},
      {"failed twice, and 5 min are over", 2, '2', true, minutes(5), true},
      {"failed three times", 3, '2', true, minutes(9), false},
      {"failed three times, and 10 min are over", 3, '2', true, minutes(10), true},
      {"failed for ever", 1'000'000, '2', true, minutes(359), false},
      {"failed for ever, and 6 h are over", 1'000'000, '2', true, minutes(360), true},
      {"by hand", 2, '2', false, minutes(4), true},
      {"another digest failed", 2, '3', true, minutes(4), true},
      {"the clock was set back", 2, '2', true, minutes(-60), true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    ServiceMemory service = failed_times(row.failures);
    service.attempts.digest = digest(row.digest);
    const Decision decision = decide(watch_of(), {differs()}, {}, with(service),
                                     {.now = k_failed_at + row.later, .patient = row.patient});
    CHECK(deploys(decision) == row.deploys);
    check_state(decision, ServiceState::pending,
                row.deploys ? ReasonCode::update_available : ReasonCode::backing_off);
    CHECK(decision.update_available == true);
  }
}

TEST_CASE("decide: it says how often a deployment failed, and when the next try is") {
  const Decision decision = decide(watch_of(), {differs()}, {}, with(failed_times(2)),
                                   {.now = k_failed_at + minutes(2), .patient = true});
  CHECK(decision.reason == "222222222222 could not be deployed 2 times; next try in 3 min");
}

TEST_CASE("decide: where the engine's mirror lags, that is what it waits for") {
  const Decision decision = decide(watch_of(), {differs()}, {}, with(lagging(2)),
                                   {.now = k_failed_at + minutes(2), .patient = true});
  check_state(decision, ServiceState::pending, ReasonCode::mirror_lag);
  CHECK(decision.reason == "the engine's mirror does not have 222222222222 yet; next try in 3 min");
  CHECK_FALSE(decision.error.has_value());
  CHECK(decision.update_available == true);
}

TEST_CASE("backoff: not after the first failure, then 5 min, doubled, and never over 6 h") {
  const minutes waits[] = {minutes(0),  minutes(0),  minutes(5),   minutes(10),  minutes(20),
                           minutes(40), minutes(80), minutes(160), minutes(320), minutes(360)};
  for (int failures = 0; failures < static_cast<int>(std::size(waits)); ++failures) {
    CAPTURE(failures);
    CHECK((backoff(failures) == waits[failures]));
  }
  CHECK((backoff(2'000'000'000) == std::chrono::hours(6)));
  CHECK((backoff(-1) == milliseconds(0)));
}

TEST_CASE("decide: what is broken is failed, whatever runs there, until there is something new") {
  const Comparison same = comparison({runs_1()}, remote('1'));
  const Comparison unknown = comparison({runs_1()}, fail(ErrorKind::transient, "refused"));
  struct Row {
    const char* what;
    std::vector<Comparison> comparisons;
    ServiceMemory memory;
  };
  const Row rows[] = {
      {"current", {same}, {}},
      {"nothing runs", {}, {}},
      {"its registry does not answer", {unknown}, {}},
      {"quarantined", {differs()}, holding({quarantined('2')})},
      {"backing off", {differs()}, failed_times(2)},
  };
  const Moment moment{.now = k_failed_at, .patient = true};
  for (const Row& row : rows) {
    CAPTURE(row.what);
    ServiceMemory service = row.memory;
    service.broken = "shop-web-1 exited with status 7";
    const Decision decision = decide(watch_of(), row.comparisons, {}, with(service), moment);
    check_state(decision, ServiceState::failed, ReasonCode::rollback_failed);
    CHECK(decision.reason == "shop-web-1 exited with status 7");
    CHECK(decision.error->message == "shop-web-1 exited with status 7");
    CHECK_FALSE(deploys(decision));
  }
  ServiceMemory broken;
  broken.broken = "it broke";
  const Decision mends = decide(watch_of(), {differs()}, {}, with(broken), moment);
  check_state(mends, ServiceState::pending, ReasonCode::update_available);
  CHECK(deploys(mends));
  CHECK_FALSE(mends.error.has_value());
}

TEST_CASE("release_moved: a tag that moved to another image lets go of the quarantine") {
  ServiceMemory service =
      holding({quarantined('2', digest('8')), quarantined('2', digest('8'), "harbor.lan/x:1")});
  SUBCASE("it stands") {
    release_moved(service, remote('2'));
    CHECK(service.quarantined.size() == 2);
  }
  SUBCASE("it moved to another image") {
    release_moved(service, remote('3', inside('7', 'b')));
    REQUIRE(service.quarantined.size() == 1);
    CHECK(service.quarantined[0].reference == "harbor.lan/x:1");
  }
  SUBCASE("it moved to another index around the same image, and is known by that from now on") {
    release_moved(service, remote('3', inside('8', '9')));
    REQUIRE(service.quarantined.size() == 2);
    CHECK((service.quarantined[0].digest == digest('3')));
    CHECK((service.quarantined[1].digest == digest('2')));
    CHECK(find_quarantined(service, remote('3')) != nullptr);
  }
}
