#pragma once

#include <string>
#include <string_view>

namespace tallyman {

/// "sha256:…", or 12 to 64 lowercase hex characters: the (short) id of an image. A repository may
/// have such a name as well, so this is only a reason to ask.
[[nodiscard]] bool looks_like_id(std::string_view text);

/// 64 bare hex characters get their "sha256:", which some engines leave out; the rest stays.
[[nodiscard]] std::string with_algorithm(std::string id);

}  // namespace tallyman
