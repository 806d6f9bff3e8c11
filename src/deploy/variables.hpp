#pragma once

#include <map>
#include <string>

#include "tallyman/model/transaction.hpp"

namespace tallyman {

/// What a script or a hook is told of a deployment, as variables of its environment:
///  TALLYMAN_SERVICE          the drop-in's name
///  TALLYMAN_DEPLOYMENT       the deployment's id, as in status and history
///  TALLYMAN_IMAGE            repository:tag, which on this host means the image that is to run
///  TALLYMAN_TAG              its tag
///  TALLYMAN_DIGEST           its digest in the registry
///  TALLYMAN_PREVIOUS_DIGEST  of what ran before; empty where nobody knows
///  TALLYMAN_PREVIOUS_IMAGE   a name on this host for what ran before, its rollback tag; empty with
///                            [rollback] enabled = false
///  TALLYMAN_ROLLBACK         1 where a script puts the old image back: what is to run is then the
///                            image of before (its digest may be empty), and `previous` the one
///                            that failed
/// Where a drop-in has several references, it is all about the first that is deployed.
[[nodiscard]] std::map<std::string, std::string> variables_of(const Journal& journal,
                                                              const DeploymentPart& part,
                                                              bool rollback = false);

}  // namespace tallyman
