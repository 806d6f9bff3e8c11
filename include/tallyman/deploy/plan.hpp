#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tallyman/model/decision.hpp"
#include "tallyman/model/platform.hpp"

namespace tallyman {

/// A service of a compose project that is to be recreated.
struct ServicePlan {
  std::string name;                          ///< compose's name of it
  ImageReference reference;                  ///< what compose must resolve its image to
  int replicas = 1;                          ///< as many as run now
  std::vector<std::string> containers = {};  ///< the ids of those
  std::vector<std::string> images = {};      ///< the ids of what they run
};

/// One call of compose.
struct ProjectPlan {
  ComposeSettings compose;  ///< complete: absolute directory, files and env files; a project name
  bool created_by_v1 = false;  ///< the running containers come from docker-compose 1.x
  std::vector<ServicePlan> services;
  /// Running services of the project that live in the network namespace of one of `services`:
  /// recreated along with them, or they would be left in a dead namespace.
  std::vector<ServicePlan> followers = {};
};

/// One image that is to be pulled and tagged.
struct ImagePlan {
  ImageReference reference;
  Digest digest;
  Platform platform;
  std::int64_t layer_bytes = 0;  ///< compressed; 0: not known
};

/// What a deployment of one drop-in does.
struct DeploymentPlan {
  ServiceName service;
  std::vector<ImagePlan> images;
  std::vector<ProjectPlan> projects;
};

/// Turns a Decision::Action::deploy into a plan: its changed references, and of their containers
/// those that compose manages, by project. What the drop-in leaves open comes from the newest
/// container's labels. ErrorKind::config, naming drop-in and container, where that is not enough:
/// no label, or a file that is not there (any more). ErrorKind::transient if nothing of it runs any
/// more.
[[nodiscard]] Result<DeploymentPlan> make_plan(const Watch& watch,
                                               const std::vector<Comparison>& comparisons,
                                               const Decision& decision, const Host& host);

}  // namespace tallyman
