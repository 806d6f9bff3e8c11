#pragma once

#include "config/table_reader.hpp"
#include "tallyman/model/watch.hpp"

namespace tallyman::config {

/// [compose] of a drop-in. `has_image`: the drop-in has an image, good or bad, so that [compose]
/// need not say what is watched.
[[nodiscard]] ComposeSettings read_compose(const TomlNode& table, bool has_image,
                                           ProblemList& problems);

}  // namespace tallyman::config
