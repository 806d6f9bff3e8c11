#include <doctest/doctest.h>

#include "unit/deploy/yard.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

const Error k_cut{ErrorKind::transient, "cut"};

bool any_starts_with(const Calls& calls, std::string_view word) {
  return std::ranges::any_of(calls,
                             [&](const std::string& call) { return call.starts_with(word); });
}

/// What ran before still runs.
void check_untouched(const Yard& yard) {
  CHECK(yard.target.recreated.empty());
  CHECK(yard.engine.containers.at(0).image_id == id_of('a'));
  CHECK(yard.engine.containers.at(0).id == "id-of-shop-web-1");
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
  CHECK(yard.asked() == Calls{"prepare shop"});
}

TEST_CASE("a password that cannot be read is no reason to pull as nobody") {
  Yard yard;
  yard.registry.who = std::unexpected(Error{ErrorKind::auth, "cannot read /etc/x"});
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::pending, ReasonCode::pull_failed);
  CHECK(outcome.error->message == "cannot read /etc/x");
  CHECK(yard.asked().back() == "credential harbor.lan/shop/web:1");
  check_untouched(yard);
}

TEST_CASE("a pull that fails names the image by digest and leaves the tag alone") {
  Yard yard;
  yard.engine.fails("pull", k_cut);
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::pending, ReasonCode::pull_failed);
  CHECK(outcome.error->kind == ErrorKind::transient);
  CHECK(shortened(outcome.error->message) == "pull of harbor.lan/shop/web@#2: cut");
  CHECK(yard.asked().back() == "pull harbor.lan/shop/web@#2 for linux/amd64");
  CHECK(yard.engine.tags.at(ref(k_web)) == id_of('a'));
  CHECK(yard.steps.empty());
  check_untouched(yard);
}

TEST_CASE("a second image that cannot be pulled leaves the tag of the first alone") {
  Yard yard;
  yard.offers(k_api, '5', 'c', '6', 'd');
  yard.runs("shop", "api", k_api, 'c');
  yard.engine.fails("pull harbor.lan/shop/api", k_cut);
  check(yard.deploy(), ServiceState::pending, ReasonCode::pull_failed);
  CHECK_FALSE(any_starts_with(yard.calls, "tag"));
  CHECK(yard.engine.tags.at(ref(k_web)) == id_of('a'));
  check_untouched(yard);
}

TEST_CASE("a pulled image that cannot be inspected, or is another one, is not deployed") {
  Yard blind;
  blind.engine.fails("inspect", k_cut);
  const Outcome unseen = blind.deploy();
  check(unseen, ServiceState::pending, ReasonCode::pull_failed);
  CHECK(unseen.error->message == "cut");
  CHECK_FALSE(any_starts_with(blind.calls, "tag"));
  check_untouched(blind);

  Yard wrong;
  wrong.engine.tags.insert_or_assign(ref(k_web).at(digest('2')), id_of('a'));
  const Outcome other = wrong.deploy();
  check(other, ServiceState::pending, ReasonCode::pull_failed);
  CHECK(other.error->kind == ErrorKind::protocol);
  CHECK(shortened(other.error->message) ==
        "the engine pulled harbor.lan/shop/web@#2 and shows another digest for it");
  CHECK_FALSE(any_starts_with(wrong.calls, "tag"));
  check_untouched(wrong);
}

TEST_CASE("a tag that cannot be moved touches no container") {
  Yard yard;
  yard.engine.fails("tag", k_cut);
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::pending, ReasonCode::pull_failed);
  CHECK(outcome.error->message == "cut");
  CHECK(yard.asked().back() == "tag #b as harbor.lan/shop/web:1");
  check_untouched(yard);
}

