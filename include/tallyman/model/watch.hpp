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
};

/// What one drop-in asks for. At least one of image and compose.services is there.
struct Watch {
  ServiceName name;
  std::string file;  ///< the drop-in, for messages
  std::optional<ImageReference> image;
  Mode mode = Mode::automatic;
  ComposeSettings compose = {};
};

/// [registry."domain"] of tallyman.toml.
struct RegistrySettings {
  bool plain_http = false;
  std::string username;
  std::string password_file;  ///< absolute; read when it is needed
};

}  // namespace tallyman
