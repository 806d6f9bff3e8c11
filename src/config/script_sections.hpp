#pragma once

#include "config/toml_document.hpp"
#include "tallyman/model/watch.hpp"

namespace tallyman::config {

class ProblemList;

/// [redeploy] of a drop-in. `has_image`, `has_compose`: what else the drop-in has; without an image
/// nobody knows which containers are the script's, and compose and a script exclude each other.
[[nodiscard]] RedeploySettings read_redeploy(const TomlNode& table, bool has_image,
                                             bool has_compose, ProblemList& problems);

/// [hooks] of a drop-in.
[[nodiscard]] HookSettings read_hooks(const TomlNode& table, ProblemList& problems);

}  // namespace tallyman::config
