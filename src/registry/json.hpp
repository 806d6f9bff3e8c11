#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace tallyman {

/// JSON from outside; nothing if it is none or nests deeper than 32 levels.
[[nodiscard]] std::optional<nlohmann::json> parse_json(std::string_view text);

/// The member `name` of an object if it is a string, else "".
[[nodiscard]] std::string string_member(const nlohmann::json& object, const char* name);

}  // namespace tallyman
