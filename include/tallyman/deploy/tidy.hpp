#pragma once

#include <string>
#include <vector>

#include "tallyman/model/deployment.hpp"
#include "tallyman/model/host.hpp"

namespace tallyman {

/// One thing to do about a container.
struct TidyAction {
  enum class Kind { remove, rename, start };
  Kind kind;
  std::string id;
  std::string name;       ///< its name now; for rename the one that it gets
  bool optional = false;  ///< the way back goes on if it fails
  friend bool operator==(const TidyAction&, const TidyAction&) = default;
};

/// What compose left half way is put in order through the engine, before compose is asked for
/// anything: it could remove the last running container otherwise. For each container that ran
/// before the deployment: if it is still there, whatever took its place is removed, it gets its
/// name back and runs; else the one of its number that is there gets its name. Containers that did
/// not run before, and those of other numbers, are left alone. Removals come first: a port may be
/// taken.
/// Of a script's containers none is ever removed or renamed: the script is the one who knows what
/// each is for, and how to come from there to a whole service. Only where it stopped some and
/// created none (it died between the two) are those started that still have their name, so that the
/// service is back before the script is run again; if that fails, the script is run all the same.
[[nodiscard]] std::vector<TidyAction> plan_tidy(const DeploymentPlan& plan, const Host& host);

/// Did a script leave everything as it was? The same containers run under their names, and nothing
/// was created.
[[nodiscard]] bool is_as_before(const ProjectPlan& project, const Host& host);

}  // namespace tallyman
