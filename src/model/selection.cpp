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

/// "4be7d0c1a2f3" for an image #4be7d0c1a2f3…, which nobody called so. An engine takes any length
/// that is unique.
bool is_beginning_of_id(std::string_view text, const Container& container, const Image* image) {
  constexpr std::string_view k_algorithm = "sha256:";
  constexpr std::size_t k_shortest = 4;  // nobody types less, and many names are that short
  std::string_view id = container.image_id;
  for (std::string_view* one : {&text, &id}) {
    if (one->starts_with(k_algorithm)) {
      one->remove_prefix(k_algorithm.size());
    }
  }
  const auto is_called_so = [&](const std::string& name) {
    return name.starts_with(text) && name.find_first_of(":@") == text.size();
  };
  return text.size() >= k_shortest && id.starts_with(text) &&
         (image == nullptr || (std::ranges::none_of(image->repo_tags, is_called_so) &&
                               std::ranges::none_of(image->repo_digests, is_called_so)));
}

/// What a container was created from; nothing where that was an image's id.
std::optional<ImageReference> reference_of(const Container& container, const Image* image) {
  auto reference = ImageReference::parse(container.image);
  return reference && !is_beginning_of_id(container.image, container, image)
             ? std::optional(std::move(*reference))
             : std::nullopt;
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

Selector::Selector(const Host& host) : m_host(host) {
  m_references.reserve(host.containers.size());
  for (const Container& container : host.containers) {
    auto reference = reference_of(container, host.image_of(container));
    if (reference) {
      m_by_repository[reference->repository()].push_back(m_references.size());
    }
    m_references.push_back(std::move(reference));
  }
}

Selection Selector::select(const Watch& watch) const {
  std::map<ImageReference, std::vector<Replica>> by_reference;
  Selection selection;
  const auto take = [&](std::size_t index) {
    const Container& container = m_host.containers[index];
    const std::optional<ImageReference>& reference = m_references[index];
    if (!wants(watch, container, reference)) {
      return;
    }
    if (!reference) {
      selection.by_id.push_back(container);
      return;
    }
    const Image* image = m_host.image_of(container);
    by_reference[*reference].push_back(
        {container, image != nullptr ? std::optional(*image) : std::nullopt, m_host.podman});
  };
  if (watch.image) {
    if (const auto found = m_by_repository.find(watch.image->repository());
        found != m_by_repository.end()) {
      std::ranges::for_each(found->second, take);
    }
  } else {
    for (std::size_t i = 0; i < m_references.size(); ++i) {
      take(i);
    }
  }
  for (auto& [reference, replicas] : by_reference) {
    std::ranges::sort(replicas, {}, [](const Replica& r) { return r.container.name; });
    selection.images.push_back({reference, std::move(replicas)});
  }
  return selection;
}

Selection select(const Watch& watch, const Host& host) {
  return Selector(host).select(watch);
}

std::vector<Conflict> find_conflicts(
    const std::vector<std::pair<ServiceName, Selection>>& selections) {
  std::map<std::string, std::vector<std::size_t>> earlier;                  // by container
  std::map<std::pair<std::size_t, std::size_t>, std::string> first_shared;  // by their places
  for (std::size_t mine = 0; mine < selections.size(); ++mine) {
    for (const std::string& id : container_ids(selections[mine].second)) {
      for (const std::size_t theirs : earlier[id]) {
        first_shared.try_emplace({theirs, mine}, id);
      }
      earlier[id].push_back(mine);
    }
  }
  std::vector<Conflict> conflicts;
  for (const auto& [places, id] : first_shared) {
    const auto& [name, selection] = selections[places.first];
    conflicts.push_back({name, selections[places.second].first, name_of(selection, id)});
  }
  return conflicts;
}

}  // namespace tallyman
