#pragma once

#include "engine/engine_api.hpp"
#include "tallyman/model/error.hpp"
#include "tallyman/model/host.hpp"

namespace tallyman {

/// Engine::observe over the API: two lists side by side, then, side by side again, an inspect of
/// what they do not show.
[[nodiscard]] Result<Host> observe_host(EngineApi& api);

}  // namespace tallyman
