#pragma once

#include <optional>
#include <string_view>

namespace tallyman {

/// The state of a watched service, worst first: where several apply, the first one counts. The
/// words are a promise to monitoring (status file, "state").
enum class ServiceState {
  failed,       ///< not known to be good
  rolled_back,  ///< the new image failed in this tick, the old one runs again and was verified
  unknown,      ///< could not be determined: the error says why
  quarantined,  ///< the registry still offers a digest that failed here
  held,         ///< an operator said hold
  pending,      ///< differs, not deployed: the reason says why
  updated,      ///< deployed and verified in this tick
  absent,       ///< no running container; nothing is started that the operator stopped
  pinned,       ///< runs by digest
  local,        ///< built here, no registry counterpart
  current,
};

inline constexpr ServiceState k_all_states[] = {
    ServiceState::failed,      ServiceState::rolled_back, ServiceState::unknown,
    ServiceState::quarantined, ServiceState::held,        ServiceState::pending,
    ServiceState::updated,     ServiceState::absent,      ServiceState::pinned,
    ServiceState::local,       ServiceState::current,
};

/// Why a service is in its state; programs may rely on the words (status file, "reason_code").
enum class ReasonCode {
  up_to_date,        ///< current: runs the digest that the registry has
  same_content,      ///< current: the index moved, the image of this platform did not
  deployed,          ///< updated
  update_available,  ///< pending: seen, and not deployed yet (check only looks)
  notify_only,       ///< pending: mode = "notify"
  changed_by_hand,   ///< pending: somebody deployed something else while the tag did not move
  unmanaged,         ///< pending: neither compose nor a script of ours manages it
  no_platform,       ///< pending: the registry has nothing for this host's platform
  preflight_failed,  ///< pending: compose cannot be asked to deploy; nothing was touched
  pull_failed,       ///< pending: nothing was touched
  hook_failed,       ///< pending: [hooks] before said no; nothing was touched
  no_space,          ///< pending: the disk is too small for the image; nothing was touched
  backing_off,       ///< pending: failed before, and is not tried in this tick
  not_yet_stable,    ///< pending: fewer checks in a row saw the digest than stable_checks asks for
  mirror_lag,        ///< pending: the engine's mirror does not have what the registry offers
  interrupted,       ///< pending: told to stop before containers were touched
  drift,             ///< pending: compose would apply more than the image, and must not by itself
  predecessor,       ///< pending: one that it is deployed after failed; nothing was touched
  failed_here,       ///< quarantined
  held,              ///< held: itself, or a drop-in that is one transaction with it
  not_running,       ///< absent
  by_digest,         ///< pinned
  built_here,        ///< local: the registry has no such tag, and the image was never pulled
  no_origin,  ///< local: no registry in its name, and nothing shows that it came from Docker Hub
  unhealthy,  ///< rolled_back, failed: the containers did not pass the health gate
  recreate_failed,  ///< rolled_back, failed: compose reported an error
  not_recreated,    ///< rolled_back, failed: compose reported success and left the old containers
  wrong_result,     ///< rolled_back, failed: what runs is not what was deployed
  killed,           ///< rolled_back: tallyman or the host died in the middle
  rollback_failed,  ///< failed: and the old containers could not be brought back
  registry_error,   ///< unknown
  engine_error,     ///< unknown, or failed where it could not be read back
  config_error,     ///< unknown
  state_error,  ///< unknown: what tallyman remembers could not be read; pending, rolled_back: the
                ///< journal could not be written
};

[[nodiscard]] std::string_view to_string(ServiceState state);
[[nodiscard]] std::string_view to_string(ReasonCode code);
[[nodiscard]] std::optional<ServiceState> parse_service_state(std::string_view text);
[[nodiscard]] std::optional<ReasonCode> parse_reason_code(std::string_view text);

}  // namespace tallyman
