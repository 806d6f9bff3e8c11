#pragma once

#include "tallyman/io/process.hpp"
#include "tallyman/model/error.hpp"
#include "tallyman/model/secret.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>

// github.com/docker/docker-credential-helpers: client/client.go
namespace tallyman {

/// What a credential helper is asked: docker-credential-`name` for `server`.
struct HelperQuestion {
  std::string name;    ///< as DockerConfig checked it
  std::string server;  ///< "ghcr.io", "https://index.docker.io/v1/"
  std::string file;    ///< that names the helper, for messages
};

/// docker-credential-NAME get, with the server on its stdin. It ends in time or is killed.
[[nodiscard]] Command helper_command(const HelperQuestion& question,
                                     const std::map<std::string, std::string>& environment,
                                     std::chrono::milliseconds timeout);

/// What came of that. Nothing: it has none. ErrorKind::process: not installed, failed, ended since
/// its time was up, or what it answered is no credential. Nothing that it said is repeated: it may
/// be a secret.
[[nodiscard]] Result<std::optional<Credential>> helper_answer(const HelperQuestion& question,
                                                              const Command& command,
                                                              const Result<Exit>& exit);

}  // namespace tallyman
