#pragma once

#include <optional>
#include <vector>

#include "tallyman/deploy/deployer.hpp"
#include "tallyman/report/status.hpp"
#include "tallyman/tick/look.hpp"

namespace tallyman {

/// One service's entry of the status file. `before`: what the tick saw and decided; `after`: the
/// host as it is now, nothing if it could not be read back; `outcome`: how its deployment ended, if
/// there was one. Updates the service's memory (pending_since, failures, last good).
[[nodiscard]] ServiceStatus service_status(const ServiceLook& before, const Selector* after,
                                           const Outcome* outcome, Timestamp now, Memory& memory);

/// The registries that limit what this host may ask, by name.
[[nodiscard]] std::vector<RegistryStatus> registry_statuses(const Memory& memory, Timestamp now);

}  // namespace tallyman
