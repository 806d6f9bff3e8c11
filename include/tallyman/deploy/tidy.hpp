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
  std::string name;  ///< its name now; for rename the one that it gets
  friend bool operator==(const TidyAction&, const TidyAction&) = default;
};

/// What compose left half way is put in order through the engine, before compose is asked for
/// anything: it could remove the last running container otherwise. For each container that ran
/// before the deployment: if it is still there, whatever took its place is removed, it gets its
/// name back and runs; else the one of its number that is there gets its name. Containers that did
/// not run before, and those of other numbers, are left alone. Removals come first: a port may be
/// taken.
[[nodiscard]] std::vector<TidyAction> plan_tidy(const DeploymentPlan& plan, const Host& host);

}  // namespace tallyman
