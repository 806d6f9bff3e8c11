#include <doctest/doctest.h>

#include "unit/deploy/yard.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

constexpr std::int64_t k_huge = std::int64_t{1} << 59;

/// A deployment that was refused before it began.
Error refusal(Yard& yard, ReasonCode code) {
  const Outcome outcome = yard.deploy();
  check(outcome, ServiceState::pending, code);
  CHECK_FALSE(outcome.journal.has_value());
  CHECK(yard.asked("tag").empty());
  CHECK(yard.asked("pull").empty());
  CHECK(yard.journals().empty());
  return outcome.error.value_or(Error{});
}

void passes(Yard& yard) {
  check(yard.deploy(), ServiceState::updated, ReasonCode::deployed);
}

}  // namespace

TEST_CASE("an image that is too big for the disk is not pulled") {
  Yard yard;
  yard.engine.engine_info.data_root = yard.folder.path();
  yard.plan.images[0].layers = {{digest('4'), k_huge}, {digest('5'), 1}};
  const Error error = refusal(yard, ReasonCode::no_space);
  CHECK(error.kind == ErrorKind::io);
  CHECK(error.message.starts_with("the new image may need 2305843009213.7 MB on " +
                                  yard.folder.path() + ", "));
  CHECK(error.message.ends_with(" MB are free"));
  CHECK(contains(error.remedy, "docker system prune"));
}

TEST_CASE("sizes that add up to more than fits a number are too big as well") {
  Yard yard;
  yard.engine.engine_info.data_root = yard.folder.path();
  yard.plan.images[0].layers = {{digest('4'), std::int64_t{1} << 62}};
  (void)refusal(yard, ReasonCode::no_space);
}

TEST_CASE("layers of the image that runs are there already") {
  Yard yard;
  yard.engine.engine_info.data_root = yard.folder.path();
  yard.registry.insides.insert_or_assign(
      digest('1'), PlatformImage{digest('7'), digest('a'), {{digest('4'), k_huge}}});
  yard.plan.images[0].layers = {{digest('4'), k_huge}, {digest('5'), 1}};
  passes(yard);
  CHECK(yard.asked("look into") == Calls{"look into harbor.lan/shop/web@#1 for linux/amd64"});
}

TEST_CASE("layers that nobody knows, or a disk that nobody sees, stop nothing") {
  Yard unknown;
  unknown.engine.engine_info.data_root = unknown.folder.path();
  passes(unknown);
  CHECK(unknown.asked("look into").empty());

  Yard unseen;  // the engine is in another mount namespace
  unseen.engine.engine_info.data_root = "/no/such/folder";
  unseen.plan.images[0].layers = {{digest('4'), k_huge}};
  passes(unseen);
}

TEST_CASE("a follower must run what its tag means here") {
  Yard good;
  good.with_follower();
  passes(good);
  CHECK(good.engine.containers.at(1).id == "id-of-shop-vpn-1+");
  CHECK(good.engine.containers.at(1).network_mode == "container:id-of-shop-web-1+");

  Yard moved;
  moved.with_follower();
  moved.engine.add_image("vpn:3", 'f', "8");
  const Error error = refusal(moved, ReasonCode::preflight_failed);
  CHECK(error.kind == ErrorKind::config);
  CHECK(error.message ==
        "shop-vpn-1 shares the network of what is to be recreated, and must be recreated too, but "
        "vpn:3 means another image here than it runs");
  CHECK(error.remedy == "run compose up for service vpn once by hand, or watch it as well");

  Yard gone;
  gone.with_follower();
  gone.engine.tags.erase(ref("vpn:3"));
  (void)refusal(gone, ReasonCode::preflight_failed);
}

TEST_CASE("a follower of an image that is deployed along with it is no trouble") {
  Yard yard;
  yard.with_follower();
  yard.offers("vpn:3", '9', 'e', '8', 'f');
  yard.engine.add_image("vpn:3", 'd', "7");
  const Outcome outcome = yard.deploy();
  CHECK(outcome.journal.has_value());
}

TEST_CASE("an engine that cannot be asked is left alone") {
  Yard yard;
  yard.with_follower();
  yard.engine.fails("inspect docker.io/library/vpn", {ErrorKind::transient, "cut"});
  (void)refusal(yard, ReasonCode::preflight_failed);
}

TEST_CASE("podman: what others share the network of is not recreated half way") {
  Yard yard;
  yard.with_follower();
  yard.plan.projects[0].compose.directory = "/srv/shop";
  yard.engine.engine_info.podman = true;
  const Error error = refusal(yard, ReasonCode::preflight_failed);
  CHECK(
      error.message ==
      "shop-vpn-1 shares the network of what is to be recreated, and compose cannot recreate that "
      "on Podman");
  CHECK(error.remedy == "in /srv/shop: docker compose down, then up -d");

  Yard alone;
  alone.engine.engine_info.podman = true;
  passes(alone);
}
