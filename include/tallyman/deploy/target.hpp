#pragma once

#include <functional>
#include <string_view>

#include "tallyman/deploy/plan.hpp"
#include "tallyman/io/process.hpp"
#include "tallyman/model/drift.hpp"
#include "tallyman/state/state_directory.hpp"

namespace tallyman {

/// A project whose recreation was checked and is ready to run.
struct PreparedProject {
  ProjectPlan plan;
  Command recreate;
  ComposeModels models = {};  ///< what that applies; of a script nobody knows
};

/// What recreates the containers of a service once the new image is there.
class Target {
 public:
  Target() = default;
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  virtual ~Target() = default;

  /// Finds out everything that would make recreate() fail or deploy something else, and touches
  /// nothing.
  [[nodiscard]] virtual Result<PreparedProject> prepare(const ProjectPlan& plan) = 0;

  /// What compose makes of the services of `plan` now, whatever their images are. Touches nothing.
  [[nodiscard]] virtual Result<ComposeModels> models(const ProjectPlan& plan) = 0;

  /// Runs what was prepared, also long afterwards: a journal may have kept it. The child holds
  /// `lock` as well, so that no later run starts beside an orphan of a killed one.
  /// ErrorKind::process with the end of its output if it fails.
  [[nodiscard]] virtual Result<void> recreate(const PreparedProject& project, const Lock& lock) = 0;
};

}  // namespace tallyman
