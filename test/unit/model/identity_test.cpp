#include <doctest/doctest.h>

#include "unit/model/comparisons.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

constexpr std::string_view k_hub_web = "docker.io/library/web:1";

Result<RemoteImage> refuses(ErrorKind kind) {
  return fail(kind, "no permission");
}

/// What Podman lists: an id that is a config digest, and a digest of each name.
ReplicaIs on_podman(std::vector<std::string> repo_digests,
                    std::vector<std::string> repo_tags = {std::string(k_web)}) {
  return {.id = 'a',
          .repo_digests = std::move(repo_digests),
          .podman = true,
          .repo_tags = std::move(repo_tags)};
}

ServiceMemory seen_times(char hex, int checks) {
  ServiceMemory service;
  for (int i = 0; i < checks; ++i) {
    count_check(service, remote(hex));
  }
  return service;
}

Memory of_web(ServiceMemory service) {
  Memory memory;
  memory.services.emplace("web", std::move(service));
  return memory;
}

Watch patient_watch(int checks, Mode mode = Mode::automatic) {
  Watch watch = watch_of(mode);
  watch.stable_checks = checks;
  return watch;
}

}  // namespace

TEST_CASE("what an image is, by engine and store") {
  struct Row {
    const char* what;
    ReplicaIs is;
    RemoteImage remote;
    Match match;
    bool id_is_manifest;
    std::optional<char> pullable;
  };
  const Row rows[] = {
      {"podman: the index is among its digests", on_podman({repo_digest('8'), repo_digest('1')}),
       remote('1'), Match::same, false, '1'},
      {"podman: the platform's manifest was pulled, the tag is an index",
       on_podman({repo_digest('8')}), remote('2', inside('8', '9')), Match::same_content, false,
       '8'},
      {"podman: untagged, and so without digests: only the config tells", on_podman({}, {}),
       remote('1'), Match::unclear, false, std::nullopt},
      {"podman: untagged, the same config", on_podman({}, {}), remote('1', inside('8', 'a')),
       Match::same_content, false, std::nullopt},
      {"podman: untagged, another config", on_podman({}, {}), remote('1', inside('8', '9')),
       Match::differs, false, std::nullopt},
      {"podman: digests of its other names do not count",
       on_podman({"localhost/web@" + id_of('1'), "docker.io/library/web@" + id_of('1')}),
       remote('1', inside('8', '9')), Match::differs, false, std::nullopt},
      {"classic: several digests, in any order",
       {'a', {repo_digest('3'), "other.lan/x@" + id_of('4'), repo_digest('1')}},
       remote('1'),
       Match::same,
       false,
       '1'},
      {"classic: the platform's manifest was pulled by digest, the tag is an index",
       {'a', {repo_digest('8')}},
       remote('2', inside('8', '9')),
       Match::same_content,
       false,
       '8'},
      {"classic: tagged from another repository, and never pulled from this one",
       {.id = 'a',
        .repo_digests = {"other.lan/x@" + id_of('1')},
        .repo_tags = {std::string(k_web)}},
       remote('1', inside('8', 'a')),
       Match::same_content,
       false,
       std::nullopt},
      {"classic: built here, and never pulled or pushed",
       {.id = 'a', .repo_digests = {}, .repo_tags = {std::string(k_web)}},
       remote('1', inside('8', '9')),
       Match::differs,
       false,
       std::nullopt},
      {"containerd: many names, of which one is this repository's",
       {'1', {"other.lan/x@" + id_of('1'), repo_digest('1')}},
       remote('1'),
       Match::same,
       true,
       '1'},
      {"containerd: its name is another repository's, the id still tells",
       {'1', {"other.lan/x@" + id_of('1')}},
       remote('1'),
       Match::same,
       true,
       '1'},
      {"containerd: untagged", {'1', {}}, remote('1'), Match::same, true, '1'},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const Replica one = replica(k_web, row.is);
    CHECK(static_cast<int>(match(row.remote, one, {})) == static_cast<int>(row.match));
    CHECK(id_is_manifest_digest(one) == row.id_is_manifest);
    const auto pullable = pullable_digest(ref(k_web), one, row.remote.digest);
    CHECK((pullable == (row.pullable ? std::optional(digest(*row.pullable)) : std::nullopt)));
  }
}

TEST_CASE("a running image that is gone from the engine is known by its id alone") {
  Replica gone = replica(k_web, {'a', {}});
  gone.image.reset();
  CHECK(match(remote('2'), gone, {}) == Match::unclear);
  CHECK(match(remote('2', inside('8', 'a')), gone, {}) == Match::same_content);
  CHECK(match(remote('2', inside('8', '9')), gone, {}) == Match::differs);
  CHECK(match({ref(k_web), digest('a')}, gone, {}) == Match::same);
}

