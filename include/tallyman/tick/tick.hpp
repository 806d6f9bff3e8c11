#pragma once

#include <string>
#include <vector>

#include "tallyman/deploy/deployer.hpp"
#include "tallyman/io/stop.hpp"
#include "tallyman/report/status.hpp"
#include "tallyman/state/state_directory.hpp"
#include "tallyman/tick/look.hpp"

namespace tallyman {

/// Who follows a tick while it works; the terminal.
class TickObserver {
 public:
  TickObserver() = default;
  TickObserver(const TickObserver&) = delete;
  TickObserver& operator=(const TickObserver&) = delete;
  virtual ~TickObserver() = default;
  virtual void deploying(const ServiceLook& service) = 0;
  virtual void step(const Step& step) = 0;
  /// `replicas`: containers that were verified.
  virtual void deployed(const ServiceStatus& status, int replicas) = 0;
};

struct TickOptions {
  std::vector<ServiceName> only = {};  ///< empty: all
  std::string trigger = "manual";
  std::string version;
  std::string host_name;
  std::string status_file;
};

/// What a tick did. `status` is what was written; `services` are those that this tick was about.
struct TickResult {
  StatusDocument status;
  std::vector<ServiceStatus> services;
  std::optional<Error> write_error =
      std::nullopt;  ///< status or memory could not be written; the work was done
};

/// One tick: observe, decide, deploy, remember, report.
class Tick {
 public:
  Tick(const Config& config, Registry& registry, Engine& engine, Deployer& deployer,
       const StateDirectory& state, const Clock& clock, const Stop& stop, Log& log);

  /// The caller holds the lock.
  [[nodiscard]] TickResult run(const TickOptions& options, TickObserver& observer);

 private:
  [[nodiscard]] Look observe_and_decide(const TickOptions& options, Result<Memory>& memory);
  [[nodiscard]] Outcome deploy_one(const ServiceLook& service, const Host& host,
                                   TickObserver& observer);
  [[nodiscard]] std::vector<ServiceStatus> act(Look& look, const std::string& run_id,
                                               Memory& memory, TickObserver& observer);
  [[nodiscard]] StatusDocument with_others(const TickOptions& options,
                                           std::vector<ServiceStatus> services) const;

  const Config& m_config;
  Registry& m_registry;
  Engine& m_engine;
  Deployer& m_deployer;
  const StateDirectory& m_state;
  const Clock& m_clock;
  const Stop& m_stop;
  Log& m_log;
};

}  // namespace tallyman
