#pragma once

#include "support/temp_folder.hpp"
#include "tallyman/config/config.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace tallyman::test {

/// One line each; what doctest prints of it can be read.
inline std::string lines_of(const std::vector<Problem>& problems) {
  std::string result;
  for (const Problem& problem : problems) {
    result += (result.empty() ? "" : "\n") + problem.str();
  }
  return result;
}

/// The mistakes of a drop-in with this text; "" if it has none.
inline std::string mistakes_of(std::string_view text, const std::string& file = "web.toml") {
  const auto watch = parse_drop_in(text, file);
  return watch ? "" : lines_of(watch.error());
}

/// A configuration folder with an empty conf.d.
class ConfigFolder {
 public:
  ConfigFolder() { std::filesystem::create_directory(m_folder / "conf.d"); }

  [[nodiscard]] const std::string& path() const { return m_folder.path(); }
  std::string settings(std::string_view text) const {
    return m_folder.write("tallyman.toml", text);
  }
  std::string drop_in(const std::string& name, std::string_view text) const {
    return m_folder.write("conf.d/" + name, text);
  }
  [[nodiscard]] auto load() const { return load_config(path()); }

  /// The problems without the folder's own name; "" if it can be used.
  [[nodiscard]] std::string mistakes() const {
    const auto config = load();
    return config ? "" : without_path(lines_of(config.error()));
  }
  [[nodiscard]] std::string without_path(std::string text) const {
    const std::string prefix = path() + "/";
    for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix)) {
      text.erase(at, prefix.size());
    }
    return text;
  }

 private:
  TempFolder m_folder;
};

inline void set_mode(const std::string& path, mode_t mode) {
  if (::chmod(path.c_str(), mode) != 0) {
    throw std::runtime_error("chmod");
  }
}

/// Root may read everything: these tests then run as nobody for a while.
class WithoutPrivileges {
 public:
  WithoutPrivileges() : m_was_root(::geteuid() == 0) {
    if (m_was_root && ::seteuid(65534) != 0) {
      throw std::runtime_error("seteuid");
    }
  }
  WithoutPrivileges(const WithoutPrivileges&) = delete;
  WithoutPrivileges& operator=(const WithoutPrivileges&) = delete;
  ~WithoutPrivileges() {
    if (m_was_root && ::seteuid(0) != 0) {
      std::abort();
    }
  }

 private:
  bool m_was_root;
};

}  // namespace tallyman::test
