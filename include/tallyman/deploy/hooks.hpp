#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tallyman/io/log.hpp"
#include "tallyman/io/process.hpp"
#include "tallyman/model/watch.hpp"
#include "tallyman/state/state_directory.hpp"

namespace tallyman {

/// One call of a program of [hooks].
struct HookCall {
  std::string what;  ///< "hook before of web", for messages
  std::vector<std::string> argv;
  const HookSettings& settings;
  std::map<std::string, std::string> variables;  ///< TALLYMAN_…
  std::function<void(std::string_view)> on_output;
};

/// Runs the programs of [hooks]: without a shell, in a process group of their own that is ended
/// when the time is up, and holding the lock as compose does.
class Hooks {
 public:
  /// `environment` is all that they get, besides TALLYMAN_…
  Hooks(Process& process, std::map<std::string, std::string> environment, Log& log)
      : m_process(process), m_environment(std::move(environment)), m_log(log) {}

  /// Can its `before` be started? The others cannot change the outcome, so they stop nothing.
  /// ErrorKind::config.
  [[nodiscard]] Result<void> check(const ServiceName& service, const HookSettings& settings) const;

  /// ErrorKind::process with the end of its output if it fails.
  [[nodiscard]] Result<void> run(const HookCall& call, const Lock& lock);

 private:
  Process& m_process;
  std::map<std::string, std::string> m_environment;
  Log& m_log;
};

}  // namespace tallyman
