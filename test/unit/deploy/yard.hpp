#pragma once

#include <string>
#include <vector>

#include "support/fake_clock.hpp"
#include "support/fake_engine.hpp"
#include "support/fake_registry.hpp"
#include "support/fake_target.hpp"
#include "tallyman/deploy/deployer.hpp"

namespace tallyman::test {

inline constexpr std::string_view k_api = "harbor.lan/shop/api:1";

/// A Deployer among fakes: service web of project shop runs image #a, which is digest #1, and
/// digest #2, which is image #b, is to be deployed.
struct Yard {
  Calls calls;
  FakeRegistry registry{calls};
  FakeEngine engine{calls};
  FakeTarget target{calls, engine};
  FakeClock clock;
  Log log{{.level = LogLevel::off}};
  Deployer deployer{registry, engine, target, clock, log};
  DeploymentPlan plan{.service = "web", .images = {}, .projects = {}};
  std::vector<Step> steps;

  Yard() {
    offers(k_web, '1', 'a', '2', 'b');
    runs("shop", "web", k_web, 'a');
  }
  Yard(const Yard&) = delete;
  Yard& operator=(const Yard&) = delete;
  ~Yard() = default;

  void offers(std::string_view reference, char old_digest, char old_id, char digest_, char id) {
    engine.add_image(reference, old_id, std::string(1, old_digest));
    engine.can_pull(reference, digest_, id);
    plan.images.push_back({ref(reference), digest(digest_), {"linux", "amd64"}, 1000});
  }
  void runs(const std::string& project, const std::string& service, std::string_view reference,
            char id) {
    engine.containers.push_back(compose_container(project, service, 1, reference, id));
    if (plan.projects.empty() || plan.projects.back().compose.project != project) {
      plan.projects.push_back({.compose = {.project = project}, .services = {}});
    }
    plan.projects.back().services.push_back({.name = service,
                                             .reference = ref(reference),
                                             .replicas = 1,
                                             .containers = {engine.containers.back().id},
                                             .images = {id_of(id)}});
  }

  Outcome deploy() {
    return deployer.deploy(plan, [&](const Step& step) { steps.push_back(step); });
  }
  [[nodiscard]] Calls asked() const { return shortened(calls); }
};

inline void check(const Outcome& outcome, ServiceState state, ReasonCode code) {
  CHECK(to_string(outcome.state) == to_string(state));
  CHECK(to_string(outcome.reason_code) == to_string(code));
  CHECK(outcome.error.has_value() == (state != ServiceState::updated));
}

}  // namespace tallyman::test
