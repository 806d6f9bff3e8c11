#pragma once

#include "tallyman/model/error.hpp"
#include "tallyman/model/host.hpp"

#include <map>
#include <string>
#include <string_view>

namespace tallyman {

/// The answer to GET /images/json, by image id.
[[nodiscard]] Result<std::map<std::string, Image>> parse_image_list(std::string_view body);

/// The answer to GET /images/{name}/json.
[[nodiscard]] Result<ImageDetail> parse_image(std::string_view body);

}  // namespace tallyman
