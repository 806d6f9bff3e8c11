#pragma once

#include <chrono>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tallyman/io/log.hpp"
#include "tallyman/model/platform.hpp"

namespace tallyman {

/// Exit statuses (promises to scripts and monitoring).
enum ExitStatus : int {
  k_exit_ok = 0,
  k_exit_failed = 1,  ///< a service failed, is not known to be good, or could not be determined
  k_exit_usage = 2,   ///< wrong usage or an unusable tallyman.toml: nothing was touched
  k_exit_locked = 3,  ///< another run holds the lock
  k_exit_rolled_back = 4,  ///< rolled back and verified good, nothing worse
  k_exit_update = 10,      ///< check --exit-code: an update is pending and nothing is wrong
};

enum class CommandName {
  run,
  check,
  status,
  deploy,
  rollback,
  hold,
  release,
  history,
  explain,
  digest,
  validate
};

/// The command line, checked.
struct Arguments {
  CommandName command = CommandName::run;
  std::string config_directory = "/etc/tallyman";
  std::string state_directory;
  std::string status_file;  ///< empty: as the configuration says
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::text;
  std::vector<std::string> services = {};
  std::string image = {};
  std::optional<Platform> platform = std::nullopt;
  bool dry_run = false;
  bool json = false;
  bool exit_code = false;
  bool online = false;
  std::string to = {};  ///< deploy: a digest or a tag; rollback: N or a digest
  bool retry_quarantined = false;
  bool recreate = false;
  std::chrono::milliseconds wait{};  ///< for the lock
  std::string reason = {};
  std::string until = {};
  std::size_t limit = 20;  ///< history: at most so many deployments
};

/// What to print instead of working, and the exit status: help, version, or wrong usage.
struct EarlyExit {
  int status = k_exit_usage;
  std::string out = {};
  std::string err = {};
};

/// `environment`: $STATE_DIRECTORY is the default of --state.
[[nodiscard]] std::expected<Arguments, EarlyExit> parse_arguments(
    const std::vector<std::string>& arguments,
    const std::map<std::string, std::string>& environment, const std::string& version);

}  // namespace tallyman
