#pragma once

#include <map>
#include <string>
#include <vector>

#include "tallyman/cli/arguments.hpp"
#include "tallyman/cli/terminal.hpp"
#include "tallyman/config/config.hpp"
#include "tallyman/deploy/deployer.hpp"
#include "tallyman/tick/tick.hpp"

namespace tallyman {

// One function per command, each in its own file; they return the exit status.

/// `run`: takes the lock, walks, prints what happened; under `journald` errors go to the log, where
/// they have a priority.
[[nodiscard]] int run_command(Tick& tick, const TickOptions& options, const StateDirectory& state,
                              const Clock& clock, bool journald, Terminal& out, Log& log);

/// What the commands that take orders work with.
struct OrderSurroundings {
  const StateDirectory& state;
  const Clock& clock;
  const Stop& stop;
  std::chrono::milliseconds wait{};  ///< for the lock
  bool journald = false;
};
/// `deploy` and `rollback`: a tick for options.order, and what came of that. Ends with
/// k_exit_failed as well where the order is refused.
[[nodiscard]] int order_command(Tick& tick, const TickOptions& options,
                                const OrderSurroundings& around, Terminal& out, Log& log);

/// `hold`, which needs no lock.
struct HoldOptions {
  std::string reason = {};
  std::string until = {};  ///< as typed; empty: until it is released
  std::string by = {};     ///< who
};
[[nodiscard]] int hold_command(const StateDirectory& state, const ServiceName& service,
                               const HoldOptions& options, const Clock& clock, Terminal& out,
                               Log& log);
/// `release`, which needs none either. That there was no hold is fine.
[[nodiscard]] int release_command(const StateDirectory& state, const ServiceName& service,
                                  const Clock& clock, Terminal& out, Log& log);

/// `run --dry-run`: prints the compose commands.
[[nodiscard]] int dry_run_command(const Config& config, const std::vector<ServiceName>& services,
                                  Registry& registry, Engine& engine, Deployer& deployer,
                                  Memory memory, const Clock& clock, Terminal& out);

/// What `check` shows, whichever way it is printed.
struct CheckOptions {
  std::vector<ServiceName> services;
  bool json = false;
  bool exit_code = false;
  std::string version;
  std::string host_name;
};
[[nodiscard]] int check_command(const Config& config, const CheckOptions& options,
                                Registry& registry, Engine& engine, Memory memory,
                                const Clock& clock, Terminal& out);

[[nodiscard]] int status_command(const std::string& status_file, bool json, const Clock& clock,
                                 Terminal& out, Log& log);

/// `history`: what was deployed, newest first; of one service with its steps.
struct HistoryOptions {
  std::optional<ServiceName> service = std::nullopt;  ///< none: all
  bool json = false;
  std::size_t limit = 20;
};
/// A service needs no drop-in any more to have a history.
[[nodiscard]] int history_command(const Config& config, const StateDirectory& state,
                                  const HistoryOptions& options, Terminal& out, Log& log);

/// `explain`: everything about one service, and why it was decided so; ends as `check` does.
struct ExplainOptions {
  ServiceName service;
  bool json = false;
  std::string version = {};
  std::string host_name = {};
};
[[nodiscard]] int explain_command(const Config& config, const ExplainOptions& options,
                                  Registry& registry, Engine& engine, Deployer& deployer,
                                  Memory memory, const Clock& clock, Terminal& out);

[[nodiscard]] int digest_command(Registry& registry, const std::string& image,
                                 const std::optional<Platform>& platform, bool json, Terminal& out,
                                 Log& log);

/// `validate`: prints the problems of the drop-ins, and of the certificates of the registries that
/// tallyman.toml names, in `certs_folders` too; those of tallyman.toml itself were found before.
[[nodiscard]] int validate_command(const Config& config, Terminal& out,
                                   const std::vector<std::string>& certs_folders = {});
/// `validate --online`: as well what the engine, compose and the registries object to.
[[nodiscard]] int validate_online_command(const Config& config, Registry& registry, Engine& engine,
                                          Deployer& deployer, Memory memory, Terminal& out);

// Shared by the commands.

/// "v1.2.0 9c1f22ab", "9c1f22ab", "mixed" where replicas differ, "" where nothing is known.
[[nodiscard]] std::string running_text(const ImageStatus& image);
/// The first 8 hex characters of "sha256:…"; "" for none.
[[nodiscard]] std::string short_digest(const std::optional<std::string>& digest);
/// "  pull      4be7d0c1a2f3, 38.2 MB       6.1 s", on one line.
[[nodiscard]] std::string step_text(const Step& step, int width);
/// Why a service is in its state, and that it drifted: "; drift: compose.yaml".
[[nodiscard]] std::string reason_text(const ServiceStatus& service);
/// What went wrong with a service and what to do about it, some lines.
[[nodiscard]] std::string trouble_text(const ServiceStatus& service, int width);
/// "1 updated, 2 current, 1 pending (web-stg)"
[[nodiscard]] std::string summary_text(const std::vector<ServiceStatus>& services);
/// k_exit_failed if one is failed or unknown, or has an error that was not rolled back;
/// k_exit_rolled_back if one was and nothing is worse.
[[nodiscard]] int exit_status_of(const std::vector<ServiceStatus>& services);
/// What the deployment that was decided would run, or what is in its way; touches nothing.
[[nodiscard]] Result<std::vector<PreparedProject>> prepare(const ServiceLook& service,
                                                           const Host& host, Deployer& deployer);
/// An error for the first of `services` that no drop-in has, with the nearest name.
[[nodiscard]] Result<void> check_service_names(const Config& config,
                                               const std::vector<ServiceName>& services);

}  // namespace tallyman
