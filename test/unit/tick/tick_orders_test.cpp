#include <doctest/doctest.h>

#include "unit/tick/ticking.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

struct Ordering : Ticking {
  TickResult order(Order what) {
    clock.advance(std::chrono::minutes(1));
    calls.clear();
    what.service = what.service.empty() ? "web" : what.service;
    what.by = "anna";
    Tick tick(config, registry, engine, deployer, state, clock, log);
    return tick.run({.trigger = "manual",
                     .version = "0.1.0",
                     .host_name = "deploy-01",
                     .status_file = status_file(),
                     .order = what},
                    lock(), observer);
  }
  TickResult deploy(const std::string& to = "") { return order({.to = to}); }
  TickResult rollback(const std::string& to = "") {
    return order({.kind = Order::Kind::rollback, .to = to});
  }
  /// Pushes and deploys digest #2 (image #b), then #3 (image #d).
  void with_history() {
    pushes_web();
    check_state(next(), ServiceState::updated, ReasonCode::deployed);
    pushes(k_web, '3', '8', 'd');
    check_state(next(), ServiceState::updated, ReasonCode::deployed);
  }
  [[nodiscard]] std::string image() const { return engine.containers.at(0).image_id; }
  [[nodiscard]] std::optional<Hold> held(const ServiceName& name = "web") const {
    const auto holds = value_of(state.holds().load());
    const auto found = holds.find(name);
    return found == holds.end() ? std::nullopt : std::optional(value_of(found->second));
  }
  void hold(const ServiceName& name) {
    REQUIRE(
        state.holds().put(name, {.reason = "exams", .by = "bert", .at = clock.now()}).has_value());
  }
};

void check_deployed(const TickResult& result) {
  CHECK_MESSAGE(!result.refusal, (result.refusal ? result.refusal->message : ""));
  REQUIRE(result.outcome.has_value());
  CHECK((result.outcome->state == ServiceState::updated));
}
void check_refused(const TickResult& result, const char* text) {
  REQUIRE(result.refusal.has_value());
  CHECK_MESSAGE(contains(result.refusal->message, text), result.refusal->message);
  CHECK_FALSE(result.outcome.has_value());
}

}  // namespace

TEST_CASE("deploy: what only notifies is deployed, and the record says by whom") {
  Ordering world;
  world.config.watches.at(0).mode = Mode::notify;
  world.pushes_web();
  const TickResult result = world.deploy();
  check_deployed(result);
  CHECK(world.image() == id_of('b'));
  check_state(Ticking::service(result, "web"), ServiceState::updated, ReasonCode::deployed);
  CHECK_FALSE(world.held().has_value());
  const auto past = value_of(world.state.past_deployments("web"));
  REQUIRE(past.size() == 1);
  CHECK(past[0].trigger == "deploy");
  CHECK(past[0].by == "anna");
  REQUIRE(result.before.has_value());
  CHECK(result.before->images.at(0).running_digest == id_of('1'));
}

TEST_CASE("the records of other ticks say what began them") {
  Ordering world;
  world.pushes_web();
  (void)world.next();
  CHECK(value_of(world.state.past_deployments("web")).at(0).trigger == "timer");
  CHECK(value_of(world.state.past_deployments("web")).at(0).by == "");
}

TEST_CASE("deploy: what runs already is left alone") {
  Ordering world;
  const TickResult result = world.deploy();
  CHECK_FALSE(result.refusal.has_value());
  CHECK_FALSE(result.outcome.has_value());
  CHECK(world.asked("recreate").empty());
  check_state(Ticking::service(result, "web"), ServiceState::current, ReasonCode::up_to_date);
}

TEST_CASE("deploy --recreate: what runs already is recreated, whatever compose thinks of it") {
  Ordering world;
  const TickResult result = world.order({.recreate = true});
  check_deployed(result);
  CHECK(world.asked("recreate") == Calls{"recreate shop"});
  CHECK(world.target.recreated.at(0).forced);
  check_state(Ticking::service(result, "web"), ServiceState::updated, ReasonCode::deployed);
}

