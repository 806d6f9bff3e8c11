#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tallyman/model/digest.hpp"
#include "tallyman/model/hold.hpp"
#include "tallyman/model/host.hpp"
#include "tallyman/model/image_reference.hpp"
#include "tallyman/model/platform.hpp"
#include "tallyman/model/watch.hpp"

namespace tallyman {

/// A container of a service as it was before the deployment.
struct PlannedContainer {
  std::string id;
  std::string name;  ///< its canonical name
  int number = 1;    ///< compose's; 0: it has none
  std::string image_id;
};

/// A service of a compose project that is to be recreated; or all containers of one reference,
/// which a script recreates.
struct ServicePlan {
  std::string name;                               ///< compose's name of it; the drop-in's
  ImageReference reference;                       ///< what compose must resolve its image to
  std::vector<PlannedContainer> containers = {};  ///< those that run: as many must run afterwards
  std::vector<std::string> bystanders = {};       ///< ids of those that do not: never touched
  [[nodiscard]] int replicas() const { return static_cast<int>(containers.size()); }
};

/// One call of compose, or of the script of a drop-in.
struct ProjectPlan {
  ServiceName drop_in = {};
  ComposeSettings compose;  ///< complete: absolute directory, files and env files; a project name
  bool by_script = false;   ///< `redeploy` recreates; compose has the drop-in's name as project's
  RedeploySettings redeploy = {};
  bool created_by_v1 = false;  ///< the running containers come from docker-compose 1.x
  bool forced = false;         ///< recreate also what compose would leave as it is
  std::vector<ServicePlan> services = {};
  /// Running services of the project that live in the network namespace of one of `services`:
  /// recreated along with them, or they would be left in a dead namespace.
  std::vector<ServicePlan> followers = {};
  [[nodiscard]] std::vector<const ServicePlan*> all() const;  ///< services, then followers
  /// Of compose or the script: what the drop-in says itself.
  [[nodiscard]] const std::map<std::string, std::string>& shown_environment() const {
    return by_script ? redeploy.environment : compose.environment;
  }
  /// Does this container stand for `service`, one of this project's? By its labels; a script's by
  /// the reference that it was created from, whoever manages it (but not those of `compose run`).
  [[nodiscard]] bool has(const ServicePlan& service, const Container& container) const;
};

/// An image that ran before the deployment.
struct OldImage {
  std::string project;
  std::string image_id;
  std::optional<Digest> digest = std::nullopt;  ///< to pull it again; none where nobody knows
  std::string version = {};                     ///< Image::version
};

/// Who or what began a deployment.
struct Trigger {
  std::string name = "manual";  ///< "timer", "manual" (run), "deploy", "rollback"
  std::string by = {};          ///< the person, where one named the service
  /// Is put on `service` once the deployment has succeeded: what it brought is not what its tag
  /// offers.
  std::optional<Hold> hold = std::nullopt;
  ServiceName service = {};
};

/// One image that is to be pulled and tagged.
struct ImagePlan {
  ImageReference reference;
  Digest digest;
  Platform platform;
  std::optional<Digest> manifest = std::nullopt;  ///< of the platform, where it is known
  std::map<Digest, std::int64_t> layers = {};     ///< compressed bytes; empty where nobody knows
  std::vector<OldImage> old = {};  ///< one for each project: what most of its replicas run
  /// Here it is known to be this image: no registry is asked while it is there. Empty: pull it.
  std::string local_id = {};
};

/// What a deployment does for one drop-in.
struct DeploymentPart {
  ServiceName service;
  std::vector<ImageReference> references;  ///< of those that are deployed
  std::optional<Digest> from;              ///< none where replicas differed or nobody knows
  Digest to;                               ///< of the first reference
  RollbackSettings rollback = {};
  HealthSettings health = {};
  HookSettings hooks = {};
};

/// One transaction: a drop-in, or several that share a reference and so its local tag.
struct DeploymentPlan {
  std::vector<DeploymentPart> parts;
  std::vector<ImagePlan> images;
  std::vector<ProjectPlan> projects;
  Trigger trigger = {};
  [[nodiscard]] std::string name() const;    ///< "web", "web, worker"
  [[nodiscard]] bool may_be_undone() const;  ///< false only if every part says so
  [[nodiscard]] bool has_before_hook() const;
  /// Must this not be done where compose would apply more than the image? A person's order may.
  [[nodiscard]] bool refuses_drift(const ProjectPlan& project) const;
};

}  // namespace tallyman
