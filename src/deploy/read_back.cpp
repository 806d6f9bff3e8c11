#include <algorithm>

#include "tallyman/deploy/deployer.hpp"

namespace tallyman {
namespace {

Outcome failed(ReasonCode code, std::string message) {
  return {.state = ServiceState::failed,
          .reason_code = code,
          .error = Error{ErrorKind::process, std::move(message)}};
}

/// Only what really runs counts: a container that restarts over and over is not good.
std::vector<const Container*> running_containers(const Host& host, std::string_view project,
                                                 std::string_view service) {
  std::vector<const Container*> containers;
  for (const Container& container : host.containers) {
    if (container.status == ContainerStatus::running && is_compose_service(container) &&
        container.label(k_label_project) == project &&
        container.label(k_label_service) == service) {
      containers.push_back(&container);
    }
  }
  return containers;
}

bool is_old(const ServicePlan& service, const Container& container) {
  return std::ranges::find(service.containers, container.id) != service.containers.end();
}

std::optional<Outcome> check_count(const ServicePlan& service, std::size_t running) {
  if (static_cast<int>(running) == service.replicas) {
    return std::nullopt;
  }
  return failed(ReasonCode::wrong_result,
                fmt::format("service {}: {} of {} containers run after the recreation",
                            service.name, running, service.replicas));
}

}  // namespace

ReadBack read_back(const DeploymentPlan& plan, const std::map<ImageReference, std::string>& images,
                   const Host& host) {
  ReadBack result;
  for (const ProjectPlan& project : plan.projects) {
    for (const ServicePlan& service : project.services) {
      const auto containers = running_containers(host, project.compose.project, service.name);
      const std::string& wanted = images.at(service.reference);
      for (const Container* container : containers) {
        if (container->image_id == wanted) {
          ++result.verified;
          continue;
        }
        const bool untouched = is_old(service, *container);
        result.failure = untouched
                             ? failed(ReasonCode::not_recreated,
                                      fmt::format("compose reported success, but left {} as it was",
                                                  container->name))
                             : failed(ReasonCode::wrong_result,
                                      fmt::format("{} runs image {} and not {}, which was deployed",
                                                  container->name, container->image_id, wanted));
        return result;
      }
      if ((result.failure = check_count(service, containers.size()))) {
        return result;
      }
    }
    for (const ServicePlan& follower : project.followers) {
      const auto running = running_containers(host, project.compose.project, follower.name);
      const auto old = std::ranges::find_if(
          running, [&](const Container* container) { return is_old(follower, *container); });
      if (old != running.end()) {
        result.failure = failed(
            ReasonCode::not_recreated,
            fmt::format("compose left {} in the network namespace of a container that is gone",
                        (*old)->name));
        return result;
      }
      if ((result.failure = check_count(follower, running.size()))) {
        return result;
      }
    }
  }
  return result;
}

}  // namespace tallyman
