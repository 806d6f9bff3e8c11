#include "config/compose_section.hpp"

#include "config/checks.hpp"
#include "tallyman/io/files.hpp"
#include "tallyman/model/time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace tallyman::config {

namespace {

constexpr std::chrono::milliseconds k_shortest_timeout = std::chrono::seconds(1);
constexpr std::chrono::milliseconds k_longest_timeout = std::chrono::hours(24);

/// Variables that would make compose work on something else than what was looked at.
struct ReservedVariable {
  std::string_view name;
  std::string_view why;
};

constexpr auto k_reserved = std::to_array<ReservedVariable>({
    {"DOCKER_HOST", "it is set from [engine] host in tallyman.toml, for all services alike"},
    {"DOCKER_CONTEXT",
     "compose must talk to the engine that was looked at; see [engine] host in "
     "tallyman.toml"},
    {"DOCKER_CONFIG", "it holds for all of tallyman; set it in the environment of its unit"},
    {"COMPOSE_FILE", "write files = [\"…\"] under [compose]"},
    {"COMPOSE_PROJECT_NAME", "write project = \"…\" under [compose]"},
    {"COMPOSE_PROFILES", "write profiles = [\"…\"] under [compose]"},
    {"COMPOSE_ENV_FILES", "write env_files = [\"…\"] under [compose]"},
    {"COMPOSE_REMOVE_ORPHANS", "it would remove containers that nobody asked to touch"},
    {"LC_ALL", "it is set to C, so that compose's output can be read"},
    {"PATH", "it is tallyman's own; name the program in full with command = [\"/…\"]"},
});

std::string_view why_reserved(std::string_view name) {
  if (name.starts_with("LD_")) {
    return "it would load other code into compose";
  }
  const auto* const found = std::ranges::find(k_reserved, name, &ReservedVariable::name);
  return found == k_reserved.end() ? "" : found->why;
}

std::vector<std::string> checked_names(TableReader& reader, std::string_view key,
                                       std::vector<TextValue> values) {
  std::vector<std::string> names;
  for (auto& name : without_duplicates(reader, key, std::move(values))) {
    if (!is_service_name(name.text)) {
      reader.report(name.at, key,
                    fmt::format("{} is no name that compose knows: letters, digits, . _ and -, "
                                "with a letter or digit first",
                                quoted(name.text)));
    }
    names.push_back(std::move(name.text));
  }
  return names;
}

std::vector<std::string> read_services(TableReader& reader) {
  auto values = reader.texts("services");
  const auto star = std::ranges::find(values, "*", &TextValue::text);
  if (star == values.end()) {
    return checked_names(reader, "services", std::move(values));
  }
  if (values.size() > 1) {
    reader.report(star->at, "services", "\"*\" means all services of the project: it stands alone");
  }
  return {"*"};
}

std::vector<std::string> read_files(TableReader& reader, std::string_view key) {
  std::vector<std::string> files;
  for (auto& file : without_duplicates(reader, key, reader.texts(key))) {
    if (file.text.empty()) {
      reader.report(file.at, key, "an empty file name");
    } else if (has_control_characters(file.text)) {
      reader.report(file.at, key, "a file name with a control character in it");
    } else if (file.text == "-") {
      reader.report(file.at, key, "\"-\" is standard input: there is none here; name a file");
    } else if (file.text.starts_with('~')) {
      reader.report(file.at, key, "nothing replaces a ~ here; write the folder's full name");
    }
    files.push_back(std::move(file.text));
  }
  return files;
}

/// Values may be secrets: no message shows one.
std::map<std::string, std::string> read_environment(const TomlNode* table, ProblemList& problems) {
  std::map<std::string, std::string> environment;
  if (table == nullptr) {
    return environment;
  }
  for (const TomlNode& variable : table->children) {
    const std::string path = key_path("compose.environment", variable.key);
    if (!is_environment_name(variable.key)) {
      problems.add(variable.key_at, path,
                   "no name of a variable: letters, digits and _, with no digit first");
    } else if (const auto why = why_reserved(variable.key); !why.empty()) {
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

void read_directory(TableReader& reader, ComposeSettings& settings) {
  const auto directory = reader.text("directory", "/srv/web");
  if (!directory) {
    return;
  }
  if (const auto flaw = flaw_of_absolute_path(directory->text); !flaw.empty()) {
    reader.report(directory->at, "directory", fmt::format("{}: {}", quoted(directory->text), flaw));
    return;
  }
  settings.directory = absolute_path(directory->text, "/");
}

void read_project(TableReader& reader, ComposeSettings& settings) {
  const auto project = reader.text("project", "web");
  if (project && !is_project_name(project->text)) {
    reader.report(project->at, "project",
                  fmt::format("{} is no project name that compose knows: lower-case letters, "
                              "digits, _ and -, with a letter or digit first",
                              quoted(project->text)));
  }
  settings.project = project ? project->text : "";
}

void read_timeout(TableReader& reader, ComposeSettings& settings) {
  const auto text = reader.text("timeout", "10m");
  if (!text) {
    return;
  }
  const auto timeout = parse_duration(text->text);
  if (!timeout) {
    reader.report(text->at, "timeout", message_of(timeout.error()));
  } else if (*timeout < k_shortest_timeout || *timeout > k_longest_timeout) {
    reader.report(text->at, "timeout",
                  fmt::format("{} is out of bounds: from \"1s\" to \"24h\"", quoted(text->text)));
  } else {
    settings.timeout = *timeout;
  }
}

}  // namespace

ComposeSettings read_compose(const TomlNode& table, bool has_image, ProblemList& problems) {
  const TomlSection section{ConfigFile::drop_in, "compose", "compose"};
  TableReader reader(table, section, problems);
  ComposeSettings settings;
  read_directory(reader, settings);
  settings.files = read_files(reader, "files");
  read_project(reader, settings);
  settings.env_files = read_files(reader, "env_files");
  settings.profiles = checked_names(reader, "profiles", reader.texts("profiles"));
  settings.services = read_services(reader);
  settings.environment = read_environment(reader.table("environment"), problems);
  settings.command = read_command(reader);
  read_timeout(reader, settings);
  reader.finish();
  if (!has_image && reader.has("services") && !reader.has("directory") && !reader.has("project")) {
    reader.report(reader.position(), "services",
                  "of which project? add directory = \"/srv/web\" (where the compose file is) or "
                  "project = \"web\", or write an image");
  }
  return settings;
}

}  // namespace tallyman::config
