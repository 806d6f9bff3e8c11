#pragma once

#include "config/toml_document.hpp"
#include "tallyman/model/watch.hpp"

namespace tallyman::config {

class ProblemList;

/// [health] and [rollback] of a drop-in.
[[nodiscard]] HealthSettings read_health(const TomlNode& table, ProblemList& problems);
[[nodiscard]] RollbackSettings read_rollback(const TomlNode& table, ProblemList& problems);

}  // namespace tallyman::config
