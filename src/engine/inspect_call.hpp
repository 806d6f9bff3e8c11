#pragma once

#include "engine/engine_api.hpp"
#include "tallyman/model/error.hpp"

#include <string>
#include <string_view>

namespace tallyman {

/// GET /containers/{name}/json or /images/{name}/json; `kind` is "container" or "image". not_found
/// for what can be no name, without asking.
[[nodiscard]] Result<ApiCall> inspect_call(std::string_view kind, const std::string& name);

}  // namespace tallyman
