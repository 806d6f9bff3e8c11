#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "tallyman/model/digest.hpp"
#include "tallyman/model/time.hpp"
#include "tallyman/model/watch.hpp"

namespace tallyman {

/// What is known of a deployment that ended.
struct DeploymentRecord {
  std::string id;
  std::string result;          ///< "updated", "pending", "failed"
  std::optional<Digest> from;  ///< what ran before; none where replicas differed or nobody knows
  std::optional<Digest> to;
  Timestamp finished_at = {};
};

/// What tallyman remembers of one service between two ticks.
struct ServiceMemory {
  std::map<std::string, Digest>
      last_good;  ///< by reference: the registry's digest that was deployed and verified last
  std::optional<Timestamp> deployed_at = std::nullopt;
  std::optional<DeploymentRecord> last_deployment = std::nullopt;
  std::optional<Timestamp> pending_since = std::nullopt;
  int consecutive_failures = 0;
};

/// What tallyman remembers between two ticks.
struct Memory {
  /// What a registry had for a reference when it answered last.
  struct Seen {
    Digest digest;
    Timestamp at = {};
  };
  std::map<std::string, Seen> seen;  ///< by reference
  /// A registry's digest and an image id of this host that were found to hold the same content for
  /// this platform (an index that moved for other platforms only).
  std::set<std::pair<Digest, std::string>> equivalent;
  std::map<ServiceName, ServiceMemory> services;
};

}  // namespace tallyman
