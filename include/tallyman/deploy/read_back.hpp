#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tallyman/engine/engine.hpp"
#include "tallyman/model/deployment.hpp"
#include "tallyman/model/service_state.hpp"

namespace tallyman {

/// What an image of a project must be: the id of what `reference` was deployed as there.
using WantedImage =
    std::function<std::string(const std::string& project, const ImageReference& reference)>;

struct ReadBackFailure {
  ReasonCode code;  ///< not_recreated or wrong_result
  std::string message;
};

/// Are there exactly as many containers as planned, of the images that they must be, under their
/// canonical names, and do followers live in the network namespace of one that is there? Whether
/// they run well is for the health gate. Of a script's containers at least as many must be there;
/// what they are called and how many it makes of them is its business, and so is what has ended, as
/// long as enough of them run. Returns all of them, those of services before those of followers.
[[nodiscard]] std::expected<std::vector<Container>, ReadBackFailure> read_back(
    const DeploymentPlan& plan, const WantedImage& wanted, const Host& host);

/// The longest time that a replica was gone: from the end of the old container to the start of the
/// new one of its number. Nothing if the events do not tell.
[[nodiscard]] std::optional<std::chrono::milliseconds> downtime_of(
    const ProjectPlan& project, const std::vector<Container>& now,
    const std::vector<ContainerEvent>& events);

}  // namespace tallyman
