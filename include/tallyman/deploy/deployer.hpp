#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "tallyman/deploy/gate.hpp"
#include "tallyman/deploy/hooks.hpp"
#include "tallyman/deploy/observer.hpp"
#include "tallyman/deploy/target.hpp"
#include "tallyman/engine/engine.hpp"
#include "tallyman/io/clock.hpp"
#include "tallyman/io/log.hpp"
#include "tallyman/io/stop.hpp"
#include "tallyman/model/memory.hpp"
#include "tallyman/model/service_state.hpp"
#include "tallyman/registry/registry.hpp"
#include "tallyman/state/state_directory.hpp"

namespace tallyman {

/// How a deployment ended. state: updated; pending (nothing was touched); rolled_back (the old
/// images run again and were verified); failed (not known to be good).
struct Outcome {
  ServiceState state = ServiceState::failed;
  ReasonCode reason_code = ReasonCode::recreate_failed;
  std::optional<Error> error = std::nullopt;
  /// Nothing if it never began. One that has not ended (has_ended) stays open for the next start.
  std::optional<Journal> journal = std::nullopt;
};

/// What a deployment works with; all of it outlives the Deployer.
struct DeploymentTools {
  Registry& registry;
  Engine& engine;
  Target& target;
  HealthGate& gate;
  Hooks& hooks;
  const StateDirectory& state;
  const Clock& clock;
  const Stop& stop;
  Log& log;
  /// For tests: called when a phase is on disk (`after` false) and when its action is done. An
  /// error takes the place of the action's result; before the action, the action is left out.
  std::function<Result<void>(Phase phase, bool after)> on_phase = {};
};

/// Carries out a plan as a transaction (model/transaction.hpp).
class Deployer {
 public:
  explicit Deployer(DeploymentTools tools) : m_tools(std::move(tools)) {}

  /// What would be done; touches nothing.
  [[nodiscard]] Result<std::vector<PreparedProject>> prepare(const DeploymentPlan& plan);

  /// What compose makes of the services of a project now.
  [[nodiscard]] Result<ComposeModels> models(const ProjectPlan& project);

  /// Says no to what was prepared, by the outcome that this is then.
  using Objection = std::function<std::optional<Outcome>(const std::vector<PreparedProject>&)>;

  /// Preflight, then phase after phase until it has ended. A stop that is requested before compose
  /// was called abandons it; later it is finished or undone first. [hooks] before runs after the
  /// pull, and again for the next deployment if this one was cut off or failed before a container
  /// was touched; after or on_failure once it has ended, at most once. They cannot change how it
  /// ended: their failure is a warning and a step. None runs for one that touched nothing.
  [[nodiscard]] Outcome deploy(const DeploymentPlan& plan, const Lock& lock,
                               DeploymentObserver& observer, const Objection& objection = {});

  /// Finishes or undoes what was left open; one outcome for each journal. An error is a journal
  /// that cannot be read: nothing was done then.
  [[nodiscard]] Result<std::vector<Outcome>> recover(const Lock& lock,
                                                     DeploymentObserver& observer);

  /// After `memory` has learned of a deployment that has ended, and is on disk: removes the
  /// rollback tags and images that `memory` does not keep, writes the record and forgets the
  /// journal.
  [[nodiscard]] Result<void> close(const Journal& journal, const Memory& memory);

 private:
  [[nodiscard]] std::optional<Outcome> preflight(const DeploymentPlan& plan);
  [[nodiscard]] Result<void> check_space(const DeploymentPlan& plan);
  [[nodiscard]] Result<void> check_followers(const DeploymentPlan& plan);
  [[nodiscard]] Result<void> check_podman(const DeploymentPlan& plan);
  [[nodiscard]] Result<void> remove_images(const Journal& journal, const Memory& memory);

  DeploymentTools m_tools;
};

/// The name under which a previous image survives until it is not needed any more:
/// "repository:tallyman-rollback-<12 hex of its id>". Some repositories have names that are no good
/// as a tag, so it is in the image's own repository.
[[nodiscard]] ImageReference rollback_reference(const ImageReference& reference,
                                                const std::string& image_id);

}  // namespace tallyman
