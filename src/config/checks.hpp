#pragma once

#include "config/table_reader.hpp"

#include <chrono>
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

/// "" if it is an absolute path, else what is wrong with it, without the text itself.
[[nodiscard]] std::string_view flaw_of_absolute_path(std::string_view path);

/// The texts, without those that are there before already: each of these is reported.
[[nodiscard]] std::vector<TextValue> without_duplicates(TableReader& reader, std::string_view key,
                                                        std::vector<TextValue> values);

/// The words of a program's call, which no shell reads. `directory`: where it is run, if the table
/// says so; a program may then be named relative to it ("./start.sh").
[[nodiscard]] std::vector<std::string> read_command(TableReader& reader,
                                                    std::string_view key = "command",
                                                    std::string_view directory = "");

/// `directory`: absolute; empty where it is not there, or no good.
[[nodiscard]] std::string read_directory(TableReader& reader, std::string_view example);
/// `timeout` of a child, from 1 s to 24 h; `otherwise` where it is not there, or no good.
[[nodiscard]] std::chrono::milliseconds read_timeout(TableReader& reader,
                                                     std::chrono::milliseconds otherwise);

}  // namespace tallyman::config
