#pragma once

#include "engine/engine_api.hpp"
#include "tallyman/model/error.hpp"

#include <string>

namespace tallyman {

/// Engine::logs over the API.
[[nodiscard]] Result<std::string> read_logs(EngineApi& api, const std::string& id, int lines);

}  // namespace tallyman
