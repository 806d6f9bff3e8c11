#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tallyman/model/error.hpp"
#include "tallyman/model/hold.hpp"
#include "tallyman/model/host.hpp"
#include "tallyman/model/memory.hpp"
#include "tallyman/model/service_state.hpp"
#include "tallyman/model/time.hpp"

namespace tallyman {

/// The status file, field by field (packaging/status.schema.json says the same to programs). What
/// is optional here is null there.
struct ImageStatus {
  std::string reference;
  std::optional<std::string> remote_digest = std::nullopt;
  std::optional<Timestamp> checked_at = std::nullopt;
  std::optional<Timestamp> last_success_at = std::nullopt;
  std::optional<std::string> running_digest = std::nullopt;  ///< none when replicas differ
  std::optional<std::string> image_id = std::nullopt;        ///< none when replicas differ
  std::optional<std::string> version = std::nullopt;         ///< org.opencontainers.image.version
  std::optional<std::string> revision = std::nullopt;        ///< org.opencontainers.image.revision
  std::optional<Timestamp> created = std::nullopt;
};

struct ContainerStatusEntry {
  std::string id;
  std::string name;
  std::string project;  ///< "" outside of compose
  std::string service;  ///< "" outside of compose
  std::string reference;
  std::optional<std::string> digest = std::nullopt;
  std::optional<Timestamp> since =
      std::nullopt;  ///< when the container was created: it runs this image since then
  std::string status;
  std::string health;
  std::optional<int> restarts = std::nullopt;  ///< none: not asked in this tick
};

struct ServiceStatus {
  ServiceName name;
  ServiceState state = ServiceState::unknown;
  ReasonCode reason_code = ReasonCode::config_error;
  std::string reason = {};
  std::optional<bool> update_available = std::nullopt;
  std::optional<bool> healthy = std::nullopt;  ///< none: no container has a healthcheck
  std::vector<ImageStatus> images = {};
  std::vector<ContainerStatusEntry> containers = {};
  std::map<std::string, Digest> last_good = {};
  std::optional<Timestamp> deployed_at = std::nullopt;
  std::optional<DeploymentRecord> last_deployment = std::nullopt;
  std::optional<Timestamp> pending_since = std::nullopt;
  int consecutive_failures = 0;
  std::vector<Digest> quarantined = {};
  std::optional<Hold> hold = std::nullopt;  ///< `by` as Hold::who(), there and here
  std::optional<Drift> drift = std::nullopt;
  std::optional<Error> error = std::nullopt;
};

/// A registry that limits what this host may ask of it.
struct RegistryStatus {
  std::string name;  ///< the domain of its references
  std::optional<RegistryMemory::RateLimit> rate_limit = std::nullopt;
  std::optional<Timestamp> not_before = std::nullopt;  ///< it is not asked until then
};

struct StatusDocument {
  std::string version;  ///< of tallyman
  std::string host;
  std::string run_id;
  std::string trigger;  ///< "timer" or "manual"
  Timestamp started_at = {};
  Timestamp finished_at = {};
  std::chrono::milliseconds duration{};
  std::vector<ServiceStatus> services = {};     ///< by name
  std::vector<RegistryStatus> registries = {};  ///< by name; only those with limits

  /// "failed" if any service is failed or unknown; "attention" if any is rolled_back, quarantined,
  /// pending or absent; else "ok".
  [[nodiscard]] std::string_view result() const;
  [[nodiscard]] int count(ServiceState state) const;
};

/// Schema 1, with a newline at its end.
[[nodiscard]] std::string status_to_json(const StatusDocument& status);
/// ErrorKind::protocol for anything that is not schema 1.
[[nodiscard]] Result<StatusDocument> parse_status(std::string_view text);

/// Reads and writes the file, mode 0644. not_found says that no run has finished yet.
[[nodiscard]] Result<StatusDocument> load_status(const std::string& path);
[[nodiscard]] Result<void> save_status(const std::string& path, const StatusDocument& status);

}  // namespace tallyman
