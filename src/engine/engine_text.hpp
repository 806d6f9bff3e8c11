#pragma once

#include "tallyman/io/http.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace tallyman {

/// Text of an engine, a registry or a container for a message: one line, printable, not too long.
[[nodiscard]] std::string one_line(std::string_view text);

/// The same as the end of a message of ours: without a period.
[[nodiscard]] std::string reason(std::string_view text);

/// What the engine says in a bad answer: its "message", or the body itself; one line, never empty.
[[nodiscard]] std::string message_of(const HttpResponse& answer);

/// For a path: a name with everything encoded that would end the path; "/", ":" and "@" stay, as
/// the engine's router wants them. Nothing for what would lead to another path ("a/../b").
[[nodiscard]] std::optional<std::string> path_part(std::string_view name);

}  // namespace tallyman
