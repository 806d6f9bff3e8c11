#include <doctest/doctest.h>

#include "unit/cli/running.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

struct Person : TickWorld {
  bool journald = false;
  std::chrono::milliseconds wait{};

  Ran order(Order order) {
    clock.advance(std::chrono::minutes(1));
    order.service = "web";
    order.by = "anna";
    Screen screen;
    const CapturedStderr captured;
    Log words({.level = LogLevel::info, .journald = journald});
    Tick tick(config, registry, engine, deployer, state, clock, words);
    const TickOptions options{
        .version = "0.1.0", .host_name = "deploy-01", .status_file = status_file(), .order = order};
    const int status =
        order_command(tick, options, {state, clock, stop, wait, journald}, screen.terminal, words);
    return {status, screen.text(), captured.text()};
  }
  Ran deploy(const std::string& to = "") { return order({.to = to}); }
  Ran rollback() { return order({.kind = Order::Kind::rollback}); }
  /// Digest #1 is v1.2.0, #2 is v1.3.0.
  void with_versions() {
    pushes_web();
    engine.images.at(id_of('a')).image.labels.set("org.opencontainers.image.version", "v1.2.0");
    engine.add_image("harbor.lan/shop/web:staging", 'b', "")
        .labels.set("org.opencontainers.image.version", "v1.3.0");
  }
};

}  // namespace

TEST_CASE("deploy tells its steps, and the versions before and after") {
  Person person;
  person.with_versions();
  const Ran ran = person.deploy();
  CHECK(ran.status == 0);
  CHECK(ran.err == "");
  CHECK(ran.out ==
        "web\n"
        "  image     harbor.lan/shop/web:1 -> 222222222222\n"
        "  pull      222222222222, 38.2 MB                                         0 ms\n"
        "  recreate  shop-web-1                                                    0 ms\n"
        "  health    no health check                                               0 ms\n"
        "  settle    0 restarts                                                   1.0 s\n"
        "  UPDATED   1/1 verified, harbor.lan/shop/web:1 v1.3.0\n"
        "web: v1.2.0 11111111 -> v1.3.0 22222222\n");
  CHECK(person.deploy().out == "web: already runs v1.3.0 22222222\n");
  CHECK(person.deploy().status == 0);
}

TEST_CASE("rollback tells where it went, from this host, and that it is held") {
  Person person;
  person.with_versions();
  (void)person.deploy();
  const Ran ran = person.rollback();
  CHECK(ran.status == 0);
  CHECK(ran.out ==
        "web\n"
        "  image     harbor.lan/shop/web:1 -> 111111111111\n"
        "  pull      111111111111, is on this host                                 0 ms\n"
        "  recreate  shop-web-1                                                    0 ms\n"
        "  health    no health check                                               0 ms\n"
        "  settle    0 restarts                                                   1.0 s\n"
        "  UPDATED   1/1 verified, harbor.lan/shop/web:1 v1.2.0\n"
        "web: v1.3.0 22222222 -> v1.2.0 11111111\n"
        "  held      no run deploys what its tag offers until: tallyman release web\n");
  const Ran refused = person.deploy();
  CHECK(refused.status == 1);
  CHECK(refused.out == "");
  CHECK(contains(refused.err,
                 "error: web is held by anna (rollback) since 2026-11-22T19:47:15Z: rolled back to "
                 "v1.2.0 11111111"));
  CHECK(contains(refused.err, "tallyman release web"));
}

TEST_CASE("deploy of what is bad is exit status 4, and says what runs") {
  Person person;
  person.with_versions();
  person.is_bad('b');
  const Ran ran = person.deploy();
  CHECK(ran.status == 4);
  CHECK(contains(ran.out, "web: ROLLED BACK, unhealthy\n"));
  CHECK(ran.out.ends_with("web: v1.2.0 11111111 runs again\n"));
}

TEST_CASE("deploy of what cannot be pulled is exit status 1, and says that nothing was touched") {
  Person person;
  person.with_versions();
  person.engine.fails("pull", {ErrorKind::auth, "harbor.lan: denied", "log in"});
  const Ran ran = person.deploy();
  CHECK(ran.status == 1);
  CHECK(contains(ran.out, "web: PENDING, pull failed\n"));
  CHECK(ran.out.ends_with("web: v1.2.0 11111111 runs, untouched\n"));
}

TEST_CASE("an order that makes no sense is exit status 1, with what to do instead") {
  Person person;
  const Ran ran = person.rollback();
  CHECK(ran.status == 1);
  CHECK(ran.out == "");
  CHECK(contains(ran.err, "error: nothing to roll back to"));
  CHECK(contains(ran.err, "tallyman rollback web --to DIGEST"));
}

TEST_CASE("an order says who is at work, at once or after its patience") {
  Person person;
  person.with_versions();
  const auto lock = person.state.try_lock(at("2026-11-22T19:40:00Z"));
  REQUIRE((lock.has_value() && lock->has_value()));
  const Ran ran = person.deploy();
  CHECK(ran.status == 3);
  CHECK(ran.out == "");
  CHECK(ran.err == fmt::format("error: another run is at work (pid {} since "
                               "2026-11-22T19:40:00Z); nothing was changed: --wait 10m "
                               "waits for its end\n",
                               ::getpid()));
  person.wait = std::chrono::minutes(10);
  const auto before = person.clock.steady();
  const Ran patient = person.deploy();
  CHECK(patient.status == 3);
  CHECK(contains(patient.err, "waiting for another run (pid "));
  CHECK(contains(patient.err, "another run is at work (pid "));
  CHECK(person.clock.steady() - before >= std::chrono::minutes(10));
  CHECK(person.engine.containers.at(0).image_id == id_of('a'));
}

TEST_CASE("an order begins when the other run has ended") {
  Person person;
  person.with_versions();
  person.wait = std::chrono::minutes(10);
  auto lock = value_of(person.state.try_lock(person.clock.now()));
  REQUIRE(lock.has_value());
  // The clock is the only thing that goes on while it waits.
  struct Ending final : Clock {
    Ending(FakeClock& given, std::optional<Lock>& held) : inner(given), other(held) {}
    [[nodiscard]] Timestamp now() const override { return inner.now(); }
    [[nodiscard]] std::chrono::steady_clock::time_point steady() const override {
      return inner.steady();
    }
    void sleep(std::chrono::milliseconds span) const override {
      inner.sleep(span);
      other.reset();
    }
    FakeClock& inner;
    std::optional<Lock>& other;
  };
  const Ending clock(person.clock, lock);
  Screen screen;
  Log quiet({.level = LogLevel::off});
  Tick tick(person.config, person.registry, person.engine, person.deployer, person.state,
            person.clock, quiet);
  const TickOptions options{.version = "0.1.0",
                            .host_name = "deploy-01",
                            .status_file = person.status_file(),
                            .order = Order{.service = "web", .by = "anna"}};
  CHECK(order_command(tick, options, {person.state, clock, person.stop, person.wait, false},
                      screen.terminal, quiet) == 0);
  CHECK(person.engine.containers.at(0).image_id == id_of('b'));
}
