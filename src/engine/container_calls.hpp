#pragma once

#include "engine/engine_api.hpp"
#include "tallyman/model/error.hpp"

#include <string>
#include <string_view>

namespace tallyman {

// What changes a container; Engine says what each does.
[[nodiscard]] Result<void> remove_container(EngineApi& api, const std::string& id);
[[nodiscard]] Result<void> rename_container(EngineApi& api, const std::string& id,
                                            const std::string& name);
[[nodiscard]] Result<void> start_container(EngineApi& api, const std::string& id);
[[nodiscard]] Result<void> restart_container(EngineApi& api, const std::string& id);

}  // namespace tallyman
