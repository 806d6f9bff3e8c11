#include <doctest/doctest.h>

#include <filesystem>

#include "tallyman/tick/remember.hpp"
#include "unit/tick/ticking.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

/// An earlier run was killed while it deployed image #b of web, and left its journal.
struct LeftOpen : Ticking {
  LeftOpen() {
    pushes_web();
    with_api();
  }

  /// `done`: what it had done on this host.
  void leaves(Phase phase, bool pulled, bool tagged, bool recreated) {
    Memory memory;
    const Look look_then = look(memory, {"web"});
    const ServiceLook& web = look_then.services.at(0);
    const auto plan =
        value_of(make_plan({{web.watch, web.comparisons, web.decision}}, look_then.host.value()));
    Journal journal{.id = k_id,
                    .folder = state.deployment_folder(k_id),
                    .phase = phase,
                    .writes = 1,
                    .started_at = clock.now(),
                    .plan = plan};
    journal.commands = {{.argv = {"compose", "up"}, .directory = folder.path(), .environment = {}}};
    journal.images = {{.image_id = pulled ? id_of('b') : "", .tag_before = id_of('a')}};
    if (pulled) {
      (void)engine.pull(ref(k_web).at(digest('2')), {"linux", "amd64"}, std::nullopt, {});
    }
    if (tagged) {
      engine.tags.insert_or_assign(ref(k_web), id_of('b'));
    }
    if (recreated) {
      engine.recreate(plan.projects.at(0));
    }
    REQUIRE(state.save_journal(journal).has_value());
    calls.clear();
  }
  [[nodiscard]] std::string journal_file() const {
    return state.deployment_folder(k_id) + "/journal.json";
  }
  [[nodiscard]] std::size_t index_of(std::string_view call) const {
    const Calls all = asked();
    return static_cast<std::size_t>(std::ranges::find(all, call) - all.begin());
  }

  static constexpr const char* k_id = "20261122T190000Z-web";
};

}  // namespace

TEST_CASE("a deployment that compose had finished is verified, and is the news of this tick") {
  LeftOpen world;
  world.leaves(Phase::recreate, true, true, true);
  const TickResult result = world.run();
  const ServiceStatus web = Ticking::service(result, "web");
  check_state(web, ServiceState::updated, ReasonCode::deployed);
  CHECK(web.reason == "222222222222 deployed");
  CHECK(web.last_deployment->id == LeftOpen::k_id);
  CHECK(web.last_deployment->result == "updated");
  CHECK((web.last_good.at(std::string(k_web)) == digest('2')));
  CHECK(world.asked("recreate").empty());
  CHECK(world.asked("pull").empty());
  CHECK(world.index_of("inspect container id-of-shop-web-1+") <
        world.index_of("resolve harbor.lan/shop/web:1"));
  CHECK(world.observer.told ==
        Calls{"health no health check", "settle 0 restarts", "deployed web: updated, 1"});
  CHECK_FALSE(std::filesystem::exists(world.journal_file()));
  check_state(world.next(), ServiceState::current, ReasonCode::up_to_date);
}

TEST_CASE("a deployment that compose had not begun is undone, and then tried again") {
  LeftOpen world;
  world.leaves(Phase::recreate, true, true, false);
  const TickResult result = world.run();
  CHECK(world.asked("recreate").size() == 1);
  CHECK(world.index_of("tag #a as harbor.lan/shop/web:1") <
        world.index_of("resolve harbor.lan/shop/web:1"));
  CHECK(world.index_of("resolve harbor.lan/shop/web:1") <
        world.index_of("pull harbor.lan/shop/web@#2 for linux/amd64"));
  const ServiceStatus web = Ticking::service(result, "web");
  check_state(web, ServiceState::updated, ReasonCode::deployed);
  CHECK(web.last_deployment->id != LeftOpen::k_id);
  CHECK(value_of(world.state.open_journals()).empty());
}

