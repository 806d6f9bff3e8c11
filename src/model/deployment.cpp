#include "tallyman/model/deployment.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tallyman {

std::vector<const ServicePlan*> ProjectPlan::all() const {
  std::vector<const ServicePlan*> result;
  for (const auto* list : {&services, &followers}) {
    for (const ServicePlan& service : *list) {
      result.push_back(&service);
    }
  }
  return result;
}

bool ProjectPlan::has(const ServicePlan& service, const Container& container) const {
  if (!by_script) {
    return is_of_service(container, compose.project, service.name);
  }
  const bool one_off = !container.label(k_label_project).empty() && !is_compose_service(container);
  const auto reference = ImageReference::parse(container.image);
  return !one_off && reference && *reference == service.reference;
}

std::string DeploymentPlan::name() const {
  std::vector<std::string_view> names;
  for (const DeploymentPart& part : parts) {
    names.push_back(part.service);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

bool DeploymentPlan::may_be_undone() const {
  return std::ranges::any_of(parts,
                             [](const DeploymentPart& part) { return part.rollback.enabled; });
}

bool DeploymentPlan::refuses_drift(const ProjectPlan& project) const {
  return project.compose.on_drift == OnDrift::refuse && trigger.service.empty();
}

bool DeploymentPlan::has_before_hook() const {
  return std::ranges::any_of(parts,
                             [](const DeploymentPart& part) { return !part.hooks.before.empty(); });
}

}  // namespace tallyman
