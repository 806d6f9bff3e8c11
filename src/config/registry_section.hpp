#pragma once

#include "config/problem_list.hpp"
#include "config/toml_document.hpp"
#include "tallyman/config/config.hpp"

namespace tallyman::config {

/// [registry."domain"] of tallyman.toml. `node` is what stands under `registry`.
void read_registry(const TomlNode& node, Config& config, ProblemList& problems);

}  // namespace tallyman::config