TEST_CASE("deploy: what was changed by hand is deployed") {
  Ordering world;
  world.with_history();
  world.engine.containers.at(0).image_id = id_of('a');
  check_state(world.next(), ServiceState::pending, ReasonCode::changed_by_hand);
  check_deployed(world.deploy());
  CHECK(world.image() == id_of('d'));
}

TEST_CASE("deploy: a quarantined digest needs more than that") {
  Ordering world;
  world.pushes_web();
  world.is_bad('b');
  (void)world.run();
  const TickResult refused = world.deploy();
  check_refused(refused, "quarantined: 222222222222: shop-web-1 exited with status 7");
  CHECK(contains(refused.refusal->remedy, "--retry-quarantined"));
  CHECK(world.asked("pull").empty());

  const TickResult again = world.order({.retry_quarantined = true});
  CHECK_FALSE(again.refusal.has_value());
  REQUIRE(again.outcome.has_value());
  CHECK((again.outcome->state == ServiceState::rolled_back));
  CHECK(world.remembered("web").quarantined.size() == 1);

  world.engine.on_inspect = {};
  world.engine.can_pull(k_web, '2', 'b');
  check_deployed(world.order({.retry_quarantined = true}));
  CHECK(world.image() == id_of('b'));
  CHECK(world.remembered("web").quarantined.empty());
}

TEST_CASE("deploy: a hold is in its way, and the refusal says whose, since when and why") {
  Ordering world;
  world.pushes_web();
  world.hold("web");
  for (const TickResult& result : {world.deploy(), world.deploy("1"), world.rollback()}) {
    check_refused(result, "web is held by bert since 2026-11-22T19:45:14Z: exams");
    CHECK(contains(result.refusal->remedy, "tallyman release web"));
    check_state(Ticking::service(result, "web"), ServiceState::held, ReasonCode::held);
  }
  CHECK(world.image() == id_of('a'));
}

TEST_CASE("deploy: the hold of a drop-in that shares the image is in its way, too") {
  Ordering world;
  world.config.watches.at(0).compose.project = "shop";
  world.watches("blog", k_web).compose.project = "blog";
  world.runs("blog", "site");
  world.pushes_web();
  world.hold("blog");
  check_refused(world.deploy(), "blog is held by bert");
  REQUIRE(value_of(world.state.holds().remove("blog")).has_value());
  // They share the local tag, so they go together.
  const TickResult result = world.deploy();
  check_deployed(result);
  for (const Container& container : world.engine.containers) {
    CHECK(container.image_id == id_of('b'));
  }
  CHECK(result.services.size() == 2);
}

TEST_CASE("deploy: no such image, registry or container is a refusal") {
  Ordering world;
  world.registry.fails(k_web, {ErrorKind::transient, "harbor.lan: connection refused"});
  check_refused(world.deploy(), "connection refused");
  world.registry.has(k_web, '1');
  check_refused(world.deploy("v9"), "manifest unknown");
  check_refused(world.deploy(id_of('9')), "no such digest");
  check_refused(world.deploy("not a tag"), "neither a digest nor a tag");
  check_refused(world.deploy("a/b:c"), "neither a digest nor a tag");
  world.engine.containers.clear();
  check_refused(world.deploy(), "nothing to deploy");
  check_refused(world.rollback(), "nothing to deploy");
}

TEST_CASE("deploy --to: that image, and then a hold that says so") {
  Ordering world;
  world.with_history();
  world.registry.has("harbor.lan/shop/web:v2", '2');
  const TickResult result = world.deploy("v2");
  check_deployed(result);
  CHECK(world.image() == id_of('b'));
  CHECK(world.engine.tags.at(ref(k_web)) == id_of('b'));
  const ServiceStatus web = Ticking::service(result, "web");
  check_state(web, ServiceState::held, ReasonCode::held);
  CHECK(web.images.at(0).remote_digest == id_of('3'));
  CHECK(web.images.at(0).running_digest == id_of('2'));
  REQUIRE(world.held().has_value());
  CHECK(world.held()->who() == "anna (deploy --to)");
  CHECK(world.held()->reason == "deployed 22222222");

  check_state(world.next(), ServiceState::held, ReasonCode::held);
  CHECK(world.image() == id_of('b'));
  REQUIRE(value_of(world.state.holds().remove("web")).has_value());
  check_state(world.next(), ServiceState::updated, ReasonCode::deployed);
  CHECK(world.image() == id_of('d'));
}

