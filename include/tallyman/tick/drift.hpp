#pragma once

#include <map>
#include <string>
#include <vector>

#include "tallyman/deploy/deployer.hpp"
#include "tallyman/model/memory.hpp"
#include "tallyman/tick/look.hpp"

namespace tallyman {

/// What a look for drift brought to light.
struct DriftNews {
  std::vector<std::string> noticed;  ///< for the first time, and what becomes of it
  std::vector<std::string>
      not_known;  ///< why compose could not be asked; the next look tries again
};

/// Finds out what compose would apply besides the images: `memory` and look.services[].drift know
/// it then. Compose is asked only about what is seen for the first time, and where its settings, a
/// compose file or an env file changed since; and not about what is to be deployed, since a
/// deployment asks anyhow.
[[nodiscard]] DriftNews look_for_drift(Look& look, Deployer& deployer, Timestamp now,
                                       Memory& memory);

/// By drop-in: what would be applied with what was prepared, as far as that is more than the image.
/// Memory knows it then.
using Drifts = std::map<ServiceName, Drift>;
[[nodiscard]] Drifts drift_of_prepared(const std::vector<PreparedProject>& prepared,
                                       const Host& host, Timestamp now, Memory& memory);

/// After a deployment: what the containers of these drop-ins were created from.
void settle_drift(const std::vector<const ServiceLook*>& services, const Host& host, Timestamp now,
                  Memory& memory);

}  // namespace tallyman
