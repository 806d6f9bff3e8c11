#include "config/compose_section.hpp"

#include "config/checks.hpp"
#include "config/environment_table.hpp"
#include "tallyman/io/encoding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace tallyman::config {

namespace {

// What would make compose work on something else than what was looked at.
constexpr auto k_reserved_of_compose = std::to_array<ReservedVariable>({
    {"COMPOSE_FILE", "write files = [\"…\"] under [compose]"},
    {"COMPOSE_PROJECT_NAME", "write project = \"…\" under [compose]"},
    {"COMPOSE_PROFILES", "write profiles = [\"…\"] under [compose]"},
    {"COMPOSE_ENV_FILES", "write env_files = [\"…\"] under [compose]"},
    {"COMPOSE_REMOVE_ORPHANS", "it would remove containers that nobody asked to touch"},
});

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

OnDrift read_on_drift(TableReader& reader) {
  const auto text = reader.text("on_drift", "refuse");
  if (!text || text->text == "apply") {
    return OnDrift::apply;
  }
  if (text->text != "refuse") {
    const auto near = nearest(text->text, {"apply", "refuse"});
    reader.report(
        text->at, "on_drift",
        near.empty()
            ? fmt::format("{} is none of \"apply\" (report it and deploy) and \"refuse\" (leave "
                          "the service as it is)",
                          quoted(text->text))
            : fmt::format("{} is not known; did you mean \"{}\"?", quoted(text->text), near));
  }
  return OnDrift::refuse;
}

}  // namespace

ComposeSettings read_compose(const TomlNode& table, bool has_image, ProblemList& problems) {
  const TomlSection section{ConfigFile::drop_in, "compose", "compose"};
  TableReader reader(table, section, problems);
  ComposeSettings settings;
  settings.directory = read_directory(reader, "/srv/web");
  settings.files = read_files(reader, "files");
  read_project(reader, settings);
  settings.env_files = read_files(reader, "env_files");
  settings.profiles = checked_names(reader, "profiles", reader.texts("profiles"));
  settings.services = read_services(reader);
  settings.environment = read_environment(reader, "compose", k_reserved_of_compose, problems);
  settings.command = read_command(reader);
  settings.timeout = read_timeout(reader, settings.timeout);
  settings.on_drift = read_on_drift(reader);
  reader.finish();
  if (!has_image && reader.has("services") && !reader.has("directory") && !reader.has("project")) {
    reader.report(reader.position(), "services",
                  "of which project? add directory = \"/srv/web\" (where the compose file is) or "
                  "project = \"web\", or write an image");
  }
  return settings;
}

}  // namespace tallyman::config
