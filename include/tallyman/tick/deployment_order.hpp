#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "tallyman/deploy/plan.hpp"
#include "tallyman/model/service_state.hpp"

namespace tallyman {

/// How a service stands while a tick works: what was decided, then how its deployment ended.
struct Standing {
  ServiceState state = ServiceState::unknown;
  ReasonCode reason_code = ReasonCode::registry_error;
};

/// The deployments of one tick, one after the other, as `after` of their drop-ins says. What is not
/// part of the tick is not waited for.
class DeploymentOrder {
 public:
  /// `requests` outlives this. `groups`: indexes of requests, each one transaction.
  DeploymentOrder(const std::vector<DeploymentRequest>& requests,
                  std::vector<std::vector<std::size_t>> groups)
      : m_requests(requests), m_groups(std::move(groups)) {}

  struct Next {
    std::vector<std::size_t> group = {};
    /// Why it must not be deployed: "waits for db, which was rolled back"; empty: nothing.
    std::string obstacle = {};
  };
  [[nodiscard]] bool empty() const { return m_groups.empty(); }
  /// The first group whose predecessors have had their turn. Where there is none, transactions wait
  /// for each other in a circle, since drop-ins that share a reference are one: an obstacle, too.
  [[nodiscard]] Next take(const std::map<ServiceName, Standing>& standings);

 private:
  [[nodiscard]] bool waits(const std::vector<std::size_t>& group) const;
  [[nodiscard]] std::string obstacle(const std::vector<std::size_t>& group,
                                     const std::map<ServiceName, Standing>& standings) const;

  const std::vector<DeploymentRequest>& m_requests;
  std::vector<std::vector<std::size_t>> m_groups;
};

/// Has a service failed, so that those that come after it must not be deployed? One that nobody
/// tried to deploy (mode = "notify", held, stopped, changed by hand) has not.
[[nodiscard]] bool has_failed(const Standing& standing);

}  // namespace tallyman
