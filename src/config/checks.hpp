#pragma once

#include "config/table_reader.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tallyman::config {

/// What compose accepts: [a-zA-Z0-9][a-zA-Z0-9._-]* for services and profiles, and
/// [a-z0-9][a-z0-9_-]* for projects.
[[nodiscard]] bool is_service_name(std::string_view text);
[[nodiscard]] bool is_project_name(std::string_view text);
/// [A-Za-z_][A-Za-z0-9_]*
[[nodiscard]] bool is_environment_name(std::string_view text);
/// [A-Za-z0-9][A-Za-z0-9_.-]{0,62}
[[nodiscard]] bool is_drop_in_name(std::string_view text);

/// "/etc/tallyman/conf.d/web.toml" -> "web"
[[nodiscard]] std::string_view stem_of(std::string_view file);

[[nodiscard]] bool has_control_characters(std::string_view text);

/// "" if it is an absolute path, else what is wrong with it, without the text itself.
[[nodiscard]] std::string_view flaw_of_absolute_path(std::string_view path);

/// The texts, without those that are there before already: each of these is reported.
[[nodiscard]] std::vector<TextValue> without_duplicates(TableReader& reader, std::string_view key,
                                                        std::vector<TextValue> values);

/// `command`: the words of a program's call, which no shell reads.
[[nodiscard]] std::vector<std::string> read_command(TableReader& reader);

}  // namespace tallyman::config
