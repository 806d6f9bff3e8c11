#include "tallyman/deploy/tidy.hpp"

#include <algorithm>

namespace tallyman {
namespace {

/// What is there of one service.
struct Found {
  const ServicePlan& service;
  std::vector<const Container*> containers;

  [[nodiscard]] const Container* by_id(const std::string& id) const {
    const auto found = std::ranges::find(containers, id, &Container::id);
    return found == containers.end() ? nullptr : *found;
  }
  [[nodiscard]] bool is_recorded(const Container& container) const {
    const auto& ids = service.bystanders;
    return std::ranges::find(service.containers, container.id, &PlannedContainer::id) !=
               service.containers.end() ||
           std::ranges::find(ids, container.id) != ids.end();
  }
  /// Those of this number that were not there before, what runs and is newest first.
  [[nodiscard]] std::vector<const Container*> replacements(int number) const {
    std::vector<const Container*> result;
    std::ranges::copy_if(containers, std::back_inserter(result), [&](const Container* one) {
      return !is_recorded(*one) && container_number(*one) == number;
    });
    std::ranges::sort(result, [](const Container* a, const Container* b) {
      return a->alive() != b->alive() ? a->alive() : a->created > b->created;
    });
    return result;
  }
};

Found find_service(const ProjectPlan& project, const ServicePlan& service, const Host& host) {
  Found found{service, {}};
  for (const Container& container : host.containers) {
    if (project.has(service, container) && container.status != ContainerStatus::removing) {
      found.containers.push_back(&container);
    }
  }
  return found;
}

struct Actions {
  std::vector<TidyAction> removals;
  std::vector<TidyAction> renames;
  std::vector<TidyAction> starts;

  void remove(const Container& container) {
    removals.push_back({TidyAction::Kind::remove, container.id, container.name});
  }
  void rename(const Container& container, const std::string& name) {
    if (container.name != name) {
      renames.push_back({TidyAction::Kind::rename, container.id, name});
    }
  }
  void start(const Container& container) {
    if (!container.alive()) {
      starts.push_back({TidyAction::Kind::start, container.id, container.name});
    }
  }
};

void tidy_one(const Found& found, const PlannedContainer& planned, Actions& actions) {
  const std::vector<const Container*> replacements = found.replacements(planned.number);
  const Container* original = found.by_id(planned.id);
  if (original != nullptr && original->status != ContainerStatus::dead) {
    for (const Container* one : replacements) {
      actions.remove(*one);
    }
    actions.rename(*original, planned.name);
    actions.start(*original);
    return;
  }
  for (const Container* one : replacements) {
    if (one == replacements.front()) {
      actions.rename(*one, planned.name);
    } else {
      actions.remove(*one);
    }
  }
}

/// Nothing but what was there before.
bool created_nothing(const Found& found) {
  return std::ranges::all_of(found.containers,
                             [&](const Container* one) { return found.is_recorded(*one); });
}

void tidy_script(const Found& found, Actions& actions) {
  for (const PlannedContainer& planned : found.service.containers) {
    const Container* original = found.by_id(planned.id);
    if (original != nullptr && created_nothing(found) && original->name == planned.name &&
        original->status != ContainerStatus::dead && !original->alive()) {
      actions.starts.push_back(
          {TidyAction::Kind::start, original->id, original->name, /*optional=*/true});
    }
  }
}

}  // namespace

bool is_as_before(const ProjectPlan& project, const Host& host) {
  return std::ranges::all_of(project.services, [&](const ServicePlan& service) {
    const Found found = find_service(project, service, host);
    return created_nothing(found) &&
           std::ranges::all_of(service.containers, [&](const PlannedContainer& planned) {
             const Container* original = found.by_id(planned.id);
             return original != nullptr && original->alive() && original->name == planned.name;
           });
  });
}

std::vector<TidyAction> plan_tidy(const DeploymentPlan& plan, const Host& host) {
  Actions actions;
  for (const ProjectPlan& project : plan.projects) {
    for (const ServicePlan* service : project.all()) {
      const Found found = find_service(project, *service, host);
      if (project.by_script) {
        tidy_script(found, actions);
        continue;
      }
      for (const PlannedContainer& planned : service->containers) {
        tidy_one(found, planned, actions);
      }
    }
  }
  std::vector<TidyAction> all = std::move(actions.removals);
  std::ranges::copy(actions.renames, std::back_inserter(all));
  std::ranges::copy(actions.starts, std::back_inserter(all));
  return all;
}

}  // namespace tallyman