TEST_CASE("what was built here: which answers of a registry show that it never had it") {
  const ReplicaIs built{.id = 'a', .repo_digests = {}, .repo_tags = {std::string(k_web)}};
  const ReplicaIs untagged{'a', {}};
  const ReplicaIs pulled{
      .id = 'a', .repo_digests = {repo_digest('1')}, .repo_tags = {std::string(k_web)}};
  const ReplicaIs elsewhere{
      .id = 'a', .repo_digests = {"other.lan/x@" + id_of('1')}, .repo_tags = {std::string(k_web)}};
  const ReplicaIs containerd{
      .id = '1', .repo_digests = {repo_digest('1')}, .repo_tags = {std::string(k_web)}};
  struct Row {
    const char* what;
    ReplicaIs is;
    ErrorKind answer;
    bool local;
  };
  const Row rows[] = {
      {"classic, built: no such tag", built, ErrorKind::not_found, true},
      {"classic, built: GHCR and Harbor say so of what is not there", built, ErrorKind::denied,
       true},
      {"classic, built: Docker Hub says so", built, ErrorKind::auth, true},
      {"classic, built: no answer", built, ErrorKind::transient, false},
      {"classic, untagged: nobody can tell", untagged, ErrorKind::denied, false},
      {"classic, pulled: no such tag any more", pulled, ErrorKind::not_found, false},
      {"classic, pulled: no permission any more", pulled, ErrorKind::denied, false},
      {"classic, pulled from elsewhere", elsewhere, ErrorKind::denied, false},
      {"containerd: no such tag", containerd, ErrorKind::not_found, true},
      {"containerd: a wrong password must not look like a local build", containerd,
       ErrorKind::denied, false},
      {"podman: no such tag", on_podman({repo_digest('1')}), ErrorKind::not_found, true},
      {"podman: a wrong password must not look like a local build", on_podman({repo_digest('1')}),
       ErrorKind::auth, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const Decision decision =
        decide(watch_of(), {comparison({row.is}, refuses(row.answer))}, {}, {}, {});
    CHECK(to_string(decision.state) ==
          to_string(row.local ? ServiceState::local : ServiceState::unknown));
    CHECK(decision.error.has_value() != row.local);
    if (row.local) {
      CHECK(to_string(decision.reason_code) == "built_here");
    }
    // What a registry had once is no local build, whatever it answers now.
    Memory memory;
    memory.seen.emplace(ref(k_web).str(), Memory::Seen{digest('1')});
    CHECK(decide(watch_of(), {comparison({row.is}, refuses(row.answer))}, {}, memory, {}).state ==
          ServiceState::unknown);
  }
  const Decision mixed =
      decide(watch_of(), {comparison({built, pulled}, refuses(ErrorKind::denied))}, {}, {}, {});
  CHECK(mixed.state == ServiceState::unknown);
}

TEST_CASE("podman writes out names that nobody wrote: only the drop-in's word counts") {
  const auto question = [](const char* watched, std::string_view image, bool podman) {
    Watch watch = watch_of();
    watch.image = watched != nullptr ? std::optional(ref(watched)) : std::nullopt;
    ReplicaIs is{'a', {std::string(image.substr(0, image.rfind(':'))) + "@" + id_of('1')}};
    is.podman = podman;
    return question_for(watch, {ref(image), {replica(image, is)}});
  };
  CHECK(question(nullptr, k_hub_web, true) == Question::no_origin);
  CHECK(question("web:1", k_hub_web, true) == Question::no_origin);
  CHECK(question("docker.io/library/web:1", k_hub_web, true) == Question::ask);
  CHECK(question("web:1", k_hub_web, false) == Question::ask);
  CHECK(question(nullptr, k_web, true) == Question::ask);
  CHECK(question("localhost/web:1", "localhost/web:1", true) == Question::no_origin);
  CHECK(question("localhost/web:1", "localhost/web:1", false) == Question::ask);
  CHECK(question("localhost:5000/web:1", "localhost:5000/web:1", true) == Question::ask);

  Comparison here =
      comparison({on_podman({"localhost/web@" + id_of('1')})}, std::nullopt, "localhost/web:1");
  here.question = Question::no_origin;
  const Decision decision = decide(watch_of(), {here}, {}, {}, {});
  CHECK(to_string(decision.state) == "local");
  CHECK(to_string(decision.reason_code) == "built_here");
  CHECK(decision.reason == "localhost/web:1 was built here: localhost is no registry to Podman");
}

TEST_CASE("stable_checks: a digest counts only after that many ticks in a row saw it") {
  struct Row {
    const char* what;
    int wanted;
    ServiceMemory memory;
    const char* reason;  ///< nullptr: it is deployed
  };
  const Row rows[] = {
      {"by default the first look counts", 1, {}, nullptr},
      {"never seen", 2, {}, "222222222222 was seen in 0 of 2 checks"},
      {"seen once", 2, seen_times('2', 1), "222222222222 was seen in 1 of 2 checks"},
      {"seen twice", 2, seen_times('2', 2), nullptr},
      {"seen more often", 2, seen_times('2', 5), nullptr},
      {"another one was seen", 2, seen_times('3', 5), "222222222222 was seen in 0 of 2 checks"},
      {"the most", 10, seen_times('2', 9), "222222222222 was seen in 9 of 10 checks"},
      {"the most, at last", 10, seen_times('2', 10), nullptr},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const Decision decision =
        decide(patient_watch(row.wanted), {differs()}, {}, of_web(row.memory), {});
    CHECK(to_string(decision.state) == "pending");
    CHECK((decision.action == Decision::Action::deploy) == (row.reason == nullptr));
    if (row.reason != nullptr) {
      CHECK(to_string(decision.reason_code) == "not_yet_stable");
      CHECK(decision.reason == row.reason);
      CHECK(decision.update_available == std::nullopt);
      CHECK_FALSE(decision.error.has_value());
    }
  }
}

TEST_CASE("stable_checks: what else there is to say about a digest") {
  const Watch watch = patient_watch(2);
  const auto code = [&](const Watch& watched, const Comparison& compared, ServiceMemory service) {
    return std::string(
        to_string(decide(watched, {compared}, {}, of_web(std::move(service)), {}).reason_code));
  };
  CHECK(code(watch, comparison({runs_1()}, remote('1')), {}) == "up_to_date");
  CHECK(code(watch, comparison({runs_1()}, remote('2', inside('8', 'a'))), {}) == "same_content");
  CHECK(code(patient_watch(2, Mode::notify), differs(), {}) == "not_yet_stable");
  CHECK(code(patient_watch(2, Mode::notify), differs(), seen_times('2', 2)) == "notify_only");
  ServiceMemory failed;
  failed.quarantined = {{ref(k_web).str(), digest('2'), std::nullopt, "exited"}};
  CHECK(code(watch, differs(), failed) == "failed_here");
  ServiceMemory settled;
  settled.settled.emplace(ref(k_web).str(), digest('2'));
  CHECK(code(watch, differs(), settled) == "changed_by_hand");
}

TEST_CASE("stable_checks: one image that may flip back holds back its siblings") {
  constexpr std::string_view k_worker = "harbor.lan/shop/worker:1";
  const Comparison sibling =
      comparison({{'c', {"harbor.lan/shop/worker@" + id_of('5')}, true, "worker"}},
                 RemoteImage{ref(k_worker), digest('6'), {}, inside('f', 'e')}, k_worker);
  ServiceMemory service = seen_times('2', 2);
  const Decision waits = decide(patient_watch(2), {sibling, differs()}, {}, of_web(service), {});
  CHECK(waits.action == Decision::Action::none);
  CHECK(waits.reason == "666666666666 was seen in 0 of 2 checks");
  for (int i = 0; i < 2; ++i) {
    count_check(service, {ref(k_worker), digest('6')});
  }
  CHECK(decide(patient_watch(2), {sibling, differs()}, {}, of_web(service), {}).action ==
        Decision::Action::deploy);
}

TEST_CASE("count_check: in a row, by reference, and never more than can be asked for") {
  ServiceMemory service = seen_times('2', 3);
  CHECK(checks_of(service, remote('2')) == 3);
  CHECK(checks_of(service, {ref("harbor.lan/shop/web:2"), digest('2')}) == 0);
  count_check(service, {ref("harbor.lan/shop/web:2"), digest('2')});
  CHECK(checks_of(service, remote('2')) == 3);
  count_check(service, remote('3'));
  CHECK(checks_of(service, remote('3')) == 1);
  CHECK(checks_of(service, remote('2')) == 0);
  count_check(service, remote('2'));
  CHECK(checks_of(service, remote('2')) == 1);
  CHECK(checks_of(seen_times('2', 100), remote('2')) == k_most_stable_checks);
}
