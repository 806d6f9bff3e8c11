#include "tallyman/deploy/read_back.hpp"

#include <algorithm>
#include <map>

namespace tallyman {
namespace {

using Containers = std::expected<std::vector<Container>, ReadBackFailure>;

std::unexpected<ReadBackFailure> wrong(std::string message) {
  return std::unexpected(ReadBackFailure{ReasonCode::wrong_result, std::move(message)});
}

bool is_old(const ServicePlan& service, const Container& container) {
  return std::ranges::find(service.containers, container.id, &PlannedContainer::id) !=
         service.containers.end();
}

/// What stands for the service now. A new container that has ended already, or never ran, is one of
/// them: what to think of it is for the health gate to say.
bool counts(const ServicePlan& service, const Container& container) {
  const auto& bystanders = service.bystanders;
  return container.alive() ||
         (container.status != ContainerStatus::removing && !is_old(service, container) &&
          std::ranges::find(bystanders, container.id) == bystanders.end());
}

/// A script may have used the image for something else, too, which has ended. Where too few run,
/// the newest of those that have ended stand for them: what to think of them is for the health
/// gate.
Containers containers_of_script(const ServicePlan& service, std::vector<Container> containers) {
  std::ranges::stable_sort(containers, [](const Container& a, const Container& b) {
    return a.alive() != b.alive() ? a.alive() : a.created > b.created;
  });
  const auto first_ended = std::ranges::find_if_not(containers, &Container::alive);
  const auto alive = first_ended - containers.begin();
  if (std::ssize(containers) < service.replicas()) {
    return wrong(fmt::format("{} of {} containers of {} run after the script", alive,
                             service.replicas(), service.reference.familiar()));
  }
  containers.resize(static_cast<std::size_t>(std::max<std::ptrdiff_t>(alive, service.replicas())));
  return containers;
}

Containers containers_of(const ProjectPlan& project, const ServicePlan& service, const Host& host) {
  std::vector<Container> containers;
  for (const Container& container : host.containers) {
    if (project.has(service, container) && counts(service, container)) {
      containers.push_back(container);
    }
  }
  if (project.by_script) {
    return containers_of_script(service, std::move(containers));
  }
  if (static_cast<int>(containers.size()) != service.replicas()) {
    return wrong(fmt::format("service {}: {} of {} containers are there after the recreation",
                             service.name, containers.size(), service.replicas()));
  }
  for (const PlannedContainer& planned : service.containers) {
    if (std::ranges::find(containers, planned.name, &Container::name) == containers.end()) {
      return wrong(fmt::format("no container is called {}", planned.name));
    }
  }
  return containers;
}

std::optional<ReadBackFailure> check_image(const ProjectPlan& project, const ServicePlan& service,
                                           const Container& container, const std::string& wanted) {
  if (container.image_id == wanted) {
    return std::nullopt;
  }
  if (is_old(service, container)) {
    return ReadBackFailure{
        ReasonCode::not_recreated,
        fmt::format("{} reported success, but left {} as it was",
                    project.by_script ? "the script" : "compose", container.name)};
  }
  return ReadBackFailure{
      ReasonCode::wrong_result,
      fmt::format("{} runs image {} and not {}", container.name, container.image_id, wanted)};
}

/// "container:<id>" of one that is gone is a dead network.
bool is_connected(const Container& follower, const std::vector<Container>& containers) {
  constexpr std::string_view k_scheme = "container:";
  if (!follower.network_mode.starts_with(k_scheme)) {
    return true;
  }
  const std::string id = follower.network_mode.substr(k_scheme.size());
  return std::ranges::find(containers, id, &Container::id) != containers.end();
}

}  // namespace

std::expected<std::vector<Container>, ReadBackFailure> read_back(const DeploymentPlan& plan,
                                                                 const WantedImage& wanted,
                                                                 const Host& host) {
  std::vector<Container> all;
  for (const ProjectPlan& project : plan.projects) {
    for (const ServicePlan& service : project.services) {
      const auto containers = containers_of(project, service, host);
      if (!containers) {
        return containers;
      }
      for (const Container& container : *containers) {
        if (auto failure = check_image(project, service, container,
                                       wanted(project.compose.project, service.reference))) {
          return std::unexpected(std::move(*failure));
        }
        all.push_back(container);
      }
    }
  }
  for (const ProjectPlan& project : plan.projects) {
    for (const ServicePlan& follower : project.followers) {
      const auto containers = containers_of(project, follower, host);
      if (!containers) {
        return containers;
      }
      for (const Container& container : *containers) {
        if (!is_connected(container, host.containers)) {
          return std::unexpected(ReadBackFailure{
              ReasonCode::not_recreated,
              fmt::format("compose left {} in the network namespace of a container that is gone",
                          container.name)});
        }
        all.push_back(container);
      }
    }
  }
  return all;
}

std::optional<std::chrono::milliseconds> downtime_of(const ProjectPlan& project,
                                                     const std::vector<Container>& now,
                                                     const std::vector<ContainerEvent>& events) {
  const auto when = [&](const std::string& id,
                        std::string_view action) -> std::optional<Timestamp> {
    for (const ContainerEvent& event : events) {
      if (event.container == id && event.action == action) {
        return event.at;
      }
    }
    return std::nullopt;
  };
  std::optional<std::chrono::milliseconds> longest;
  for (const ServicePlan& service : project.services) {
    for (const PlannedContainer& old : service.containers) {
      const auto replacement = std::ranges::find_if(now, [&](const Container& container) {
        const bool takes_its_place = project.by_script
                                         ? container.name == old.name || service.replicas() == 1
                                         : container_number(container) == old.number;
        return project.has(service, container) && container.id != old.id && takes_its_place;
      });
      const auto ended = when(old.id, "die");
      const auto started = replacement != now.end() ? when(replacement->id, "start") : std::nullopt;
      if (ended && started) {
        longest = std::max({longest.value_or(std::chrono::milliseconds{}), *started - *ended});
      }
    }
  }
  return longest;
}

}  // namespace tallyman
