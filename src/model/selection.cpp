#include "tallyman/model/selection.hpp"

#include <algorithm>
#include <map>

namespace tallyman {
namespace {

std::string_view without_trailing_slash(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) {
    path.remove_suffix(1);
  }
  return path;
}

/// A project's name says which one it is, wherever it was started from; without a name its folder
/// does.
bool in_project(const ComposeSettings& compose, const Container& container) {
  if (!compose.project.empty()) {
    return container.label(k_label_project) == compose.project;
  }
  if (!compose.directory.empty()) {
    return without_trailing_slash(container.label(k_label_working_dir)) ==
           without_trailing_slash(compose.directory);
  }
  return true;
}

bool in_services(const ComposeSettings& compose, const Container& container) {
  if (compose.services.size() == 1 && compose.services.front() == "*") {
    return true;
  }
  return std::ranges::find(compose.services, container.label(k_label_service)) !=
         compose.services.end();
}

bool is_of_image(const ImageReference& wanted, const std::optional<ImageReference>& reference) {
  if (!reference || reference->repository() != wanted.repository()) {
    return false;
  }
  return wanted.tag() ? reference->tag() == wanted.tag() : reference->digest() == wanted.digest();
}

bool wants(const Watch& watch, const Container& container,
           const std::optional<ImageReference>& reference) {
  const bool one_off = !container.label(k_label_project).empty() && !is_compose_service(container);
  if (!container.alive() || one_off || !in_project(watch.compose, container)) {
    return false;
  }
  if (!watch.compose.services.empty() &&
      (!is_compose_service(container) || !in_services(watch.compose, container))) {
    return false;
  }
  return !watch.image || is_of_image(*watch.image, reference);
}

std::vector<std::string> container_ids(const Selection& selection) {
  std::vector<std::string> ids;
  for (const WatchedImage& image : selection.images) {
    for (const Replica& replica : image.replicas) {
      ids.push_back(replica.container.id);
    }
  }
  for (const Container& container : selection.by_id) {
    ids.push_back(container.id);
  }
  return ids;
}

std::string name_of(const Selection& selection, const std::string& id) {
  for (const WatchedImage& image : selection.images) {
    for (const Replica& replica : image.replicas) {
      if (replica.container.id == id) {
        return replica.container.name;
      }
    }
  }
  for (const Container& container : selection.by_id) {
    if (container.id == id) {
      return container.name;
    }
  }
  return id;
}

}  // namespace

Selection select(const Watch& watch, const Host& host) {
  std::map<ImageReference, std::vector<Replica>> by_reference;
  Selection selection;
  for (const Container& container : host.containers) {
    auto parsed = ImageReference::parse(container.image);
    const std::optional<ImageReference> reference =
        parsed ? std::optional(std::move(*parsed)) : std::nullopt;
    if (!wants(watch, container, reference)) {
      continue;
    }
    if (!reference) {
      selection.by_id.push_back(container);
      continue;
    }
    const Image* image = host.image_of(container);
    by_reference[*reference].push_back(
        {container, image != nullptr ? std::optional(*image) : std::nullopt});
  }
  for (auto& [reference, replicas] : by_reference) {
    std::ranges::sort(replicas, {}, [](const Replica& r) { return r.container.name; });
    selection.images.push_back({reference, std::move(replicas)});
  }
  return selection;
}

std::vector<Conflict> find_conflicts(
    const std::vector<std::pair<ServiceName, Selection>>& selections) {
  std::vector<Conflict> conflicts;
  for (std::size_t i = 0; i < selections.size(); ++i) {
    const std::vector<std::string> mine = container_ids(selections[i].second);
    for (std::size_t j = i + 1; j < selections.size(); ++j) {
      const std::vector<std::string> theirs = container_ids(selections[j].second);
      const auto shared = std::ranges::find_first_of(mine, theirs);
      if (shared != mine.end()) {
        conflicts.push_back(
            {selections[i].first, selections[j].first, name_of(selections[i].second, *shared)});
      }
    }
  }
  return conflicts;
}

}  // namespace tallyman
