#pragma once

#include "tallyman/model/selection.hpp"

namespace tallyman {

/// Does anything show that a replica's image was pulled or pushed under this reference?
[[nodiscard]] bool any_came_from_registry(const WatchedImage& image);

/// A named image without any RepoDigest: only the classic store has such, of images that were built
/// or loaded here. Of an image without a name nobody can tell.
[[nodiscard]] bool never_came_from_registry(const WatchedImage& image);

/// Podman's name for what has no registry. With a port it is one.
[[nodiscard]] bool is_podmans_localhost(const WatchedImage& image);

}  // namespace tallyman
