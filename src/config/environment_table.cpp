#include "config/environment_table.hpp"

#include "config/checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace tallyman::config {

namespace {

constexpr auto k_reserved = std::to_array<ReservedVariable>({
    {"DOCKER_HOST", "it is set from [engine] host in tallyman.toml, for all services alike"},
    {"DOCKER_CONTEXT",
     "docker must talk to the engine that was looked at; see [engine] host in tallyman.toml"},
    {"DOCKER_CONFIG", "it holds for all of tallyman; set it in the environment of its unit"},
    {"LC_ALL", "it is set to C, so that the output can be read"},
    {"PATH", "it is tallyman's own; name the program in full with command = [\"/…\"]"},
});

std::string_view why_reserved(std::string_view name, std::span<const ReservedVariable> more) {
  if (name.starts_with("LD_")) {
    return "it would load other code into the program";
  }
  for (const auto list : {std::span<const ReservedVariable>(k_reserved), more}) {
    if (const auto found = std::ranges::find(list, name, &ReservedVariable::name);
        found != list.end()) {
      return found->why;
    }
  }
  return "";
}

}  // namespace

std::map<std::string, std::string> read_environment(TableReader& reader, std::string_view section,
                                                    std::span<const ReservedVariable> reserved,
                                                    ProblemList& problems) {
  std::map<std::string, std::string> environment;
  const TomlNode* table = reader.table("environment");
  if (table == nullptr) {
    return environment;
  }
  for (const TomlNode& variable : table->children) {
    const std::string path = key_path(fmt::format("{}.environment", section), variable.key);
    if (!is_environment_name(variable.key)) {
      problems.add(variable.key_at, path,
                   "no name of a variable: letters, digits and _, with no digit first");
    } else if (const auto why = why_reserved(variable.key, reserved); !why.empty()) {
      problems.add(variable.key_at, path, fmt::format("cannot be set here: {}", why));
    }
    if (variable.type != TomlType::text) {
      problems.add(variable.at, path,
                   fmt::format("expected a string, found {}; {}", describe(variable),
                               variable.children.empty() ? "put it in quotes"
                                                         : "a variable holds text only"));
    } else if (variable.text.find('\0') != std::string::npos) {
      problems.add(variable.at, path, "a value with a NUL byte in it");
    }
    environment.emplace(variable.key, variable.text);
  }
  return environment;
}

}  // namespace tallyman::config
