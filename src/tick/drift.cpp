#include "tallyman/tick/drift.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "tallyman/deploy/project_settings.hpp"

namespace tallyman {
namespace {

ModelKey key_of(const Container& container) {
  return {std::string(container.label(k_label_project)),
          std::string(container.label(k_label_service))};
}

/// The services of compose projects on this host, with the label that tells what configuration they
/// were created from: that of the oldest container, since a recreation replaces all. "" where
/// nothing runs.
class CreatedFrom {
 public:
  explicit CreatedFrom(const Host& host) {
    for (const Container& container : host.containers) {
      if (!is_compose_service(container)) {
        continue;
      }
      const Container*& oldest = m_oldest[key_of(container)];
      if (container.alive() && (oldest == nullptr || std::tie(container.created, container.id) <
                                                         std::tie(oldest->created, oldest->id))) {
        oldest = &container;
      }
    }
  }
  [[nodiscard]] bool has(const ModelKey& key) const { return m_oldest.contains(key); }
  [[nodiscard]] std::string label(const ModelKey& key) const {
    const auto found = m_oldest.find(key);
    return found != m_oldest.end() && found->second != nullptr
               ? std::string(found->second->label(k_label_config_hash))
               : "";
  }

 private:
  std::map<ModelKey, const Container*> m_oldest;
};

/// What may be deployed of a drop-in by one call of compose.
struct Project {
  const Container* newest = nullptr;
  std::set<std::string> services;
};

/// What runs by digest is never deployed.
std::map<std::string, Project> projects_of(const ServiceLook& service) {
  std::map<std::string, Project> projects;
  for (const Comparison& comparison : service.comparisons) {
    for (const Replica& replica : comparison.running.replicas) {
      const Container& container = replica.container;
      if (comparison.question != Question::ask || !is_compose_service(container)) {
        continue;
      }
      Project& project = projects[std::string(container.label(k_label_project))];
      project.services.emplace(container.label(k_label_service));
      if (project.newest == nullptr || container.created > project.newest->created) {
        project.newest = &container;
      }
    }
  }
  return projects;
}

bool are_known(const std::string& name, const Project& project, const ModelInputs& inputs,
               const ModelMemory& models) {
  return std::ranges::all_of(project.services, [&](const std::string& service) {
    const auto found = models.find({name, service});
    return found != models.end() && is_known(found->second, inputs);
  });
}

Result<ComposeModels> ask(const ServiceLook& service, const std::string& project, const Host& host,
                          Deployer& deployer) {
  std::vector<Comparison> deployable;
  std::ranges::copy_if(service.comparisons, std::back_inserter(deployable),
                       [](const Comparison& one) { return one.question == Question::ask; });
  auto plan = plan_to_ask(service.watch, deployable, project, host);
  if (!plan) {
    return std::unexpected(plan.error());
  }
  return *plan ? deployer.models(**plan) : ComposeModels{};
}

/// True where something is noticed for the first time.
bool learn(const std::string& project, const ComposeModels& answer, const CreatedFrom& created,
           Timestamp now, ModelMemory& models) {
  bool is_new = false;
  for (const auto& [service, model] : answer) {
    const ModelKey key{project, service};
    is_new = learn_model(models[key], model, created.label(key), now) || is_new;
  }
  return is_new;
}

/// One project of a drop-in; true where something is noticed for the first time.
Result<bool> look_at_project(const ServiceLook& service, const std::string& name,
                             const Project& project, const Host& host, const CreatedFrom& created,
                             Deployer& deployer, Timestamp now, ModelMemory& models) {
  const auto settings = project_settings(service.watch, *project.newest);
  if (!settings) {
    return std::unexpected(settings.error());
  }
  if (are_known(name, project, inputs_of(*settings), models)) {
    for (const std::string& one : project.services) {
      const ModelKey key{name, one};
      settle_models(models.at(key), created.label(key), now);
    }
    return false;
  }
  if (service.decision.action == Decision::Action::deploy) {
    return false;
  }
  const auto answer = ask(service, name, host, deployer);
  if (!answer) {
    return std::unexpected(answer.error());
  }
  return learn(name, *answer, created, now, models);
}

}  // namespace

DriftNews look_for_drift(Look& look, Deployer& deployer, Timestamp now, Memory& memory) {
  DriftNews news;
  if (!look.host) {
    return news;
  }
  const CreatedFrom created(*look.host);
  for (ServiceLook& service : look.services) {
    if (service.watch.redeploy.used()) {
      memory.services[service.watch.name].models.clear();
      continue;
    }
    const std::string& drop_in = service.watch.name;
    ModelMemory& models = memory.services[drop_in].models;
    std::erase_if(models, [&](const auto& entry) { return !created.has(entry.first); });
    bool is_new = false;
    for (const auto& [name, project] : projects_of(service)) {
      const auto looked =
          look_at_project(service, name, project, *look.host, created, deployer, now, models);
      if (!looked) {
        news.not_known.push_back(fmt::format("{}: {}", drop_in, looked.error().message));
      }
      is_new = is_new || looked.value_or(false);
    }
    service.drift = drift_of(models);
    if (is_new && service.drift) {
      news.noticed.push_back(fmt::format("{}: {}; {}", drop_in, service.drift->message,
                                         service.watch.compose.on_drift == OnDrift::refuse
                                             ? "no run applies it, since on_drift is refuse"
                                             : "the next deployment applies it as well"));
    }
  }
  return news;
}

Drifts drift_of_prepared(const std::vector<PreparedProject>& prepared, const Host& host,
                         Timestamp now, Memory& memory) {
  const CreatedFrom created(host);
  std::map<ServiceName, ModelMemory> applied;
  for (const PreparedProject& project : prepared) {
    const std::string& name = project.plan.compose.project;
    ModelMemory& models = memory.services[project.plan.drop_in].models;
    learn(name, project.models, created, now, models);
    for (const auto& [service, model] : project.models) {
      const ModelKey key{name, service};
      applied[project.plan.drop_in].insert_or_assign(key, models.at(key));
    }
  }
  Drifts drifts;
  for (const auto& [drop_in, models] : applied) {
    if (auto drift = drift_of(models)) {
      drifts.emplace(drop_in, std::move(*drift));
    }
  }
  return drifts;
}

void settle_drift(const std::vector<const ServiceLook*>& services, const Host& host, Timestamp now,
                  Memory& memory) {
  const CreatedFrom created(host);
  for (const ServiceLook* service : services) {
    for (auto& [key, models] : memory.services[service->watch.name].models) {
      settle_models(models, created.label(key), now);
    }
  }
}

}  // namespace tallyman