TEST_CASE("deploy --to what runs already only holds it") {
  Ordering world;
  const TickResult result = world.deploy(id_of('1'));
  CHECK_FALSE(result.refusal.has_value());
  CHECK_FALSE(result.outcome.has_value());
  CHECK(world.held().has_value());
}

TEST_CASE("deploy --to: an image that fails is rolled back, and nothing is held") {
  Ordering world;
  world.pushes_web();
  world.registry.has(k_web, '1');
  world.is_bad('b');
  const TickResult result = world.deploy(id_of('2'));
  REQUIRE(result.outcome.has_value());
  CHECK((result.outcome->state == ServiceState::rolled_back));
  CHECK(world.image() == id_of('a'));
  CHECK_FALSE(world.held().has_value());
}

TEST_CASE("deploy --to: of several images nobody knows which one is meant") {
  Ordering world;
  world.engine.add_image("harbor.lan/shop/queue:1", 'c', "5");
  world.registry.has("harbor.lan/shop/queue:1", '5');
  world.runs("shop", "queue", "harbor.lan/shop/queue:1", 'c');
  Watch& web = world.config.watches.at(0);
  web.image.reset();
  web.compose.project = "shop";
  web.compose.services = {"*"};
  const TickResult result = world.deploy("v2");
  check_refused(result, "harbor.lan/shop/queue:1, harbor.lan/shop/web:1");
  CHECK(contains(result.refusal->remedy, "drop-in of its own"));
}

TEST_CASE("rollback: to what ran before, from this host, with the registry gone") {
  Ordering world;
  world.with_history();
  const Error gone{ErrorKind::transient, "harbor.lan: connection refused"};
  world.registry.fails(k_web, gone);
  world.registry.cannot_look_into('2', gone);
  world.engine.fails("pull", gone);
  const TickResult result = world.rollback();
  check_deployed(result);
  CHECK(world.image() == id_of('b'));
  CHECK(world.asked("pull").empty());
  REQUIRE(world.held().has_value());
  CHECK(world.held()->str() ==
        "held by anna (rollback) since 2026-11-22T19:56:16Z: rolled back to 22222222");
  const auto past = value_of(world.state.past_deployments("web"));
  CHECK(past.at(0).trigger == "rollback");
}

TEST_CASE("rollback again and again goes further back, and says when there is nothing left") {
  Ordering world;
  world.with_history();
  check_deployed(world.rollback());
  CHECK(world.image() == id_of('b'));
  check_deployed(world.rollback());
  CHECK(world.image() == id_of('a'));
  const TickResult last = world.rollback();
  check_refused(last, "nothing to roll back to");
  CHECK(world.image() == id_of('a'));
}

TEST_CASE("rollback: after a release the way back begins anew") {
  Ordering world;
  world.with_history();
  check_deployed(world.rollback());
  REQUIRE(value_of(world.state.holds().remove("web")).has_value());
  check_state(world.next(), ServiceState::updated, ReasonCode::deployed);
  CHECK(world.image() == id_of('d'));
  check_deployed(world.rollback());
  CHECK(world.image() == id_of('b'));
}

TEST_CASE("rollback: a deployment that was rolled back by itself is no station") {
  Ordering world;
  world.with_history();
  world.pushes(k_web, '4', '9', 'e');
  world.is_bad('e');
  check_state(world.next(), ServiceState::rolled_back, ReasonCode::unhealthy);
  check_deployed(world.rollback());
  CHECK(world.image() == id_of('b'));
  // The registry still offers the bad one.
  CHECK(world.remembered("web").quarantined.size() == 1);
}

TEST_CASE("rollback --to N: the image of the N-th last deployment") {
  Ordering world;
  world.with_history();
  check_deployed(world.rollback("2"));
  CHECK(world.image() == id_of('b'));
  for (const char* number : {"0", "4", "9999"}) {
    check_refused(world.rollback(number), "nothing to roll back to");
  }
}