TEST_CASE("a deployment that was cut proves nothing against its image, which is tried once more") {
  LeftOpen world;
  world.is_bad('b');
  SUBCASE("nobody wants it deployed any more") {
    world.leaves(Phase::verify, true, true, true);
    world.config.watches.at(0).mode = Mode::notify;
    const ServiceStatus web = Ticking::service(world.run(), "web");
    check_state(web, ServiceState::rolled_back, ReasonCode::unhealthy);
    CHECK(web.error->message == "shop-web-1 exited with status 7");
    CHECK(web.quarantined.empty());
    CHECK(web.last_deployment->id == LeftOpen::k_id);
    CHECK(world.asked("recreate").size() == 1);
  }
  SUBCASE("it is tried by the same tick") {
    world.leaves(Phase::verify, true, true, true);
    const TickResult result = world.run();
    const ServiceStatus web = Ticking::service(result, "web");
    check_state(web, ServiceState::rolled_back, ReasonCode::unhealthy);
    CHECK((web.quarantined == std::vector<Digest>{digest('2')}));
    CHECK(world.remembered("web").attempts.count == 2);
    check_state(Ticking::service(result, "api"), ServiceState::current, ReasonCode::up_to_date);
  }
  CHECK(world.engine.containers.at(0).image_id == id_of('a'));
  CHECK(value_of(world.state.open_journals()).empty());
}

TEST_CASE("a deployment that was cut before it touched a container is taken back silently") {
  LeftOpen world;
  world.leaves(Phase::tag, true, true, false);
  world.config.watches.at(0).mode = Mode::notify;
  const TickResult result = world.run();
  const ServiceStatus web = Ticking::service(result, "web");
  check_state(web, ServiceState::pending, ReasonCode::notify_only);
  CHECK_FALSE(web.error.has_value());
  CHECK(world.engine.tags.at(ref(k_web)) == id_of('a'));
  CHECK(world.observer.told.empty());
  CHECK(world.asked("recreate").empty());
  CHECK_FALSE(std::filesystem::exists(world.journal_file()));
}

TEST_CASE("a run of other services recovers all the same") {
  LeftOpen world;
  world.leaves(Phase::recreate, true, true, true);
  const TickResult result = world.run({"api"});
  REQUIRE(result.services.size() == 1);
  CHECK(world.remembered("web").last_deployment->result == "updated");
  CHECK(value_of(world.state.open_journals()).empty());
}

TEST_CASE("without its memory a tick recovers and decides nothing; the journal tells it later") {
  LeftOpen world;
  world.leaves(Phase::recreate, true, true, false);
  world.folder.write("state/memory.json", "garbage");
  for (int i = 0; i < 7; ++i) {
    const TickResult result = world.run();
    const ServiceStatus web = Ticking::service(result, "web");
    check_state(web, ServiceState::unknown, ReasonCode::state_error);
    CHECK(contains(web.error->message, "memory.json"));
    CHECK(web.containers.at(0).digest == id_of('1'));
    CHECK(world.asked("pull").empty());
    CHECK(world.asked("recreate").empty());  // compose had not begun
    CHECK(world.engine.tags.at(ref(k_web)) == id_of('a'));
    const auto journals = value_of(world.state.open_journals());
    REQUIRE(journals.size() == 1);
    CHECK(to_string(journals[0].phase) == to_string(Phase::rolled_back));
  }

  world.config.watches.at(0).mode = Mode::notify;
  std::filesystem::remove(world.folder / "state/memory.json");
  const ServiceStatus web = world.next();
  check_state(web, ServiceState::rolled_back, ReasonCode::killed);
  CHECK(web.last_deployment->id == LeftOpen::k_id);
  CHECK(world.remembered("web").attempts.count == 1);
  CHECK_FALSE(std::filesystem::exists(world.journal_file()));
}

TEST_CASE("with a journal that cannot be read nothing is decided, and it is left as it is") {
  LeftOpen world;
  world.leaves(Phase::recreate, true, true, true);
  std::filesystem::resize_file(world.journal_file(), 100);
  const TickResult result = world.run();
  for (const ServiceStatus& service : result.services) {
    check_state(service, ServiceState::unknown, ReasonCode::state_error);
    CHECK(contains(service.error->message, world.journal_file()));
    CHECK_FALSE(service.error->remedy.empty());
  }
  CHECK(world.asked("pull").empty());
  CHECK(world.asked("recreate").empty());
  CHECK(std::filesystem::file_size(world.journal_file()) == 100);
}

