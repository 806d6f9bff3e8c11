#pragma once

#include <vector>

#include "tallyman/model/decision.hpp"
#include "tallyman/model/deployment.hpp"

namespace tallyman {

/// A drop-in whose Decision::Action is deploy. Refers to its parts.
struct DeploymentRequest {
  const Watch& watch;
  const std::vector<Comparison>& comparisons;
  const Decision& decision;
};

/// Turns what was decided into one transaction: the changed references of all `requests`, and of
/// their containers those that compose manages, by drop-in and project; of a drop-in with
/// [redeploy] all of the reference, whoever manages them: they are one "project" of the drop-in's
/// name. What a drop-in leaves open comes from the newest container's labels. ErrorKind::config,
/// naming drop-in and container, where that is not enough: no label, or a file that is not there
/// (any more). ErrorKind::transient if nothing of it runs any more.
[[nodiscard]] Result<DeploymentPlan> make_plan(const std::vector<DeploymentRequest>& requests,
                                               const Host& host);

/// All services of a compose project that `comparisons` show, to ask compose about them; nothing
/// where none of them runs any more. Errors as above.
[[nodiscard]] Result<std::optional<ProjectPlan>> plan_to_ask(
    const Watch& watch, const std::vector<Comparison>& comparisons, const std::string& project,
    const Host& host);

/// Requests that share a reference share its local tag on the engine, so they are one transaction:
/// the indexes of `requests`, grouped, each group and the groups in their first order.
[[nodiscard]] std::vector<std::vector<std::size_t>> group_by_reference(
    const std::vector<DeploymentRequest>& requests);

}  // namespace tallyman