TEST_CASE("rollback --to N: what was rolled back is no place to go to") {
  Ordering world;
  world.pushes_web();
  world.is_bad('b');
  (void)world.run();
  check_refused(world.rollback("1"), "was rolled back: shop-web-1 exited with status 7");
}

TEST_CASE("rollback --to DIGEST: whole or its beginning, from here or from the registry") {
  Ordering world;
  world.with_history();
  check_deployed(world.rollback("22222222"));
  CHECK(world.image() == id_of('b'));
  check_deployed(world.rollback(id_of('1')));
  CHECK(world.image() == id_of('a'));
  world.pushes(k_web, '4', '9', 'e');
  world.registry.has(k_web, '3');
  check_deployed(world.rollback(id_of('4')));
  CHECK(world.image() == id_of('e'));
  check_refused(world.rollback("77777777"), "no such digest");
  check_refused(world.rollback("2222222"), "no such digest");
}

TEST_CASE("rollback: without any history there is nothing to roll back to") {
  Ordering world;
  check_refused(world.rollback(), "nothing to roll back to");
  check_refused(world.rollback("1"), "nothing to roll back to");
}

TEST_CASE("an order that was killed holds as soon as it is recovered") {
  Ordering world;
  world.with_history();
  // The journal of a rollback that was cut off after everything was verified.
  std::optional<Journal> kept;
  world.target.on_recreate = [&](const PreparedProject& project) -> Result<void> {
    kept = value_of(world.state.open_journals()).at(0);
    world.engine.recreate(project.plan);
    return {};
  };
  check_deployed(world.rollback());
  REQUIRE(kept.has_value());
  REQUIRE(value_of(world.state.holds().remove("web")).has_value());
  kept->id = "20261122T235959Z-web";
  kept->phase = Phase::verify;
  REQUIRE(world.state.save_journal(*kept).has_value());
  const ServiceStatus web = world.next();
  check_state(web, ServiceState::held, ReasonCode::held);
  CHECK(world.image() == id_of('b'));
  REQUIRE(world.held().has_value());
  CHECK(world.held()->who() == "anna (rollback)");
}

TEST_CASE("a hold that somebody puts while an order is at work stays") {
  Ordering world;
  world.with_history();
  world.target.on_recreate = [&](const PreparedProject& project) -> Result<void> {
    world.clock.advance(std::chrono::seconds(5));
    world.hold("web");
    world.engine.recreate(project.plan);
    return {};
  };
  check_deployed(world.rollback());
  REQUIRE(world.held().has_value());
  CHECK(world.held()->by == "bert");
}

TEST_CASE("an order replaces its own entries in the status file, and keeps the others") {
  Ordering world;
  world.with_api();
  world.pushes_web();
  world.hold("web");
  (void)world.run();
  REQUIRE(value_of(world.state.holds().remove("web")).has_value());
  check_deployed(world.deploy());
  const StatusDocument written = world.written();
  REQUIRE(written.services.size() == 2);
  CHECK(written.trigger == "manual");
  check_state(Ticking::service({.status = {}, .services = written.services}, "web"),
              ServiceState::updated, ReasonCode::deployed);
  check_state(Ticking::service({.status = {}, .services = written.services}, "api"),
              ServiceState::current, ReasonCode::up_to_date);
}

TEST_CASE("deploy: a stop that comes while it is at work does not make its end unknown") {
  Ordering world;
  world.pushes_web();
  world.target.on_recreate = [&](const PreparedProject& project) -> Result<void> {
    world.registry.fails(k_web, {ErrorKind::cancelled, "asked to stop"});
    world.engine.recreate(project.plan);
    return {};
  };
  const TickResult result = world.deploy();
  check_deployed(result);
  const ServiceStatus web = Ticking::service(result, "web");
  check_state(web, ServiceState::updated, ReasonCode::deployed);
  CHECK_FALSE(web.error.has_value());
  CHECK(web.images.at(0).running_digest == id_of('2'));
  CHECK(world.remembered("web").consecutive_failures == 0);
}
