#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tallyman/model/error.hpp"
#include "tallyman/model/memory.hpp"
#include "tallyman/model/remote_image.hpp"
#include "tallyman/model/selection.hpp"
#include "tallyman/model/service_state.hpp"
#include "tallyman/model/watch.hpp"

namespace tallyman {

/// How the registry's digest and a running replica compare. The cheap rules come first; see
/// match().
enum class Match {
  same,          ///< the digest is one of the running image's own
  same_content,  ///< the digest moved, the content for this platform did not
  differs,
  unclear,  ///< not one of its own; what is behind the digest has not been looked into yet
};

/// The digests under which the engine knows a replica's image in the reference's repository: the
/// matching RepoDigests, and the image id (on the containerd store that is the digest; on the
/// classic store and with Podman it is a config digest, which no manifest digest ever equals).
[[nodiscard]] std::vector<Digest> own_digests(const ImageReference& reference,
                                              const Replica& replica);

/// The digest by which the replica's image can be pulled again: `preferred` if it is one of its
/// own, else the first; nothing if it never came from a registry.
[[nodiscard]] std::optional<Digest> pullable_digest(
    const ImageReference& reference, const Replica& replica,
    const std::optional<Digest>& preferred = std::nullopt);

/// Is the id of this image a manifest digest (containerd image store) and not a config digest
/// (classic store, Podman)?
[[nodiscard]] bool id_is_manifest_digest(const Replica& replica);

/// Compares one replica, first rule that fits: the digest is its own; memory says that the two are
/// equivalent; the platform's manifest is one of its own; the platform's config is its image id.
[[nodiscard]] Match match(const RemoteImage& remote, const Replica& replica, const Memory& memory);

/// Must the registry be asked for this reference? Not where it runs by digest, nor where no
/// registry is in its name and nothing shows that it came from Docker Hub: neither the drop-in nor
/// a RepoDigest that an engine with the classic store wrote when it pulled. Podman writes out what
/// nobody wrote: "docker.io/library/web" for `docker build -t web`, "localhost/web" for `podman
/// build -t web`. So there only the drop-in can name Docker Hub, and localhost (without a port) is
/// no registry.
enum class Question { ask, pinned, no_origin };
[[nodiscard]] Question question_for(const Watch& watch, const WatchedImage& image);

/// One reference of a service with both sides known.
struct Comparison {
  WatchedImage running;
  Question question = Question::ask;
  std::optional<Result<RemoteImage>> remote = std::nullopt;  ///< nothing where it was not asked
  Platform platform = {};  ///< of the running image; empty where nothing had to be looked into
  std::optional<Error> platform_error = std::nullopt;  ///< the digest could not be looked into
};

/// One reference's part of a decision.
struct ImageDecision {
  ServiceState state = ServiceState::unknown;
  ReasonCode reason_code = ReasonCode::registry_error;
  std::string reason = {};
  std::optional<bool> update_available = std::nullopt;
  std::optional<Error> error = std::nullopt;
  bool deploy =
      false;  ///< those of its containers that compose or a script manages are to be deployed
};

/// What to do about a service, and why.
struct Decision {
  enum class Action { none, deploy };
  Action action = Action::none;
  ServiceState state = ServiceState::unknown;
  ReasonCode reason_code = ReasonCode::registry_error;
  std::string reason = {};  ///< for people; empty where the state says it all
  std::optional<bool> update_available = std::nullopt;
  std::optional<Error> error = std::nullopt;
  std::vector<ImageDecision> images = {};  ///< in the order of the comparisons
};

/// A person said deploy: mode notify, a change by hand, failures of before and holds are no
/// obstacles. Whoever asks has looked for holds.
struct Wish {
  bool retry_quarantined = false;
  bool recreate = false;  ///< also what is current
};

/// When it is decided, and for whom.
struct Moment {
  Timestamp now = {};
  bool patient = false;  ///< the timer's tick: what failed lately is left alone for a while
  bool counts = false;   ///< a tick, which changes things: what it sees counts for stable_checks
  std::optional<Wish> wish = std::nullopt;
};

/// The one place that decides. Pure: the same values give the same decision.
/// One drop-in is one transaction: while one of its references is unknown, quarantined or changed
/// by hand, none is deployed.
[[nodiscard]] Decision decide(const Watch& watch, const std::vector<Comparison>& comparisons,
                              const std::vector<Container>& by_id, const Memory& memory,
                              const Moment& moment);

/// Nothing is deployed: somebody holds it. The reason becomes `why`, with the update that is at
/// hand, unless the state is worse than held.
void hold_back(Decision& decision, std::string_view why);
/// The same for the hold that memory has of this service, if it is not over and there is no wish.
/// One that cannot be read makes it unknown.
void apply_hold(const Watch& watch, const Memory& memory, const Moment& moment, Decision& decision);

/// For a service that could not be looked at.
[[nodiscard]] Decision undecided(Error error, ReasonCode code);

}  // namespace tallyman
