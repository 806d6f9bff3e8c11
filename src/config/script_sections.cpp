#include "config/script_sections.hpp"

#include "config/checks.hpp"
#include "config/environment_table.hpp"
#include "config/table_reader.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace tallyman::config {

namespace {

constexpr std::string_view k_why = "tallyman sets it to what it deploys";
constexpr auto k_reserved_of_scripts = std::to_array<ReservedVariable>({
    {"TALLYMAN_SERVICE", k_why},
    {"TALLYMAN_IMAGE", k_why},
    {"TALLYMAN_TAG", k_why},
    {"TALLYMAN_DIGEST", k_why},
    {"TALLYMAN_PREVIOUS_DIGEST", k_why},
    {"TALLYMAN_PREVIOUS_IMAGE", k_why},
    {"TALLYMAN_DEPLOYMENT", k_why},
    {"TALLYMAN_ROLLBACK", k_why},
});

/// One that is not said is "/": the same for the timer and for somebody's shell.
std::string directory_or_root(std::string directory) {
  return directory.empty() ? "/" : std::move(directory);
}

}  // namespace

RedeploySettings read_redeploy(const TomlNode& table, bool has_image, bool has_compose,
                               ProblemList& problems) {
  const TomlSection section{ConfigFile::drop_in, "redeploy", "redeploy"};
  TableReader reader(table, section, problems);
  RedeploySettings settings;
  const std::string directory = read_directory(reader, "/opt/app");
  settings.command = read_command(reader, "command", reader.has("directory") ? "/" : "");
  settings.directory = directory_or_root(directory);
  settings.environment = read_environment(reader, "redeploy", k_reserved_of_scripts, problems);
  settings.timeout = read_timeout(reader, settings.timeout);
  reader.finish();
  if (!reader.has("command")) {
    reader.report(reader.position(), "command",
                  "is missing: which script? write command = [\"./start.sh\"] and directory = "
                  "\"/opt/app\"");
  }
  if (has_compose) {
    problems.add(reader.position(), "redeploy",
                 "stands beside [compose]: either compose recreates the containers or a script, "
                 "not both");
  }
  if (!has_image) {
    problems.add(reader.position(), "redeploy",
                 "needs an image, which tells the script's containers: write image = "
                 "\"HOST/NAME:TAG\" at the top of the file");
  }
  return settings;
}

HookSettings read_hooks(const TomlNode& table, ProblemList& problems) {
  const TomlSection section{ConfigFile::drop_in, "hooks", "hooks"};
  TableReader reader(table, section, problems);
  HookSettings settings;
  const std::string directory = read_directory(reader, "/opt/app");
  const std::string_view base = reader.has("directory") ? "/" : "";
  settings.before = read_command(reader, "before", base);
  settings.after = read_command(reader, "after", base);
  settings.on_failure = read_command(reader, "on_failure", base);
  settings.directory = directory_or_root(directory);
  settings.timeout = read_timeout(reader, settings.timeout);
  reader.finish();
  return settings;
}

}  // namespace tallyman::config
