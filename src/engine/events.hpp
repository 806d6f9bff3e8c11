#pragma once

#include "engine/engine_api.hpp"
#include "tallyman/model/error.hpp"
#include "tallyman/model/host.hpp"

#include <string>
#include <vector>

namespace tallyman {

/// Engine::events over the API.
[[nodiscard]] Result<std::vector<ContainerEvent>> read_events(EngineApi& api,
                                                              const std::string& project,
                                                              Timestamp since, Timestamp until);

}  // namespace tallyman
