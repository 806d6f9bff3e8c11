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

}  // namespace tallyman
