#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/fake_clock.hpp"
#include "support/fake_engine.hpp"
#include "support/fake_http.hpp"
#include "support/fake_process.hpp"
#include "support/fake_registry.hpp"
#include "support/fake_target.hpp"
#include "support/temp_folder.hpp"
#include "tallyman/deploy/deployer.hpp"

namespace tallyman::test {

inline constexpr std::string_view k_api = "harbor.lan/shop/api:1";

/// A kill -9, where a test wants one.
struct Killed {};

/// A Deployer with a real gate and a real state folder among fakes: service web of project shop
/// runs image #a, which is digest #1, and digest #2, which is image #b, is to be deployed.
struct Yard : DeploymentObserver {
  TempFolder folder;
  Calls calls;
  FakeRegistry registry{calls};
  FakeEngine engine{calls};
  FakeTarget target{calls, engine};
  FakeClock clock;
  FakeHttp http{[](const HttpRequest&) { return HttpResponse{.status = 200}; }};
  FakeProcess process;
  HealthGate gate{engine, http, process, clock, {}, HealthGate::Connect{}};
  Hooks hooks{process, {{"PATH", "/usr/bin:/bin"}}, log};
  StateDirectory state{folder / "state"};
  Stop stop;
  Log log{{.level = LogLevel::off}};
  Lock lock{Fd()};
  std::function<Result<void>(Phase, bool after)> on_phase = {};
  Deployer deployer{{registry, engine, target, gate, hooks, state, clock, stop, log,
                     [this](Phase phase, bool after) { return entered(phase, after); }}};
  DeploymentPlan plan;
  std::vector<Step> steps;
  Calls phases;  ///< that were entered

  Yard() {
    plan.parts.push_back({.service = "web",
                          .references = {},
                          .from = digest('1'),
                          .to = digest('2'),
                          .health = {.settle = std::chrono::milliseconds(0)}});
    offers(k_web, '1', 'a', '2', 'b');
    runs("shop", "web", k_web, 'a');
  }
  Yard(const Yard&) = delete;
  Yard& operator=(const Yard&) = delete;
  ~Yard() override = default;

  void offers(std::string_view reference, char old_digest, char old_id, char digest_, char id) {
    has_image(reference, old_digest, old_id);
    engine.can_pull(reference, digest_, id);
    plan.parts[0].references.push_back(ref(reference));
    plan.images.push_back({ref(reference), digest(digest_), {"linux", "amd64"}});
  }
  /// An image of a reference, which its tag means now.
  void has_image(std::string_view reference, char digest_, char id) {
    engine.add_image(reference, id, std::string(1, digest_));
    m_digests.insert_or_assign(id, digest(digest_));
  }
  Container& runs(const std::string& project, const std::string& service,
                  std::string_view reference, char id, int number = 1) {
    engine.containers.push_back(compose_container(project, service, number, reference, id));
    Container& container = engine.containers.back();
    ServicePlan& planned = service_of(project_of(project), service, reference);
    planned.containers.push_back({container.id, container.name, number, container.image_id});
    const auto image = std::ranges::find(plan.images, ref(reference), &ImagePlan::reference);
    if (image != plan.images.end() &&
        std::ranges::find(image->old, project, &OldImage::project) == image->old.end()) {
      image->old.push_back({project, id_of(id), m_digests.at(id)});
    }
    return container;
  }
  /// Service vpn lives in the network of shop-web-1.
  Container& with_follower() {
    engine.add_image("vpn:3", 'e', "9");
    engine.containers.push_back(compose_container("shop", "vpn", 1, "vpn:3", 'e'));
    Container& vpn = engine.containers.back();
    vpn.network_mode = "container:id-of-shop-web-1";
    plan.projects[0].followers = {{.name = "vpn",
                                   .reference = ref("vpn:3"),
                                   .containers = {{vpn.id, vpn.name, 1, vpn.image_id}}}};
    return vpn;
  }
  /// Containers of an image never get healthy.
  void is_unhealthy(char id) {
    engine.on_inspect = [id](Container container) -> Result<Container> {
      if (container.image_id == id_of(id)) {
        container.health = Health::unhealthy;
        container.health_output = "no database";
      }
      return container;
    };
  }
  void kill_at(Phase phase, bool after) {
    on_phase = [=](Phase now, bool is_after) -> Result<void> {
      if (now == phase && is_after == after) {
        throw Killed{};
      }
      return {};
    };
  }
  void fail_at(Phase phase, bool after) {
    on_phase = [=](Phase now, bool is_after) -> Result<void> {
      if (now == phase && is_after == after) {
        return fail(ErrorKind::io, "hooked");
      }
      return {};
    };
  }
  /// Where the journals were, there is something that is no folder: nothing can be written.
  void lose_state() const {
    std::filesystem::remove_all(folder / "state");
    folder.write("state", "");
  }

