#include "config/settings.hpp"

#include "config/checks.hpp"
#include "config/registry_section.hpp"
#include "config/table_reader.hpp"
#include "tallyman/io/encoding.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tallyman::config {

namespace {

constexpr std::size_t k_max_socket_path = 107;  // sun_path, less its NUL
constexpr std::string_view k_unix = "unix://";

std::string flaw_of_host(std::string_view host) {
  if (!host.starts_with(k_unix)) {
    return host.starts_with('/') ? fmt::format("write \"unix://{}\"", printable(host))
                                 : "only sockets of this host: \"unix:///run/docker.sock\"";
  }
  const auto path = host.substr(k_unix.size());
  if (!path.starts_with('/')) {
    return fmt::format("three slashes, the path is absolute: \"unix:///{}\"", printable(path));
  }
  if (has_control_characters(path) || path.ends_with('/')) {
    return "no path of a socket";
  }
  return path.size() > k_max_socket_path
             ? fmt::format("a socket's path has at most {} bytes", k_max_socket_path)
             : "";
}

void read_engine(const TomlNode& table, Config& config, ProblemList& problems) {
  const TomlSection section{ConfigFile::settings, "engine", "engine"};
  TableReader reader(table, section, problems);
  if (const auto host = reader.text("host", "unix:///run/docker.sock")) {
    if (const auto flaw = flaw_of_host(host->text); !flaw.empty()) {
      reader.report(host->at, "host", fmt::format("{}: {}", quoted(host->text), flaw));
    }
    config.engine_host = host->text;
  }
  reader.finish();
}

void read_status(const TomlNode& table, Config& config, ProblemList& problems) {
  const TomlSection section{ConfigFile::settings, "status", "status"};
  TableReader reader(table, section, problems);
  if (const auto file = reader.text("file", "/run/tallyman/status.json")) {
    if (const auto flaw = flaw_of_absolute_path(file->text); !flaw.empty()) {
      reader.report(file->at, "file", fmt::format("{}: {}", quoted(file->text), flaw));
    } else if (file->text.ends_with('/')) {
      reader.report(file->at, "file", fmt::format("{} is a folder's name", quoted(file->text)));
    }
    config.status_file = file->text;
  }
  reader.finish();
}

}  // namespace

void read_settings(std::string_view text, Config& config, ProblemList& problems) {
  const auto document = parse_toml(text);
  if (!document) {
    problems.add(document.error().at, "", document.error().message);
    return;
  }
  const TomlSection section{ConfigFile::settings, "", ""};
  TableReader reader(*document, section, problems);
  if (const TomlNode* registries = reader.table("registry")) {
    for (const TomlNode& node : registries->children) {
      read_registry(node, config, problems);
    }
  }
  if (const TomlNode* engine = reader.table("engine")) {
    read_engine(*engine, config, problems);
  }
  if (const TomlNode* status = reader.table("status")) {
    read_status(*status, config, problems);
  }
  reader.finish();
}

}  // namespace tallyman::config
