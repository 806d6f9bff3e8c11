#include "config/table_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
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
    {ConfigFile::drop_in, "", "compose"},
    {ConfigFile::drop_in, "compose", "directory"},
    {ConfigFile::drop_in, "compose", "files"},
    {ConfigFile::drop_in, "compose", "project"},
    {ConfigFile::drop_in, "compose", "env_files"},
    {ConfigFile::drop_in, "compose", "profiles"},
    {ConfigFile::drop_in, "compose", "services"},
    {ConfigFile::drop_in, "compose", "environment"},
    {ConfigFile::drop_in, "compose", "command"},
    {ConfigFile::drop_in, "compose", "timeout"},
    {ConfigFile::settings, "", "registry"},
    {ConfigFile::settings, "", "engine"},
    {ConfigFile::settings, "", "status"},
    {ConfigFile::settings, "registry.*", "plain_http"},
    {ConfigFile::settings, "registry.*", "username"},
    {ConfigFile::settings, "registry.*", "password_file"},
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

std::string belongs(const TomlSection& section, const KeyHome& home) {
  if (home.file == section.file) {
    return fmt::format("{} belongs {}", home.key, place(home));
  }
  const std::string_view file = home.file == ConfigFile::settings
                                    ? "tallyman.toml"
                                    : "a service's own file, conf.d/NAME.toml";
  return home.section.empty() ? fmt::format("{} belongs into {}", home.key, file)
                              : fmt::format("{} belongs into {}, {}", home.key, file, place(home));
}

/// The same file before the other one.
const KeyHome* home_of(const TomlSection& section, std::string_view key) {
  const KeyHome* found = nullptr;
  for (const KeyHome& home : k_homes) {
    if (home.key == key && (found == nullptr || home.file == section.file)) {
      found = &home;
    }
  }
  return found;
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
  if (const KeyHome* home = home_of(section, key)) {
    return fmt::format("unknown key; {}", belongs(section, *home));
  }
  return fmt::format("unknown key; known here: {}", joined(known));
}

}  // namespace tallyman::config