  Outcome deploy() { return deployer.deploy(plan, lock, *this); }
  void deploy_until_killed() { CHECK_THROWS_AS((void)deploy(), Killed); }
  /// The next start, with nobody who kills it or fails it.
  std::vector<Outcome> recover() {
    on_phase = {};
    calls.clear();
    phases.clear();
    return value_of(deployer.recover(lock, *this));
  }
  Outcome recover_one() {
    std::vector<Outcome> outcomes = recover();
    REQUIRE(outcomes.size() == 1);
    return std::move(outcomes.front());
  }
  [[nodiscard]] std::vector<Journal> journals() const { return value_of(state.open_journals()); }

  [[nodiscard]] Calls asked() const { return shortened(calls); }
  /// Of the calls those that begin with a word.
  [[nodiscard]] Calls asked(std::string_view word) const {
    Calls found;
    std::ranges::copy_if(asked(), std::back_inserter(found),
                         [&](const std::string& call) { return call.starts_with(word); });
    return found;
  }
  /// "shop-web-1 #b running", in the order of their creation.
  [[nodiscard]] Calls running() const {
    Calls lines;
    for (const Container& one : engine.containers) {
      lines.push_back(
          shortened(fmt::format("{} {} {}", one.name, one.image_id, to_string(one.status))));
    }
    return lines;
  }
  /// "#b": what a local tag means.
  [[nodiscard]] std::string tag_of(std::string_view reference = k_web) const {
    const auto found = engine.tags.find(ref(reference));
    return found == engine.tags.end() ? "" : shortened(found->second);
  }
  [[nodiscard]] std::string phase_of(const Outcome& outcome) const {
    return outcome.journal ? std::string(to_string(outcome.journal->phase)) : "";
  }

  void progress(std::string_view /*name*/, std::string_view /*text*/) override {}
  void step(const Step& step) override { steps.push_back(step); }

 private:
  ProjectPlan& project_of(const std::string& name) {
    for (ProjectPlan& project : plan.projects) {
      if (project.compose.project == name) {
        return project;
      }
    }
    plan.projects.push_back({.compose = {.project = name}});
    return plan.projects.back();
  }
  static ServicePlan& service_of(ProjectPlan& project, const std::string& name,
                                 std::string_view reference) {
    for (ServicePlan& service : project.services) {
      if (service.name == name) {
        return service;
      }
    }
    project.services.push_back({.name = name, .reference = ref(reference)});
    return project.services.back();
  }
  Result<void> entered(Phase phase, bool after) {
    if (!after) {
      phases.emplace_back(to_string(phase));
    }
    return on_phase ? on_phase(phase, after) : Result<void>();
  }

  std::map<char, Digest> m_digests;  ///< by image id
};

inline void check(const Outcome& outcome, ServiceState state, ReasonCode code) {
  CHECK(to_string(outcome.state) == to_string(state));
  CHECK(to_string(outcome.reason_code) == to_string(code));
  CHECK(outcome.error.has_value() == (state != ServiceState::updated));
}

}  // namespace tallyman::test
