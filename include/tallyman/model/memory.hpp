#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tallyman/model/digest.hpp"
#include "tallyman/model/drift.hpp"
#include "tallyman/model/error.hpp"
#include "tallyman/model/hold.hpp"
#include "tallyman/model/time.hpp"
#include "tallyman/model/watch.hpp"

namespace tallyman {

/// What is known of a deployment that ended.
struct DeploymentRecord {
  std::string id;
  std::string result;          ///< "updated", "pending", "rolled_back", "failed"
  std::optional<Digest> from;  ///< what ran before; none where replicas differed or nobody knows
  std::optional<Digest> to;
  Timestamp finished_at = {};
  std::string log = {};  ///< folder with its record and evidence; "" if it has none
};

/// A digest that failed here, and must not be deployed again.
struct Quarantined {
  std::string reference;
  Digest digest;                                  ///< as the registry offered it
  std::optional<Digest> manifest = std::nullopt;  ///< of this host's platform, where it is known
  std::string reason;                             ///< for people: "shop-web-1 exited 1"
  Timestamp at = {};
};

/// A previous image that stays on this host under a rollback tag.
struct KeptImage {
  std::string reference;
  std::string image_id;
  std::optional<Digest> digest = std::nullopt;  ///< to pull it again; none where nobody knows
  std::string tag;                              ///< "repository:tallyman-rollback-…"
  bool deployed = false;                        ///< by tallyman: only such an image may be removed
  Timestamp at = {};
};

/// What a registry offered in a row, for a service whose drop-in waits for that (stable_checks).
struct Candidate {
  Digest digest;
  int checks = 0;  ///< at most k_most_stable_checks
};

/// Deployments in a row that did not succeed with what the registry offered.
struct FailedAttempts {
  std::optional<Digest> digest = std::nullopt;  ///< what was to be deployed
  int count = 0;
  int touched = 0;  ///< those of them that recreated containers
  Timestamp last = {};
  bool mirror_lags = false;  ///< the last of them: the engine's mirror did not have it
};

/// What tallyman remembers of one service between two ticks.
struct ServiceMemory {
  std::map<std::string, Digest>
      last_good;  ///< by reference: the registry's digest that was deployed and verified last
  /// By reference: what the containers were last brought to or seen to run while the registry
  /// offered it. Another content while the registry still offers this was somebody's own doing.
  std::map<std::string, Digest> settled;
  std::optional<Timestamp> deployed_at = std::nullopt;
  std::optional<DeploymentRecord> last_deployment = std::nullopt;
  std::optional<Timestamp> pending_since = std::nullopt;
  int consecutive_failures = 0;
  FailedAttempts attempts = {};
  std::map<std::string, Candidate> candidates = {};  ///< by reference
  /// Why the service is not known to be good since its last deployment; empty once it is.
  std::string broken = {};
  std::vector<Quarantined> quarantined = {};
  std::vector<KeptImage> kept = {};  ///< newest first
  ModelMemory models = {};           ///< what compose makes of its services
};

/// What a registry said that holds beyond a tick. Nothing of it is secret.
struct RegistryMemory {
  /// Who gives its tokens, as its challenge said.
  struct TokenService {
    std::string realm;
    std::string service;
    Timestamp at = {};
  };
  /// How many pulls it grants in a window, and how many of them are left.
  struct RateLimit {
    std::int64_t limit = 0;
    std::int64_t remaining = 0;
    std::chrono::seconds window{0};  ///< 0: it did not say
  };
  std::optional<TokenService> token_service = std::nullopt;
  /// Since when each repository gets a token of its own: where one for several was refused, or did
  /// not open them all, and one for each did.
  std::optional<Timestamp> single_tokens_since = std::nullopt;
  std::optional<RateLimit> rate_limit = std::nullopt;
  std::optional<Timestamp> not_before = std::nullopt;  ///< it wants to be left alone until then
};

/// The longest that a registry is left alone because it said so.
inline constexpr std::chrono::hours k_longest_rate_limit{6};

/// Nothing where it may be asked at `now`. After a clock that was set back nothing is waited for
/// that lies further ahead than any registry can have said.
[[nodiscard]] std::optional<Timestamp> left_alone_until(const RegistryMemory& registry,
                                                        Timestamp now);

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
  std::map<std::string, RegistryMemory> registries;  ///< by domain
  std::set<std::string> asked;  ///< references that the last look at all services asked for
  /// What people hold, with files of their own: they come and go while a run is at work. One that
  /// cannot be read is its error, and holds as well.
  std::map<ServiceName, Result<Hold>> holds;
};

struct RemoteImage;

/// Has what a registry offers failed here? By its digest, or by the manifest of this platform where
/// that is known: a new index around the same image is no other image.
[[nodiscard]] const Quarantined* find_quarantined(const ServiceMemory& service,
                                                  const RemoteImage& remote);
/// Lets go of the digests that `remote.reference` has moved away from.
void release_moved(ServiceMemory& service, const RemoteImage& remote);

/// A tick saw what `remote.reference` offers: once more in a row, or for the first time.
void count_check(ServiceMemory& service, const RemoteImage& remote);
/// How many ticks in a row saw it.
[[nodiscard]] int checks_of(const ServiceMemory& service, const RemoteImage& remote);

/// How long the timer's ticks leave a digest alone that could not be deployed `failures` times: not
/// at all, 5 min, 10 min, …, at most 6 h.
[[nodiscard]] std::chrono::milliseconds backoff(int failures);

}  // namespace tallyman