TEST_CASE("a deployment that stays open is failed, and no other one of its services begins") {
  LeftOpen world;
  world.leaves(Phase::tidy, true, true, true);
  world.pushes(k_web, '3', '8', 'd');
  world.pushes("harbor.lan/shop/api:1", '6', '8', 'e');
  world.target.on_recreate = [&](const PreparedProject& project) -> Result<void> {
    if (project.plan.services.at(0).name == "web") {
      return fail(ErrorKind::process, "no space left on device");
    }
    world.engine.recreate(project.plan);
    return {};
  };
  const TickResult result = world.run();
  const ServiceStatus web = Ticking::service(result, "web");
  check_state(web, ServiceState::failed, ReasonCode::rollback_failed);
  CHECK(contains(web.error->message, "no space left on device"));
  CHECK(world.asked("pull harbor.lan/shop/web").empty());
  CHECK(value_of(world.state.open_journals()).size() == 1);
  check_state(Ticking::service(result, "api"), ServiceState::updated, ReasonCode::deployed);

  world.target.on_recreate = {};
  check_state(world.next(), ServiceState::updated, ReasonCode::deployed);
  CHECK(world.engine.containers.at(0).image_id == id_of('d'));
  CHECK(value_of(world.state.open_journals()).empty());
}

TEST_CASE("a deployment that stays open is given up in the end") {
  LeftOpen world;
  world.leaves(Phase::tidy, true, true, true);
  world.compose_fails(1000);
  ServiceStatus web = world.next();
  for (int i = 1; i < k_most_recoveries; ++i) {
    check_state(web, ServiceState::failed, ReasonCode::rollback_failed);
    CHECK(value_of(world.state.open_journals()).size() == 1);
    web = world.next();
  }
  web = world.next();
  check_state(web, ServiceState::failed, ReasonCode::rollback_failed);
  CHECK(web.last_deployment->result == "failed");
  CHECK((web.quarantined == std::vector<Digest>{digest('2')}));
  CHECK(value_of(world.state.open_journals()).empty());
  CHECK(contains(web.error->message, "compose up failed"));
}

TEST_CASE(
    "services whose journals cannot be closed yet are recovered again, and it changes nothing") {
  LeftOpen world;
  world.leaves(Phase::verify, true, true, true);
  world.is_bad('b');
  const std::string record = world.state.deployment_folder(LeftOpen::k_id) + "/record.json";
  world.config.watches.at(0).mode = Mode::notify;
  std::filesystem::create_directory(record);
  const TickResult first = world.run();
  REQUIRE(first.write_error.has_value());
  CHECK(contains(first.write_error->message, record));
  const ServiceMemory before = world.remembered("web");
  CHECK(before.attempts.count == 1);
  CHECK(before.last_deployment->id == LeftOpen::k_id);

  CHECK(contains(world.run().write_error.value().message, record));
  std::filesystem::remove(record);
  CHECK_FALSE(world.run().write_error.has_value());
  const ServiceMemory after = world.remembered("web");
  CHECK(after.attempts.count == 1);
  CHECK((after.last_deployment->finished_at == before.last_deployment->finished_at));
  CHECK(value_of(world.state.open_journals()).empty());
}

TEST_CASE("while a journal cannot be closed, nothing else of its services is deployed") {
  LeftOpen world;
  world.leaves(Phase::protect, false, false, false);
  std::filesystem::create_directories(world.state.deployment_folder(LeftOpen::k_id) +
                                      "/record.json");
  const TickResult result = world.run();
  CHECK(result.write_error.has_value());
  CHECK(world.asked("pull").empty());
  check_state(Ticking::service(result, "web"), ServiceState::pending, ReasonCode::update_available);
  CHECK(std::filesystem::exists(world.journal_file()));

  std::filesystem::remove(world.state.deployment_folder(LeftOpen::k_id) + "/record.json");
  check_state(world.next(), ServiceState::updated, ReasonCode::deployed);
  CHECK(value_of(world.state.open_journals()).empty());
}
