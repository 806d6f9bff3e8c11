#pragma once

#include "tallyman/engine/engine.hpp"
#include "tallyman/model/error.hpp"
#include "tallyman/model/platform.hpp"

#include <string_view>

namespace tallyman {

/// The answer to GET /info; socket and api_version stay empty.
[[nodiscard]] Result<EngineInfo> parse_info(std::string_view body);

/// The answer to GET /version: the platform of the engine's own host, in Go's words.
[[nodiscard]] Result<Platform> parse_own_platform(std::string_view body);

}  // namespace tallyman
