#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tallyman/model/host.hpp"
#include "tallyman/model/image_reference.hpp"
#include "tallyman/model/watch.hpp"

namespace tallyman {

/// A container that a watch is about, with its local image (nothing if that was removed under it).
struct Replica {
  Container container;
  std::optional<Image> image;
  bool podman = false;  ///< Host::podman
};

/// The containers of a watch that run the same reference.
struct WatchedImage {
  ImageReference reference;
  std::vector<Replica> replicas;
};

/// What a watch is about on this host.
struct Selection {
  std::vector<WatchedImage> images;  ///< by reference
  std::vector<Container> by_id;      ///< created from an image id: nobody knows their reference
  [[nodiscard]] bool empty() const { return images.empty() && by_id.empty(); }
};

/// The running containers that `watch` asks for:
///  - with compose.services: those services of the project, which is told by compose.project, else
///  by compose.directory; with an image
///    as well, only those of that reference
///  - else: every container of that reference, of the named project or directory only where one is
///  given
/// Containers that do not run, and those of `compose run`, are never part of it. A container that
/// was created with tag and digest counts as one of its tag. What looks like a name and is the
/// beginning of the image's own id (`docker run 4be7d0c1a2f3`) is an id, unless the image has that
/// name.
[[nodiscard]] Selection select(const Watch& watch, const Host& host);

/// The same for many watches of one host, whose references are taken apart once.
class Selector {
 public:
  explicit Selector(const Host& host);  ///< which stays as it is, and outlives this
  [[nodiscard]] Selection select(const Watch& watch) const;

 private:
  const Host& m_host;
  std::vector<std::optional<ImageReference>> m_references;          // one for each container
  std::map<std::string, std::vector<std::size_t>> m_by_repository;  // which containers
};

/// Two watches that are about one container.
struct Conflict {
  ServiceName first;
  ServiceName second;
  std::string container;  ///< its name
};
/// All pairs, each with the first container in question.
[[nodiscard]] std::vector<Conflict> find_conflicts(
    const std::vector<std::pair<ServiceName, Selection>>& selections);

}  // namespace tallyman
