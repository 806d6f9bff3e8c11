#include "config/table_reader.hpp"

#include <fmt/format.h>

#include <array>

namespace tallyman::config {

namespace {

/// Where each key belongs, for those who put it elsewhere.
struct KeyHome {
  ConfigFile file;
  std::string_view section;
  std::string_view key;
};

constexpr auto k_homes = std::to_array<KeyHome>({
    {ConfigFile::drop_in, "", "image"},
    {ConfigFile::drop_in, "", "mode"},
    {ConfigFile::drop_in, "", "stable_checks"},
    {ConfigFile::drop_in, "", "after"},
    {ConfigFile::drop_in, "", "compose"},
    {ConfigFile::drop_in, "", "health"},
    {ConfigFile::drop_in, "", "rollback"},
    {ConfigFile::drop_in, "", "redeploy"},
    {ConfigFile::drop_in, "", "hooks"},
    {ConfigFile::drop_in, "compose", "directory"},
    {ConfigFile::drop_in, "compose", "files"},
    {ConfigFile::drop_in, "compose", "project"},
    {ConfigFile::drop_in, "compose", "env_files"},
    {ConfigFile::drop_in, "compose", "profiles"},
    {ConfigFile::drop_in, "compose", "services"},
    {ConfigFile::drop_in, "compose", "environment"},
    {ConfigFile::drop_in, "compose", "command"},
    {ConfigFile::drop_in, "compose", "timeout"},
    {ConfigFile::drop_in, "compose", "on_drift"},
    {ConfigFile::drop_in, "health", "timeout"},
    {ConfigFile::drop_in, "health", "settle"},
    {ConfigFile::drop_in, "health", "http"},
    {ConfigFile::drop_in, "health", "http_status"},
    {ConfigFile::drop_in, "health", "tcp"},
    {ConfigFile::drop_in, "health", "command"},
    {ConfigFile::drop_in, "rollback", "enabled"},
    {ConfigFile::drop_in, "rollback", "keep"},
    {ConfigFile::drop_in, "redeploy", "command"},
    {ConfigFile::drop_in, "redeploy", "directory"},
    {ConfigFile::drop_in, "redeploy", "environment"},
    {ConfigFile::drop_in, "redeploy", "timeout"},
    {ConfigFile::drop_in, "hooks", "before"},
    {ConfigFile::drop_in, "hooks", "after"},
    {ConfigFile::drop_in, "hooks", "on_failure"},
    {ConfigFile::drop_in, "hooks", "directory"},
    {ConfigFile::drop_in, "hooks", "timeout"},
    {ConfigFile::settings, "", "registry"},
    {ConfigFile::settings, "", "engine"},
    {ConfigFile::settings, "", "status"},
    {ConfigFile::settings, "registry.*", "plain_http"},
    {ConfigFile::settings, "registry.*", "username"},
    {ConfigFile::settings, "registry.*", "password_file"},
    {ConfigFile::settings, "registry.*", "credential"},
    {ConfigFile::settings, "registry.*", "ca_file"},
    {ConfigFile::settings, "registry.*", "client_cert"},
    {ConfigFile::settings, "registry.*", "client_key"},
    {ConfigFile::settings, "registry.*", "proxy"},
    {ConfigFile::settings, "registry.*", "max_concurrent_requests"},
    {ConfigFile::settings, "engine", "host"},
    {ConfigFile::settings, "status", "file"},
});

/// "under [compose]"
std::string place(const KeyHome& home) {
  if (home.section.empty()) {
    return "at the top of the file, above the first [section]";
  }
  return home.section == "registry.*" ? R"(under [registry."DOMAIN"])"
                                      : fmt::format("under [{}]", home.section);
}

/// All in the same file, or if there are none, those in the other one.
std::vector<KeyHome> homes_of(const TomlSection& section, std::string_view key) {
  std::vector<KeyHome> here;
  std::vector<KeyHome> elsewhere;
  for (const KeyHome& home : k_homes) {
    if (home.key == key) {
      (home.file == section.file ? here : elsewhere).push_back(home);
    }
  }
  return here.empty() ? elsewhere : here;
}

/// "timeout belongs under [compose] or under [health]"
std::string belongs(const TomlSection& section, std::string_view key,
                    const std::vector<KeyHome>& homes) {
  std::string places;
  for (const KeyHome& home : homes) {
    places += (places.empty() ? "" : " or ") + place(home);
  }
  const KeyHome& first = homes.front();
  if (first.file == section.file) {
    return fmt::format("{} belongs {}", key, places);
  }
  const std::string_view file = first.file == ConfigFile::settings
                                    ? "tallyman.toml"
                                    : "a service's own file, conf.d/NAME.toml";
  return first.section.empty() ? fmt::format("{} belongs into {}", key, file)
                               : fmt::format("{} belongs into {}, {}", key, file, places);
}

}  // namespace

std::string unknown_key_message(const TomlSection& section, std::string_view key,
                                const std::vector<std::string_view>& known) {
  if (section.name == "registry.*" && key == "password") {
    return "unknown key; a password never stands in this file: put it into one of its own, mode "
           "0600, and name that with password_file";
  }
  if (const auto near = nearest(key, known); !near.empty()) {
    return fmt::format("unknown key; did you mean \"{}\"?", near);
  }
  if (const auto homes = homes_of(section, key); !homes.empty()) {
    return fmt::format("unknown key; {}", belongs(section, key, homes));
  }
  return fmt::format("unknown key; known here: {}", joined(known));
}

}  // namespace tallyman::config
