#pragma once

#include "tallyman/model/image_reference.hpp"
#include "tallyman/model/secret.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tallyman {

/// The name of a drop-in without ".toml": the service's name in all output.
using ServiceName = std::string;

enum class Mode { automatic, notify };

/// What a run does about a new image where compose would apply more than that.
enum class OnDrift { apply, refuse };

/// [compose] of a drop-in. What is empty comes from the labels of the containers.
struct ComposeSettings {
  std::string directory = {};               ///< --project-directory, absolute
  std::vector<std::string> files = {};      ///< -f; relative ones are relative to directory
  std::string project = {};                 ///< -p
  std::vector<std::string> env_files = {};  ///< --env-file; relative ones are relative to directory
  std::vector<std::string> profiles = {};   ///< --profile
  std::vector<std::string> services = {};   ///< {"*"}: all of the project
  std::map<std::string, std::string> environment = {};  ///< for the compose process
  std::vector<std::string> command = {};                ///< {"docker", "compose"}; empty: found
  std::chrono::milliseconds timeout = std::chrono::minutes(10);  ///< of one compose call
  OnDrift on_drift = OnDrift::apply;
};

/// [health] of a drop-in: when containers count as good.
struct HealthSettings {
  std::chrono::milliseconds timeout = std::chrono::seconds(90);  ///< until all is healthy
  std::chrono::milliseconds settle = std::chrono::seconds(10);   ///< then this long without trouble
  std::vector<std::string> http = {};                            ///< URLs that must answer
  std::optional<int> http_status = std::nullopt;  ///< with this status; none: any from 200 to 399
  std::vector<std::string> tcp = {};              ///< "host:port" that must accept a connection
  std::vector<std::string> command = {};          ///< must end with exit status 0
};

/// [rollback] of a drop-in.
struct RollbackSettings {
  bool enabled = true;
  int keep = 3;  ///< previous images that stay on this host
};

/// [redeploy] of a drop-in: a program recreates the containers, and not compose.
struct RedeploySettings {
  std::vector<std::string> command = {};  ///< {"./start.sh", "--no-rag"}; empty: no such section
  std::string directory = "/";            ///< absolute; it runs there
  std::map<std::string, std::string> environment = {};
  std::chrono::milliseconds timeout = std::chrono::minutes(10);
  [[nodiscard]] bool used() const { return !command.empty(); }
};

/// [hooks] of a drop-in: programs around a deployment; empty: none.
struct HookSettings {
  std::vector<std::string> before = {};      ///< after the pull; its failure ends the deployment
  std::vector<std::string> after = {};       ///< when the deployment is committed
  std::vector<std::string> on_failure = {};  ///< when it was rolled back, or has failed
  std::string directory = "/";               ///< absolute; they run there
  std::chrono::milliseconds timeout = std::chrono::minutes(10);  ///< of each of them
};

/// The most that stable_checks may ask for.
inline constexpr int k_most_stable_checks = 10;

/// What one drop-in asks for. At least one of image and compose.services is there.
struct Watch {
  ServiceName name;
  std::string file;  ///< the drop-in, for messages
  std::optional<ImageReference> image;
  Mode mode = Mode::automatic;
  int stable_checks = 1;                ///< checks in a row that must have seen a digest: 1 to 10
  std::vector<ServiceName> after = {};  ///< deployed after these in a tick; never in a cycle
  ComposeSettings compose = {};
  HealthSettings health = {};
  RollbackSettings rollback = {};
  RedeploySettings redeploy = {};  ///< only with an image, and without [compose]
  HookSettings hooks = {};
};

/// [registry."domain"] of tallyman.toml.
struct RegistrySettings {
  bool plain_http = false;
  std::string username;
  std::string password_file;  ///< absolute; read when it is needed
  /// The name of a file in $CREDENTIALS_DIRECTORY instead; without username it holds docker's
  /// auths.
  std::string credential = {};
  std::string ca_file = {};      ///< absolute; roots beside the system's
  std::string client_cert = {};  ///< absolute; with client_key or not at all
  std::string client_key = {};   ///< absolute
  std::string proxy = {};  ///< URL, maybe with a password; "none"; empty: as the variables say
  int max_concurrent_requests = 100;
};

}  // namespace tallyman
