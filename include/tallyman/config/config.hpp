#pragma once

#include "tallyman/model/watch.hpp"

#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tallyman {

/// One mistake in a configuration file.
struct Problem {
  std::string file;
  int line = 0;         ///< from 1; 0: the file as a whole
  int column = 0;       ///< from 1
  std::string key;      ///< "compose.services"; empty: none
  std::string message;  ///< "unknown key; did you mean \"image\"?", without the key
  /// "/etc/tallyman/conf.d/web.toml:3:1: compose.servces: unknown key; did you mean \"services\"?"
  [[nodiscard]] std::string str() const;
};

/// A drop-in that cannot be used: its service is `unknown`, the others go on.
struct BrokenDropIn {
  ServiceName name;
  std::vector<Problem> problems;
};

struct Config {
  std::string engine_host;  ///< "unix:///run/docker.sock"; empty: not set
  std::string status_file;  ///< absolute; empty: not set
  std::map<std::string, RegistrySettings> registries;  ///< by domain, as in a reference
  std::vector<Watch> watches;                          ///< by name
  std::vector<BrokenDropIn> broken;                    ///< by name
};

/// Reads `directory`/tallyman.toml (may be missing) and `directory`/conf.d/*.toml (may be missing
/// or empty; other names and hidden files are ignored, "editor~" leftovers too). Every problem of
/// every file is found, not just the first one. The error is an unusable tallyman.toml, or a
/// `directory` or its conf.d that cannot be read; it has the broken drop-ins' problems, too.
[[nodiscard]] std::expected<Config, std::vector<Problem>> load_config(const std::string& directory);

/// One drop-in's text; `file` is for messages, the service's name comes from it.
[[nodiscard]] std::expected<Watch, std::vector<Problem>> parse_drop_in(std::string_view text,
                                                                       const std::string& file);

/// The candidate with the smallest edit distance, if that is small enough to be a slip; else "".
[[nodiscard]] std::string_view nearest(std::string_view word,
                                       const std::vector<std::string_view>& candidates);

}  // namespace tallyman
