#pragma once

#include "tallyman/model/error.hpp"
#include "tallyman/model/host.hpp"

#include <string_view>
#include <vector>

namespace tallyman {

/// The answer to GET /containers/json?all=1.
[[nodiscard]] Result<std::vector<Container>> parse_container_list(std::string_view body);

/// The answer to GET /containers/{id}/json.
[[nodiscard]] Result<Container> parse_container(std::string_view body);

/// Of the same answer: has the container a terminal (Config.Tty)?
[[nodiscard]] Result<bool> parse_tty(std::string_view body);

/// False if the list may have put an image id where the reference was: the engine does so once the
/// reference's tag has moved to another image. Only an inspect tells then.
[[nodiscard]] bool shows_reference(const Container& listed);

}  // namespace tallyman
