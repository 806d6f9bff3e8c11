#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tallyman/model/deployment.hpp"
#include "tallyman/model/drift.hpp"
#include "tallyman/model/error.hpp"
#include "tallyman/model/service_state.hpp"
#include "tallyman/model/time.hpp"

namespace tallyman {

/// Where a deployment is. A phase is on disk before its action begins, so what is found there after
/// a crash is what may have been done, in part or in whole.
enum class Phase {
  protect,      ///< give the old images their rollback tags
  pull,         ///< bring the new images
  hook,         ///< run what [hooks] before names; passed over where there is none
  tag,          ///< move the local tags to them
  recreate,     ///< compose up, or the script
  verify,       ///< read back, then the health gate
  abandon,      ///< no container was touched: take tags back
  tidy,         ///< what compose or the script left half way
  retag,        ///< move the local tags to the old images
  restore,      ///< compose up or the script, with the old images
  reverify,     ///< read back, then the health gate, on the old images
  committed,    ///< ended: the new images run and were verified
  abandoned,    ///< ended: nothing was touched
  rolled_back,  ///< ended: the old images run and were verified
  failed,       ///< ended: not known to be good
};

enum class PhaseEvent {
  done,
  failed,
  postponed,    ///< could not be done or found out for now: the engine is away
  interrupted,  ///< found on disk by the next start
  exhausted,    ///< has been tried too often
};

/// The whole transaction. The same phase again, unless it has ended, says: leave it open, the next
/// start tries again.
[[nodiscard]] Phase next(Phase phase, PhaseEvent event);

[[nodiscard]] bool has_ended(Phase phase);
/// From `recreate` on, and not on the way of `abandon`: containers may not be what they were.
[[nodiscard]] bool may_have_touched(Phase phase);
/// As whom a deployment that has ended, or is left open, in this phase leaves its services:
/// updated, rolled_back, pending (nothing was touched), failed.
[[nodiscard]] ServiceState state_after(Phase phase);
/// On the way back: goes on even if the journal cannot be written.
[[nodiscard]] bool is_way_back(Phase phase);

[[nodiscard]] std::string_view to_string(Phase phase);
[[nodiscard]] std::optional<Phase> parse_phase(std::string_view text);

/// A child process to be run again, whatever the configuration says by then.
struct SavedCommand {
  std::vector<std::string> argv;
  std::string directory;
  std::map<std::string, std::string> environment;
  std::chrono::milliseconds timeout{};
};

/// What happened to an image of the plan so far; in the order of DeploymentPlan::images.
struct ImageProgress {
  std::string image_id = {};    ///< of the new image; empty until it was pulled
  bool was_here = false;        ///< before the pull
  std::string tag_before = {};  ///< the image that the local tag meant before; empty: none
  std::string version = {};     ///< Image::version of the new image, once it is there
};

/// One finished step of a deployment, for people.
struct Step {
  std::string name;  ///< "pull", "recreate"
  std::string text;  ///< "4be7d0c1a2f3, 38.2 MB"
  std::chrono::milliseconds took{};
  Timestamp at = {};  ///< when it was done
};

/// All that must survive a crash of a deployment that is under way, and its record afterwards.
struct Journal {
  std::string id;      ///< "20261122T194514Z-web"
  std::string folder;  ///< where its record and what is evidence of it are kept
  Phase phase = Phase::protect;
  int writes = 0;      ///< counts every phase that was entered: breaks loops
  int recoveries = 0;  ///< how often a start found it open
  Timestamp started_at = {};
  std::optional<Timestamp> finished_at = std::nullopt;
  DeploymentPlan plan;
  std::vector<SavedCommand> commands = {};    ///< what recreates; in the order of plan.projects
  std::vector<ComposeModels> models = {};     ///< what that applies; in the order of plan.projects
  std::vector<ImageProgress> images = {};     ///< in the order of plan.images
  bool was_unhealthy = false;                 ///< the old containers failed the gate before
  std::optional<Error> error = std::nullopt;  ///< why it did not end as updated
  ReasonCode reason_code = ReasonCode::deployed;
  bool judged = false;                     ///< it was the image that failed, nothing else
  std::vector<std::string> suspects = {};  ///< references of the images that failed
  bool has_evidence = false;               ///< of what failed, in its folder
  std::vector<Step> steps = {};
  std::optional<std::chrono::milliseconds> downtime = std::nullopt;
  int replicas = 0;           ///< verified
  bool hooks_called = false;  ///< [hooks] after or on_failure: at most once, so noted before
};

/// A journal that was entered this often, or found open this often, does not end by itself.
inline constexpr int k_most_phases = 120;
inline constexpr int k_most_recoveries = 12;

}  // namespace tallyman