TEST_CASE("an image that is pruned twice, or cannot be pulled again, is given up") {
  Yard twice;
  twice.engine.fails("tag", {ErrorKind::not_found, "no such image"});
  const Outcome outcome = twice.deploy();
  check(outcome, ServiceState::pending, ReasonCode::pull_failed);
  CHECK(outcome.error->kind == ErrorKind::not_found);
  CHECK(std::ranges::count_if(
            twice.calls, [](const std::string& call) { return call.starts_with("pull"); }) == 2);
  check_untouched(twice);

  Yard gone;
  gone.engine.fails("tag", {ErrorKind::not_found, "no such image"});
  gone.engine.on_call = [&](std::string_view call) {
    if (call.starts_with("tag")) {
      gone.engine.fails("pull", k_cut);
    }
  };
  const Outcome no_pull = gone.deploy();
  check(no_pull, ServiceState::pending, ReasonCode::pull_failed);
  CHECK(no_pull.error->kind == ErrorKind::transient);
  check_untouched(gone);
}

TEST_CASE("a tag that somebody moves before the recreation stops it") {
  Yard yard;
  yard.engine.add_image("harbor.lan/shop/web:other", 'c', "3");
  yard.engine.on_call = [&](std::string_view call) {
    if (call == "inspect harbor.lan/shop/web:1") {
      yard.engine.tags.insert_or_assign(ref(k_web), id_of('c'));
    }
  };
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::pending, ReasonCode::pull_failed);
  CHECK(outcome.error->kind == ErrorKind::transient);
  CHECK(outcome.error->message ==
        "somebody moved the local tag harbor.lan/shop/web:1 away from 222222222222 while it was "
        "being deployed");
  CHECK(yard.asked().back() == "inspect harbor.lan/shop/web:1");
  check_untouched(yard);
}

TEST_CASE("a tag that is moved between two projects is a failure, and the second is left alone") {
  Yard yard;
  yard.runs("blog", "site", k_web, 'a');
  yard.target.on_recreate = [&](const PreparedProject& project) -> Result<void> {
    yard.engine.recreate(project.plan);
    yard.engine.tags.insert_or_assign(ref(k_web), id_of('a'));
    return {};
  };
  check(yard.deploy(), ServiceState::failed, ReasonCode::recreate_failed);
  CHECK(yard.target.recreated.size() == 1);
  CHECK(yard.engine.containers.at(1).image_id == id_of('a'));
}

TEST_CASE("a recreation that fails is a failure, and the next project is left alone") {
  Yard yard;
  yard.runs("blog", "site", k_web, 'a');
  yard.target.on_recreate = [](const PreparedProject&) -> Result<void> {
    return fail(ErrorKind::process, "compose up of project shop: exit status 1");
  };
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::failed, ReasonCode::recreate_failed);
  CHECK(outcome.error->message == "compose up of project shop: exit status 1");
  CHECK(yard.asked().back() == "recreate shop");
  CHECK(yard.steps.size() == 1);
}

TEST_CASE("a host that cannot be read back is not known to be good") {
  Yard yard;
  yard.target.on_recreate = [&](const PreparedProject&) -> Result<void> {
    yard.engine.fails("observe", k_cut);
    return {};
  };
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::failed, ReasonCode::engine_error);
  CHECK(outcome.error->message == "reading back what runs: cut");
}

TEST_CASE("what was stopped during the pull is not started again") {
  Yard yard;
  yard.engine.on_observe = [](Host host) -> Result<Host> {
    host.containers.at(0).status = ContainerStatus::exited;
    return host;
  };
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::pending, ReasonCode::preflight_failed);
  CHECK(outcome.error->message ==
        "the containers of service web changed during the pull; they are left alone");
  CHECK(yard.asked().back() == "observe");
}

TEST_CASE("a recreation that reports success and did nothing is a failure") {
  Yard yard;
  yard.target.on_recreate = [](const PreparedProject&) -> Result<void> { return {}; };
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::failed, ReasonCode::not_recreated);
  CHECK(outcome.error->message == "compose reported success, but left shop-web-1 as it was");
}

TEST_CASE("a recreation that brings up something else is a failure") {
  Yard yard;
  yard.target.on_recreate = [&](const PreparedProject& project) -> Result<void> {
    yard.engine.recreate(project.plan);
    yard.engine.containers.at(0).image_id = id_of('c');
    return {};
  };
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::failed, ReasonCode::wrong_result);
  CHECK(shortened(outcome.error->message) ==
        "shop-web-1 runs image #c and not #b, which was deployed");
}
