#include "tallyman/tick/deployment_order.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tallyman {

bool has_failed(const Standing& standing) {
  switch (standing.state) {
    case ServiceState::failed:
    case ServiceState::rolled_back:
    case ServiceState::unknown:
    case ServiceState::quarantined:
      return true;
    case ServiceState::pending:
      break;
    case ServiceState::held:
    case ServiceState::updated:
    case ServiceState::absent:
    case ServiceState::pinned:
    case ServiceState::local:
    case ServiceState::current:
      return false;
  }
  switch (standing.reason_code) {
    case ReasonCode::update_available:
    case ReasonCode::notify_only:
    case ReasonCode::changed_by_hand:
    case ReasonCode::unmanaged:
    case ReasonCode::not_yet_stable:
    case ReasonCode::drift:
      return false;
    default:
      return true;
  }
}

DeploymentOrder::Next DeploymentOrder::take(const std::map<ServiceName, Standing>& standings) {
  auto first = std::ranges::find_if(
      m_groups, [this](const std::vector<std::size_t>& group) { return !waits(group); });
  const bool tangled = first == m_groups.end();
  if (tangled) {
    first = m_groups.begin();
  }
  Next next{std::move(*first)};
  m_groups.erase(first);
  next.obstacle =
      tangled ? "it would have to be deployed both before and after another drop-in: some of them "
                "share a reference, which makes them one deployment; see `after`"
              : obstacle(next.group, standings);
  return next;
}

/// Does one of the other groups hold a predecessor?
bool DeploymentOrder::waits(const std::vector<std::size_t>& group) const {
  return std::ranges::any_of(m_groups, [&](const std::vector<std::size_t>& other) {
    return &other != &group && std::ranges::any_of(other, [&](std::size_t theirs) {
      return std::ranges::any_of(group, [&](std::size_t mine) {
        const std::vector<ServiceName>& after = m_requests[mine].watch.after;
        return std::ranges::find(after, m_requests[theirs].watch.name) != after.end();
      });
    });
  });
}

std::string DeploymentOrder::obstacle(const std::vector<std::size_t>& group,
                                      const std::map<ServiceName, Standing>& standings) const {
  for (const std::size_t index : group) {
    for (const ServiceName& name : m_requests[index].watch.after) {
      const auto found = standings.find(name);
      if (found != standings.end() && has_failed(found->second)) {
        return fmt::format("waits for {}, which is {}", name, to_string(found->second.state));
      }
    }
  }
  return {};
}

}  // namespace tallyman
