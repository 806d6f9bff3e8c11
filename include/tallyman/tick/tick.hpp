#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tallyman/deploy/deployer.hpp"
#include "tallyman/report/status.hpp"
#include "tallyman/state/state_directory.hpp"
#include "tallyman/tick/look.hpp"
#include "tallyman/tick/order.hpp"

namespace tallyman {

/// Who follows a tick while it works; the terminal.
class TickObserver : public DeploymentObserver {
 public:
  /// Before the first step, once for each service of a deployment.
  virtual void deploying(const ServiceLook& service) = 0;
  /// After the last step, once for each service.
  virtual void deployed(const ServiceStatus& status, const Outcome& outcome) = 0;
};

struct TickOptions {
  std::vector<ServiceName> only = {};  ///< empty: all
  std::string trigger = "manual";
  std::string version;
  std::string host_name;
  std::string status_file;
  std::optional<Order> order = std::nullopt;  ///< then only its transaction is deployed
};

/// What a tick did. `status` is what was written; `services` are those that this tick was about.
struct TickResult {
  StatusDocument status;
  std::vector<ServiceStatus> services;
  std::optional<Error> write_error =
      std::nullopt;  ///< status or memory could not be written; the work was done
  // Of an order:
  std::optional<Error> refusal = std::nullopt;  ///< why nothing was begun
  /// How its deployment ended; neither this nor a refusal: what it wants runs already.
  std::optional<Outcome> outcome = std::nullopt;
  std::optional<ServiceStatus> before = std::nullopt;  ///< what ran before
};

/// One tick: recover, observe, decide, deploy, remember, report.
class Tick {
 public:
  Tick(const Config& config, Registry& registry, Engine& engine, Deployer& deployer,
       const StateDirectory& state, const Clock& clock, Log& log);

  [[nodiscard]] TickResult run(const TickOptions& options, const Lock& lock,
                               TickObserver& observer);

 private:
  using Outcomes = std::map<ServiceName, Outcome>;

  /// Errors: what is remembered, or a journal, cannot be read.
  [[nodiscard]] Result<Outcomes> recover(const Lock& lock, Result<Memory>& memory,
                                         TickObserver& observer);
  void tell_drift(Look& look, Memory& memory);
  /// What else a deployment would apply; why it is not done, if that must not be.
  [[nodiscard]] std::optional<Outcome> object_to_drift(const DeploymentPlan& plan,
                                                       const std::vector<PreparedProject>& prepared,
                                                       const Host& host, Memory& memory);
  [[nodiscard]] Look observe_and_decide(const TickOptions& options, const Error* blocked,
                                        Memory& memory);
  /// `ordered`: what a person wants, instead of what was decided.
  [[nodiscard]] std::vector<ServiceStatus> act(Look& look, const TickOptions& options,
                                               Ordered* ordered, const Outcomes& recovered,
                                               const Lock& lock, Memory& memory,
                                               TickObserver& observer,
                                               std::optional<Outcome>& ended);
  [[nodiscard]] bool look_again(Look& look, const TickOptions& options, bool ordered,
                                Memory& memory);
  [[nodiscard]] std::vector<ServiceStatus> statuses_of(const Look& look,
                                                       std::map<ServiceName, ServiceStatus> done,
                                                       const Outcomes& recovered, Memory& memory,
                                                       TickObserver& observer);
  [[nodiscard]] Outcome deploy_group(const std::vector<const ServiceLook*>& group,
                                     const TickOptions& options, const Ordered* ordered,
                                     const Host& host, const Lock& lock, Memory& memory,
                                     TickObserver& observer);
  /// False: its journal stays, and is found again by the next run.
  [[nodiscard]] bool learn(const Outcome& outcome, Memory& memory);
  [[nodiscard]] StatusDocument with_others(const TickOptions& options,
                                           std::vector<ServiceStatus> services) const;

  // tick_order.cpp
  [[nodiscard]] std::vector<ServiceName> transaction_of_order(const Order& order);
  /// What it means; what is in its way is result.refusal, and then nothing is to be done.
  [[nodiscard]] Ordered follow_order(const Order& order, const Error* blocked, Look& look,
                                     Memory& memory, TickResult& result);
  [[nodiscard]] Result<Ordered> understand(const Order& order, const Error* blocked,
                                           const Look& look, const Memory& memory);
  static void as_ordered(const Ordered& ordered, DeploymentPlan& plan);
  [[nodiscard]] Result<void> put_hold(const Trigger& trigger, Timestamp begun, Memory& memory);
  /// Somebody may have put a hold since the services were looked at.
  [[nodiscard]] bool is_held_now(const std::vector<const ServiceLook*>& group, Look& look,
                                 Memory& memory);
  void tidy_holds(const Memory& memory);

  const Config& m_config;
  Registry& m_registry;
  Engine& m_engine;
  Deployer& m_deployer;
  const StateDirectory& m_state;
  const Clock& m_clock;
  Log& m_log;
  std::optional<Error> m_write_error = std::nullopt;
  std::set<ServiceName> m_open = {};  ///< services whose last deployment has not come to its end
};

}  // namespace tallyman
