#include "tallyman/model/decision.hpp"

#include <doctest/doctest.h>

#include "unit/model/comparisons.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

struct Row {
  const char* what;
  Comparison comparison;
  Memory memory;
  ServiceState state;
  ReasonCode reason_code;
  std::optional<bool> update;
  bool deploys;
};

Memory equivalent(char d, char id) {
  Memory memory;
  memory.equivalent.emplace(digest(d), digest(id).str());
  return memory;
}

Memory settled(char d) {
  Memory memory;
  memory.services["web"].settled.emplace(ref(k_web).str(), digest(d));
  return memory;
}

Memory seen(char d) {
  Memory memory;
  memory.seen.emplace(ref(k_web).str(), Memory::Seen{digest(d)});
  return memory;
}

Result<RemoteImage> no_such_tag() {
  return fail(ErrorKind::not_found, "no such tag");
}

}  // namespace

TEST_CASE("decide: every row of the identity rule, for one reference") {
  const ReplicaIs classic_1{'a', {repo_digest('1')}};     // image id is a config digest
  const ReplicaIs containerd_1{'1', {repo_digest('1')}};  // image id is the digest
  const ReplicaIs containerd_untagged{'1', {}};           // its tag has moved on
  const ReplicaIs built{'a', {}};
  const std::vector<Row> rows = {
      {"classic: the digest is among the RepoDigests",
       comparison({classic_1}, remote('1')),
       {},
       ServiceState::current,
       ReasonCode::up_to_date,
       false,
       false},
      {"classic: among several, of which others are of other repositories",
       comparison({{'a', {"other.lan/x@" + digest('2').str(), repo_digest('3'), repo_digest('1')}}},
                  remote('1')),
       {},
       ServiceState::current,
       ReasonCode::up_to_date,
       false,
       false},
      {"the digest of another repository does not count",
       comparison({{'a', {"other.lan/x@" + digest('1').str()}}}, remote('1', inside('5', '6'))),
       {},
       ServiceState::pending,
       ReasonCode::update_available,
       true,
       true},
      {"containerd: the digest is the image id",
       comparison({containerd_1}, remote('1')),
       {},
       ServiceState::current,
       ReasonCode::up_to_date,
       false,
       false},
      {"containerd: untagged, the image id still tells",
       comparison({containerd_untagged}, remote('1')),
       {},
       ServiceState::current,
       ReasonCode::up_to_date,
       false,
       false},
      {"index moved, the platform's manifest is one of its own",
       comparison({classic_1}, remote('2', inside('1', '9'))),
       {},
       ServiceState::current,
       ReasonCode::same_content,
       false,
       false},
      {"index moved, the platform's config is the image id",
       comparison({classic_1}, remote('2', inside('8', 'a'))),
       {},
       ServiceState::current,
       ReasonCode::same_content,
       false,
       false},
      {"index moved, and memory knows that the two are equivalent",
       comparison({classic_1}, remote('2')), equivalent('2', 'a'), ServiceState::current,
       ReasonCode::same_content, false, false},
      {"an equivalence of another image is none",
       comparison({classic_1}, remote('2', inside('8', '9'))), equivalent('2', 'b'),
       ServiceState::pending, ReasonCode::update_available, true, true},
      {"differs",
       comparison({classic_1}, remote('2', inside('8', '9'))),
       {},
       ServiceState::pending,
       ReasonCode::update_available,
       true,
       true},
      {"one of two replicas differs",
       comparison({classic_1, {'b', {repo_digest('4')}}}, remote('1', inside('8', '9'))),
       {},
       ServiceState::pending,
       ReasonCode::update_available,
       true,
       true},
      {"built here, later pushed by others: differs",
       comparison({built}, remote('1', inside('8', '9'))),
       {},
       ServiceState::pending,
       ReasonCode::update_available,
       true,
       true},
      {"built here and loaded elsewhere: the config tells that it is the same",
       comparison({built}, remote('1', inside('8', 'a'))),
       {},
       ServiceState::current,
       ReasonCode::same_content,
       false,
       false},
      {"built here, the registry has no such tag",
       comparison({built}, no_such_tag()),
       {},
       ServiceState::local,
       ReasonCode::built_here,
       false,
       false},
      {"once pulled, the tag is gone",
       comparison({classic_1}, no_such_tag()),
       {},
       ServiceState::unknown,
       ReasonCode::registry_error,
       std::nullopt,
       false},
      {"containerd: seen in the registry before, the tag is gone",
       comparison({containerd_1}, no_such_tag()), seen('1'), ServiceState::unknown,
       ReasonCode::registry_error, std::nullopt, false},
      {"the registry does not answer",
       comparison({classic_1}, fail(ErrorKind::transient, "refused")),
       {},
       ServiceState::unknown,
       ReasonCode::registry_error,
       std::nullopt,
       false},
      {"not looked into",
       comparison({classic_1}, remote('2')),
       {},
       ServiceState::unknown,
       ReasonCode::registry_error,
       std::nullopt,
       false},
      {"not managed by compose",
       comparison({{'a', {repo_digest('1')}, false}}, remote('2', inside('8', '9'))),
       {},
       ServiceState::pending,
       ReasonCode::unmanaged,
       true,
       false},
      {"compose runs one, a stray docker run the other: the first is deployed",
       comparison({classic_1, {'a', {repo_digest('1')}, false}}, remote('2', inside('8', '9'))),
       {},
       ServiceState::pending,
       ReasonCode::update_available,
       true,
       true},
      {"changed by hand while the tag stood",
       comparison({classic_1}, remote('2', inside('8', '9'))), settled('2'), ServiceState::pending,
       ReasonCode::changed_by_hand, true, false},
      {"changed by hand, then the tag moved",
       comparison({classic_1}, remote('3', inside('8', '9'))), settled('2'), ServiceState::pending,
       ReasonCode::update_available, true, true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const Decision decision = decide(watch_of(), {row.comparison}, {}, row.memory, {});
    CHECK(to_string(decision.state) == to_string(row.state));
    CHECK(to_string(decision.reason_code) == to_string(row.reason_code));
    CHECK(decision.update_available == row.update);
    CHECK((decision.action == Decision::Action::deploy) == row.deploys);
    CHECK(decision.images.at(0).deploy == row.deploys);
    CHECK(decision.error.has_value() == (row.state == ServiceState::unknown));
  }
}

TEST_CASE("decide: mode notify reports and does not deploy") {
  const Decision decision =
      decide(watch_of(Mode::notify),
             {comparison({{'a', {repo_digest('1')}}}, remote('2', inside('8', '9')))}, {}, {}, {});
  CHECK(decision.state == ServiceState::pending);
  CHECK(decision.reason_code == ReasonCode::notify_only);
  CHECK(decision.update_available == true);
  CHECK(decision.action == Decision::Action::none);
}

TEST_CASE(
    "decide: an index without this platform is pending, any other trouble with it is unknown") {
  Comparison missing = comparison({{'a', {repo_digest('1')}}}, remote('2'));
  missing.platform_error = Error{ErrorKind::not_found, "no linux/arm64"};
  Decision decision = decide(watch_of(), {missing}, {}, {}, {});
  CHECK(decision.state == ServiceState::pending);
  CHECK(decision.reason_code == ReasonCode::no_platform);
  CHECK(decision.action == Decision::Action::none);

  missing.platform_error = Error{ErrorKind::transient, "cut"};
  decision = decide(watch_of(), {missing}, {}, {}, {});
  CHECK(decision.state == ServiceState::unknown);
  CHECK(decision.error->kind == ErrorKind::transient);
}

TEST_CASE("decide: pinned and nameless references are never asked for") {
  const std::string pinned = std::string(k_web) + "@" + digest('1').str();
  WatchedImage image{test::ref(pinned), {replica(pinned, {'a', {repo_digest('1')}})}};
  CHECK(question_for(watch_of(), image) == Question::pinned);
  Comparison by_digest{.running = image, .question = Question::pinned};
  CHECK(decide(watch_of(), {by_digest}, {}, {}, {}).state == ServiceState::pinned);

  Watch watch{.name = "app", .file = "app.toml", .image = ref("myapp:latest")};
  WatchedImage nameless{ref("myapp:latest"), {replica("myapp:latest", {'a', {}})}};
  CHECK(question_for(watch, nameless) == Question::no_origin);
  Comparison without{.running = nameless, .question = Question::no_origin};
  const Decision decision = decide(watch, {without}, {}, {}, {});
  CHECK(decision.state == ServiceState::local);
  CHECK(decision.reason_code == ReasonCode::no_origin);
  CHECK(decision.reason.find("docker.io/library/myapp:latest") != std::string::npos);
}

TEST_CASE("question_for: what shows that a nameless image came from Docker Hub") {
  const Watch by_service{.name = "app", .file = "app.toml", .image = std::nullopt};
  const auto question = [&](const Watch& watch, const ReplicaIs& is) {
    return question_for(watch, {ref("nginx:1"), {replica("nginx:1", is)}});
  };
  CHECK(question(by_service, {'a', {"nginx@" + digest('1').str()}}) == Question::ask);
  CHECK(question(by_service, {'a', {}}) == Question::no_origin);
  // The containerd store lists every named image under its own digest, also one that was built
  // here.
  CHECK(question(by_service, {'1', {"nginx@" + digest('1').str()}}) == Question::no_origin);
  const Watch explicitly{
      .name = "app", .file = "app.toml", .image = ref("docker.io/library/nginx:1")};
  CHECK(question(explicitly, {'a', {}}) == Question::ask);
}

TEST_CASE("decide: a drop-in changes together or not at all") {
  const Comparison differs = comparison({{'a', {repo_digest('1')}}}, remote('2', inside('8', '9')));
  const Comparison same = comparison({{'a', {repo_digest('1')}}}, remote('1'));
  const Comparison unknown =
      comparison({{'a', {repo_digest('1')}}}, fail(ErrorKind::transient, "refused"));

  SUBCASE("one differs, one is current: the one is deployed") {
    const Decision decision = decide(watch_of(), {differs, same}, {}, {}, {});
    CHECK(decision.action == Decision::Action::deploy);
    CHECK(decision.images[0].deploy);
    CHECK_FALSE(decision.images[1].deploy);
  }
  SUBCASE("one differs, one is unknown: none is deployed") {
    const Decision decision = decide(watch_of(), {differs, unknown}, {}, {}, {});
    CHECK(decision.action == Decision::Action::none);
    CHECK(decision.state == ServiceState::unknown);
    CHECK(decision.update_available == true);
  }
  SUBCASE("one differs, one has nothing for this platform: none is deployed") {
    Comparison missing = comparison({{'a', {repo_digest('1')}}}, remote('3'));
    missing.platform_error = Error{ErrorKind::not_found, "no linux/arm64"};
    const Decision decision = decide(watch_of(), {differs, missing}, {}, {}, {});
    CHECK(decision.action == Decision::Action::none);
  }
}

TEST_CASE("decide: what does not run is absent, and is named") {
  const Decision nothing = decide(watch_of(), {}, {}, {}, {});
  CHECK(nothing.state == ServiceState::absent);
  CHECK(nothing.reason.find(k_web) != std::string::npos);
  CHECK(nothing.update_available == std::nullopt);

  Watch watch = watch_of();
  watch.image.reset();
  watch.compose.services = {"web", "worker"};
  const Decision one = decide(
      watch, {comparison({{'a', {repo_digest('1')}, true, "web"}}, remote('1'))}, {}, {}, {});
  CHECK(one.state == ServiceState::absent);
  CHECK(one.reason == "worker is not running");

  const Decision deploys = decide(
      watch, {comparison({{'a', {repo_digest('1')}, true, "web"}}, remote('2', inside('8', '9')))},
      {}, {}, {});
  CHECK(deploys.action == Decision::Action::deploy);
}

TEST_CASE("decide: a container that was created by id is unmanaged") {
  Watch watch = watch_of();
  watch.image.reset();
  watch.compose.services = {"*"};
  const Decision decision = decide(watch, {}, {replica("sha256:abc", {'a', {}}).container}, {}, {});
  CHECK(decision.state == ServiceState::pending);
  CHECK(decision.reason_code == ReasonCode::unmanaged);
  CHECK(decision.action == Decision::Action::none);
}

TEST_CASE("decide: what a script manages is deployed, whoever started it") {
  Watch watch{.name = "web", .file = {}, .image = ref(k_web)};
  const std::vector<Comparison> stray = {
      comparison({{'a', {repo_digest('1')}, false}}, remote('2', inside('8', '9')))};
  CHECK(decide(watch, stray, {}, {}, {}).reason_code == ReasonCode::unmanaged);
  watch.redeploy.command = {"./start.sh"};
  const Decision decision = decide(watch, stray, {}, {}, {});
  CHECK(decision.action == Decision::Action::deploy);
  CHECK(decision.reason_code == ReasonCode::update_available);
}

TEST_CASE("match: a config digest never passes for a manifest digest by accident") {
  // The id counts as one of its own, but only the platform's config is compared with it.
  const Replica classic = replica(k_web, {'a', {repo_digest('1')}});
  CHECK(match(remote('2', inside('8', '9')), classic, {}) == Match::differs);
  CHECK(match(remote('2'), classic, {}) == Match::unclear);
  CHECK_FALSE(id_is_manifest_digest(classic));
  CHECK(id_is_manifest_digest(replica(k_web, {'1', {repo_digest('1')}})));
  CHECK(id_is_manifest_digest(replica(k_web, {'1', {}})));
}

TEST_CASE("the states are listed worst first, and every word reads back") {
  for (std::size_t i = 0; i < std::size(k_all_states); ++i) {
    CHECK(static_cast<std::size_t>(k_all_states[i]) == i);
    CHECK(parse_service_state(to_string(k_all_states[i])) == k_all_states[i]);
  }
  for (int code = 0; code <= static_cast<int>(ReasonCode::state_error); ++code) {
    const auto value = static_cast<ReasonCode>(code);
    CHECK_FALSE(to_string(value).empty());
    CHECK(parse_reason_code(to_string(value)) == value);
  }
  CHECK(parse_service_state("fine") == std::nullopt);
  CHECK(parse_reason_code("") == std::nullopt);
}
