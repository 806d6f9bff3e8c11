#pragma once

#include <functional>
#include <string>
#include <utility>

#include "support/fake_engine.hpp"
#include "tallyman/deploy/project_settings.hpp"
#include "tallyman/deploy/target.hpp"

namespace tallyman::test {

/// A Target that recreates in a FakeEngine.
class FakeTarget final : public Target {
 public:
  FakeTarget(Calls& calls, FakeEngine& engine) : m_calls(calls), m_engine(engine) {}

  Result<PreparedProject> prepare(const ProjectPlan& plan) override {
    m_calls.push_back("prepare " + plan.compose.project);
    if (prepare_error) {
      return std::unexpected(*prepare_error);
    }
    Command command{.argv = {"compose", "-p", plan.compose.project, "up"},
                    .directory = plan.compose.directory};
    return PreparedProject{plan, std::move(command), models_of(plan)};
  }

  Result<ComposeModels> models(const ProjectPlan& plan) override {
    if (!model.empty()) {
      m_calls.push_back("models " + plan.compose.project);
    }
    if (models_error) {
      return std::unexpected(*models_error);
    }
    return models_of(plan);
  }

  Result<void> recreate(const PreparedProject& project, const Lock& /*lock*/) override {
    m_calls.push_back("recreate " + project.plan.compose.project);
    recreated.push_back(project.plan);
    if (const auto how = on_recreate) {  // a copy: it may take the place of itself
      return how(project);
    }
    m_engine.recreate(project.plan);
    return {};
  }

  std::optional<Error> prepare_error = std::nullopt;
  std::function<Result<void>(const PreparedProject&)> on_recreate = {};
  std::vector<ProjectPlan> recreated;
  std::string model = {};  ///< the hash of what compose makes of each service; empty: it has none
  std::string version = "2.26.1";
  std::optional<Error> models_error = std::nullopt;

 private:
  [[nodiscard]] ComposeModels models_of(const ProjectPlan& plan) const {
    ComposeModels models;
    for (const ServicePlan* service : plan.all()) {
      if (!model.empty()) {
        models.emplace(service->name, ComposeModel{version, model, inputs_of(plan.compose)});
      }
    }
    return models;
  }

  Calls& m_calls;
  FakeEngine& m_engine;
};

}  // namespace tallyman::test
