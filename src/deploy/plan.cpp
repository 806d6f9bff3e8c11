#include "tallyman/deploy/plan.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "tallyman/deploy/project_settings.hpp"

namespace tallyman {
namespace {

/// Without what was put before the name when a recreation was cut: "<12 hex>_".
std::string canonical_name(const std::string& name) {
  constexpr std::size_t k_hex = 12;
  const bool prefixed = name.size() > k_hex + 1 && name[k_hex] == '_' &&
                        name.find_first_not_of("0123456789abcdef") == k_hex;
  return prefixed ? name.substr(k_hex + 1) : name;
}

/// Every container of a service, also those that the drop-in does not select: compose counts them
/// all.
ServicePlan service_plan(const Host& host, const ProjectPlan& project, std::string_view service,
                         const ImageReference& reference) {
  ServicePlan plan{.name = std::string(service), .reference = reference};
  for (const Container& container : host.containers) {
    if (!project.has(plan, container)) {
      continue;
    }
    if (container.alive() && project.by_script) {
      plan.containers.push_back({container.id, container.name, 0, container.image_id});
    } else if (container.alive()) {
      plan.containers.push_back({container.id, canonical_name(container.name),
                                 container_number(container), container.image_id});
    } else {
      plan.bystanders.push_back(container.id);
    }
  }
  return plan;
}

/// Running services whose containers live in the network namespace of a container that goes away.
Result<std::vector<ServicePlan>> followers_of(const ProjectPlan& project, const Host& host) {
  std::vector<std::string> namespaces;
  std::vector<std::string> known;
  for (const ServicePlan& service : project.services) {
    known.push_back(service.name);
    for (const PlannedContainer& container : service.containers) {
      namespaces.push_back("container:" + container.id);
    }
  }
  std::vector<ServicePlan> followers;
  for (const Container& container : host.containers) {
    const std::string name(container.label(k_label_service));
    if (!container.alive() || !is_of_service(container, project.compose.project, name) ||
        std::ranges::find(namespaces, container.network_mode) == namespaces.end() ||
        std::ranges::find(known, name) != known.end()) {
      continue;
    }
    known.push_back(name);
    const auto reference = ImageReference::parse(container.image);
    if (!reference) {
      return fail(ErrorKind::config,
                  "{} shares the network of a container that is to be recreated, so it must be "
                  "recreated too, but nobody knows its image's name: {}",
                  container.name, reference.error().message);
    }
    followers.push_back(service_plan(host, project, name, *reference));
  }
  return followers;
}

/// One compose call of one drop-in.
struct Group {
  const Watch* watch = nullptr;
  const Container* newest = nullptr;
  std::map<std::string, ImageReference> services;
};
using Groups = std::map<std::pair<std::size_t, std::string>, Group>;  // by request and project

void add_to_group(Group& group, const Watch& watch, const Replica& replica,
                  const ImageReference& reference) {
  group.watch = &watch;
  if (group.newest == nullptr || replica.container.created > group.newest->created) {
    group.newest = &replica.container;
  }
  const std::string service =
      watch.redeploy.used() ? watch.name : std::string(replica.container.label(k_label_service));
  group.services.insert_or_assign(service, reference);
}

/// What recreates a container: its compose project, or the script of the drop-in, which has the
/// drop-in's name; nothing does for one that is managed by neither.
std::optional<std::string> project_of(const Watch& watch, const Container& container) {
  if (watch.redeploy.used()) {
    return watch.name;
  }
  return is_compose_service(container)
             ? std::optional(std::string(container.label(k_label_project)))
             : std::nullopt;
}

/// What most replicas of a project run: the way back goes there.
void add_old_images(const Watch& watch, const WatchedImage& running, ImagePlan& image) {
  std::map<std::string, std::map<std::string, int>> counts;
  for (const Replica& replica : running.replicas) {
    if (const auto project = project_of(watch, replica.container)) {
      ++counts[*project][replica.container.image_id];
    }
  }
  for (const auto& [project, images] : counts) {
    const std::string& most =
        std::ranges::max_element(images, {}, [](const auto& one) { return one.second; })->first;
    const auto replica = std::ranges::find(
        running.replicas, most, [](const Replica& one) { return one.container.image_id; });
    if (std::ranges::find(image.old, project, &OldImage::project) == image.old.end()) {
      image.old.push_back({project, most, pullable_digest(running.reference, *replica),
                           replica->image ? std::string(replica->image->version()) : ""});
    }
  }
}

void add_image(const Watch& watch, const Comparison& comparison, std::vector<ImagePlan>& images) {
  const RemoteImage& remote = comparison.remote->value();
  auto image = std::ranges::find(images, remote.reference, &ImagePlan::reference);
  if (image == images.end()) {
    images.push_back(
        {.reference = remote.reference, .digest = remote.digest, .platform = comparison.platform});
    image = images.end() - 1;
  }
  if (remote.platform) {
    image->manifest = remote.platform->manifest;
    image->layers = remote.platform->layers;
  }
  add_old_images(watch, comparison.running, *image);
}

/// What all replicas of all references run; nothing where they differ.
std::optional<Digest> common_digest(const std::vector<Comparison>& comparisons) {
  std::optional<Digest> common;
  for (const Comparison& comparison : comparisons) {
    for (const Replica& replica : comparison.running.replicas) {
      const auto digest = pullable_digest(comparison.running.reference, replica);
      if (!digest || (common && *common != *digest)) {
        return std::nullopt;
      }
      common = digest;
    }
  }
  return common;
}

void add_request(const DeploymentRequest& request, std::size_t index, DeploymentPlan& plan,
                 Groups& groups) {
  std::vector<ImageReference> references;
  std::vector<Digest> digests;
  for (std::size_t i = 0; i < request.comparisons.size(); ++i) {
    const Comparison& comparison = request.comparisons[i];
    if (!request.decision.images.at(i).deploy) {
      continue;
    }
    const RemoteImage& remote = comparison.remote->value();
    references.push_back(remote.reference);
    digests.push_back(remote.digest);
    add_image(request.watch, comparison, plan.images);
    for (const Replica& replica : comparison.running.replicas) {
      if (const auto project = project_of(request.watch, replica.container)) {
        add_to_group(groups[{index, *project}], request.watch, replica, remote.reference);
      }
    }
  }
  plan.parts.push_back({.service = request.watch.name,
                        .references = std::move(references),
                        .from = common_digest(request.comparisons),
                        .to = digests.at(0),
                        .rollback = request.watch.rollback,
                        .health = request.watch.health,
                        .hooks = request.watch.hooks});
}

Result<std::optional<ProjectPlan>> project_plan(const std::string& name, const Group& group,
                                                const Host& host) {
  ProjectPlan project{
      .drop_in = group.watch->name,
      .compose = {.project = name},
      .by_script = group.watch->redeploy.used(),
      .redeploy = group.watch->redeploy,
      .created_by_v1 = group.newest->label(k_label_compose_version).starts_with("1.")};
  for (const auto& [service, reference] : group.services) {
    // What was stopped since it was looked at is not started again.
    if (auto one = service_plan(host, project, service, reference); !one.containers.empty()) {
      project.services.push_back(std::move(one));
    }
  }
  if (project.services.empty()) {
    return std::nullopt;
  }
  if (project.by_script) {
    return project;
  }
  auto compose = project_settings(*group.watch, *group.newest);
  if (!compose) {
    return std::unexpected(compose.error());
  }
  project.compose = std::move(*compose);
  auto followers = followers_of(project, host);
  if (!followers) {
    return std::unexpected(followers.error());
  }
  project.followers = std::move(*followers);
  return project;
}

bool share_reference(const DeploymentRequest& a, const DeploymentRequest& b) {
  for (std::size_t i = 0; i < a.comparisons.size(); ++i) {
    for (std::size_t j = 0; j < b.comparisons.size(); ++j) {
      if (a.decision.images.at(i).deploy && b.decision.images.at(j).deploy &&
          a.comparisons[i].running.reference == b.comparisons[j].running.reference) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

Result<DeploymentPlan> make_plan(const std::vector<DeploymentRequest>& requests, const Host& host) {
  DeploymentPlan plan;
  Groups groups;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    add_request(requests[i], i, plan, groups);
  }
  for (const auto& [key, group] : groups) {
    auto project = project_plan(key.second, group, host);
    if (!project) {
      return std::unexpected(project.error());
    }
    if (*project) {
      plan.projects.push_back(std::move(**project));
    }
  }
  if (plan.projects.empty()) {
    return fail(ErrorKind::transient, "nothing of service {} runs any more", plan.name());
  }
  return plan;
}

Result<std::optional<ProjectPlan>> plan_to_ask(const Watch& watch,
                                               const std::vector<Comparison>& comparisons,
                                               const std::string& project, const Host& host) {
  Group group;
  for (const Comparison& comparison : comparisons) {
    for (const Replica& replica : comparison.running.replicas) {
      if (project_of(watch, replica.container) == project) {
        add_to_group(group, watch, replica, comparison.running.reference);
      }
    }
  }
  return group.newest != nullptr ? project_plan(project, group, host) : std::nullopt;
}

std::vector<std::vector<std::size_t>> group_by_reference(
    const std::vector<DeploymentRequest>& requests) {
  std::vector<std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    std::vector<std::size_t> mine = {i};
    // One request can join what were two groups.
    std::erase_if(groups, [&](const std::vector<std::size_t>& group) {
      const bool shares = std::ranges::any_of(
          group, [&](std::size_t other) { return share_reference(requests[i], requests[other]); });
      if (shares) {
        mine.insert(mine.end(), group.begin(), group.end());
      }
      return shares;
    });
    std::ranges::sort(mine);
    groups.push_back(std::move(mine));
  }
  std::ranges::sort(groups, {},
                    [](const std::vector<std::size_t>& group) { return group.front(); });
  return groups;
}

}  // namespace tallyman
