#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tallyman/deploy/plan.hpp"
#include "tallyman/deploy/target.hpp"
#include "tallyman/engine/engine.hpp"
#include "tallyman/io/clock.hpp"
#include "tallyman/io/log.hpp"
#include "tallyman/model/service_state.hpp"
#include "tallyman/registry/registry.hpp"

namespace tallyman {

/// One finished step of a deployment, for people.
struct Step {
  std::string name;  ///< "pull", "recreate"
  std::string text;  ///< "4be7d0c1a2f3, 38.2 MB"
  std::chrono::milliseconds took{};
};

/// How a deployment ended. state: updated; pending (nothing was touched); failed (something was,
/// and it is not known to be good).
struct Outcome {
  ServiceState state = ServiceState::failed;
  ReasonCode reason_code = ReasonCode::recreate_failed;
  std::optional<Error> error = std::nullopt;
  int replicas = 0;  ///< read back: containers that run what was deployed
  Timestamp finished_at = {};
};

/// Carries out a plan: prepare, pull by digest, tag, recreate, read back.
class Deployer {
 public:
  Deployer(Registry& registry, Engine& engine, Target& target, const Clock& clock, Log& log);

  /// What would be done; touches nothing.
  [[nodiscard]] Result<std::vector<PreparedProject>> prepare(const DeploymentPlan& plan);

  [[nodiscard]] Outcome deploy(const DeploymentPlan& plan,
                               const std::function<void(const Step&)>& on_step);

 private:
  struct Pulled {
    ImageReference reference;
    Digest digest;
    std::string image_id;
  };
  [[nodiscard]] Result<Pulled> pull(const ImagePlan& image,
                                    const std::function<void(const Step&)>& on_step);
  [[nodiscard]] Result<std::string> image_id_of(const ImageReference& by_digest);
  [[nodiscard]] Result<void> tag(const ImagePlan& image, const Pulled& pulled);
  [[nodiscard]] Result<void> check_containers(const DeploymentPlan& plan);
  [[nodiscard]] Result<void> check_tags(const std::vector<Pulled>& pulled);

  Registry& m_registry;
  Engine& m_engine;
  Target& m_target;
  const Clock& m_clock;
  Log& m_log;
};

/// Do exactly as many containers as planned run what was pulled? `images`: reference -> image id.
struct ReadBack {
  int verified = 0;
  std::optional<Outcome> failure = std::nullopt;  ///< not_recreated or wrong_result, with its error
};
[[nodiscard]] ReadBack read_back(const DeploymentPlan& plan,
                                 const std::map<ImageReference, std::string>& images,
                                 const Host& host);

}  // namespace tallyman
