#include "tallyman/deploy/plan.hpp"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <span>
#include <utility>

#include "tallyman/io/files.hpp"

namespace tallyman {
namespace {

bool exists(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

std::vector<std::string_view> split_at_commas(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    parts.push_back(text.substr(0, comma));
    text = comma == std::string_view::npos ? "" : text.substr(comma + 1);
  }
  return parts;
}

/// Compose joins the paths of a label with commas, and a path may hold one: the longest join that
/// exists is the path.
std::vector<std::string> paths_of_label(std::string_view label, const std::string& base) {
  const std::vector<std::string_view> parts = split_at_commas(label);
  std::vector<std::string> paths;
  for (std::size_t first = 0; first < parts.size();) {
    std::string path(parts[first]);
    std::size_t taken = 1;
    for (std::size_t count = parts.size() - first; count > 1; --count) {
      const std::span joined(parts.data() + first, count);
      if (std::string whole = fmt::format("{}", fmt::join(joined, ","));
          exists(absolute_path(whole, base))) {
        path = std::move(whole);
        taken = count;
        break;
      }
    }
    paths.push_back(absolute_path(path, base));
    first += taken;
  }
  return paths;
}

std::vector<std::string> absolute_paths(const std::vector<std::string>& paths,
                                        const std::string& base) {
  std::vector<std::string> result;
  for (const std::string& path : paths) {
    result.push_back(absolute_path(path, base));
  }
  return result;
}

Result<void> check_files(const std::vector<std::string>& paths, bool from_label,
                         std::string_view what, const Watch& watch, const Container& container) {
  for (const std::string& path : paths) {
    if (!exists(path)) {
      const std::string source =
          from_label ? fmt::format("which container {} was started with", container.name)
                     : fmt::format("which {} names", watch.file);
      Error error{ErrorKind::config, fmt::format("{} {}, {}, is not there", what, path, source)};
      error.remedy =
          fmt::format("set directory, files and env_files under [compose] in {}", watch.file);
      return std::unexpected(std::move(error));
    }
  }
  return {};
}

/// The drop-in's settings, completed from the labels of a container of the project.
Result<ComposeSettings> complete(const Watch& watch, const Container& container) {
  ComposeSettings compose = watch.compose;
  compose.project = container.label(k_label_project);
  if (compose.directory.empty()) {
    compose.directory = container.label(k_label_working_dir);
  }
  if (compose.directory.empty() || !compose.directory.starts_with('/')) {
    Error error{ErrorKind::config,
                fmt::format("container {} does not say in which folder its compose project {} is",
                            container.name, compose.project)};
    error.remedy = fmt::format("set directory under [compose] in {}", watch.file);
    return std::unexpected(std::move(error));
  }
  if (auto checked = check_files({compose.directory}, watch.compose.directory.empty(),
                                 "project directory", watch, container);
      !checked) {
    return std::unexpected(checked.error());
  }

  const bool files_from_label = compose.files.empty();
  compose.files = files_from_label
                      ? paths_of_label(container.label(k_label_config_files), compose.directory)
                      : absolute_paths(compose.files, compose.directory);
  const bool env_from_label = compose.env_files.empty();
  compose.env_files =
      env_from_label ? paths_of_label(container.label(k_label_environment_file), compose.directory)
                     : absolute_paths(compose.env_files, compose.directory);
  if (auto checked = check_files(compose.files, files_from_label, "compose file", watch, container);
      !checked) {
    return std::unexpected(checked.error());
  }
  if (auto checked = check_files(compose.env_files, env_from_label, "env file", watch, container);
      !checked) {
    return std::unexpected(checked.error());
  }
  return compose;
}

/// Every running container of a service, also those that the drop-in does not select: compose
/// counts them all.
ServicePlan service_plan(const Host& host, std::string_view project, std::string_view service,
                         const ImageReference& reference) {
  ServicePlan plan{.name = std::string(service), .reference = reference, .replicas = 0};
  for (const Container& container : host.containers) {
    if (container.alive() && is_compose_service(container) &&
        container.label(k_label_project) == project &&
        container.label(k_label_service) == service) {
      ++plan.replicas;
      plan.containers.push_back(container.id);
      plan.images.push_back(container.image_id);
    }
  }
  return plan;
}

/// Running services whose containers live in the network namespace of a container that goes away.
std::vector<ServicePlan> followers_of(const ProjectPlan& project, const Host& host) {
  std::vector<std::string> namespaces;
  std::vector<std::string> known;
  for (const ServicePlan& service : project.services) {
    known.push_back(service.name);
    for (const std::string& id : service.containers) {
      namespaces.push_back("container:" + id);
    }
  }
  std::vector<ServicePlan> followers;
  for (const Container& container : host.containers) {
    const std::string name(container.label(k_label_service));
    if (!container.alive() || !is_compose_service(container) ||
        container.label(k_label_project) != project.compose.project ||
        std::ranges::find(namespaces, container.network_mode) == namespaces.end() ||
        std::ranges::find(known, name) != known.end()) {
      continue;
    }
    known.push_back(name);
    if (auto reference = ImageReference::parse(container.image)) {
      followers.push_back(service_plan(host, project.compose.project, name, *reference));
    }
  }
  return followers;
}

struct Group {
  const Container* newest = nullptr;
  std::map<std::string, ImageReference> services;
};

void add_to_group(Group& group, const Replica& replica, const ImageReference& reference) {
  if (group.newest == nullptr || replica.container.created > group.newest->created) {
    group.newest = &replica.container;
  }
  group.services.insert_or_assign(std::string(replica.container.label(k_label_service)), reference);
}

}  // namespace

Result<DeploymentPlan> make_plan(const Watch& watch, const std::vector<Comparison>& comparisons,
                                 const Decision& decision, const Host& host) {
  DeploymentPlan plan{.service = watch.name, .images = {}, .projects = {}};
  std::map<std::string, Group> groups;
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    const Comparison& comparison = comparisons[i];
    if (!decision.images.at(i).deploy) {
      continue;
    }
    const RemoteImage& remote = comparison.remote->value();
    plan.images.push_back({remote.reference, remote.digest, comparison.platform,
                           remote.platform ? remote.platform->layer_bytes : 0});
    for (const Replica& replica : comparison.running.replicas) {
      if (is_compose_service(replica.container)) {
        add_to_group(groups[std::string(replica.container.label(k_label_project))], replica,
                     remote.reference);
      }
    }
  }

  for (const auto& [name, group] : groups) {
    ProjectPlan project{
        .compose = {},
        .created_by_v1 = group.newest->label(k_label_compose_version).starts_with("1."),
        .services = {}};
    for (const auto& [service, reference] : group.services) {
      // What was stopped since it was looked at is not started again.
      if (auto one = service_plan(host, name, service, reference); one.replicas > 0) {
        project.services.push_back(std::move(one));
      }
    }
    if (project.services.empty()) {
      continue;
    }
    auto compose = complete(watch, *group.newest);
    if (!compose) {
      return std::unexpected(compose.error());
    }
    project.compose = std::move(*compose);
    project.followers = followers_of(project, host);
    plan.projects.push_back(std::move(project));
  }
  if (plan.projects.empty()) {
    return fail(ErrorKind::transient, "nothing of service {} runs any more", watch.name);
  }
  return plan;
}

}  // namespace tallyman
