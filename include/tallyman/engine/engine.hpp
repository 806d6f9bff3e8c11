#pragma once

#include "tallyman/model/error.hpp"
#include "tallyman/model/host.hpp"
#include "tallyman/model/image_reference.hpp"
#include "tallyman/model/secret.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tallyman {

struct EngineInfo {
  std::string name;                              ///< the host's name as the engine knows it
  std::string version;                           ///< "26.1.5"
  std::string api_version;                       ///< the one we speak with it: "1.41"
  std::string socket;                            ///< path of its unix socket
  std::string data_root;                         ///< folder of its images and containers
  Platform platform = {};                        ///< what its containers run on, normalised
  std::vector<std::string> insecure_cidrs;       ///< "127.0.0.0/8"
  std::vector<std::string> insecure_registries;  ///< "172.21.138.103", "harbor.lan:8080"
  /// By registry: what the engine asks first. With Docker that is only Docker Hub's.
  std::map<std::string, std::vector<std::string>> mirrors = {};
  bool podman = false;
};

/// Bytes of a pull so far; total grows as layers become known.
struct PullProgress {
  std::int64_t current = 0;
  std::int64_t total = 0;
};

/// The Docker Engine of this host (Engine API). Errors: not_found (404), denied (no permission on
/// the socket), transient (nothing listens on the socket, 5xx, an interrupted pull), auth and
/// denied as the registry told the engine, protocol.
class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  [[nodiscard]] virtual Result<EngineInfo> info() = 0;

  /// Every container and image, in two calls, plus one inspect for each container whose reference
  /// the list does not show (its tag has moved on: the list gives the image's id).
  [[nodiscard]] virtual Result<Host> observe() = 0;

  [[nodiscard]] virtual Result<Container> inspect_container(const std::string& id) = 0;
  /// `image`: an id or a reference, in full: Podman takes "web" for "localhost/web" where there is
  /// one.
  [[nodiscard]] virtual Result<ImageDetail> inspect_image(const std::string& image) = 0;

  /// Pulls by digest (`reference` must have one). Returns the bytes transferred.
  [[nodiscard]] virtual Result<std::int64_t> pull(
      const ImageReference& reference, const Platform& platform,
      const std::optional<Credential>& credential,
      const std::function<void(const PullProgress&)>& progress) = 0;

  /// Gives `image` (an id, or repository@digest) the name repository:tag of `reference`.
  [[nodiscard]] virtual Result<void> tag(const std::string& image,
                                         const ImageReference& reference) = 0;
  /// Takes away a name ("repository:tag", "repository@sha256:…"), and with the last one the image;
  /// `image` may be an id, too. An image that a container uses stays: transient. Nothing of that
  /// name: not_found.
  [[nodiscard]] virtual Result<void> remove_image(const std::string& image) = 0;

  /// Also one that runs, with its anonymous volumes left alone. Fine if it is gone.
  [[nodiscard]] virtual Result<void> remove_container(const std::string& id) = 0;
  [[nodiscard]] virtual Result<void> rename_container(const std::string& id,
                                                      const std::string& name) = 0;
  /// Fine if it runs.
  [[nodiscard]] virtual Result<void> start_container(const std::string& id) = 0;
  [[nodiscard]] virtual Result<void> restart_container(const std::string& id) = 0;

  /// The last `lines` lines of stdout and stderr as they came, at most 1 MiB of them.
  [[nodiscard]] virtual Result<std::string> logs(const std::string& id, int lines) = 0;
  /// Starts and ends of containers of a compose project, or of all for "", oldest first. The engine
  /// remembers only its last 256 events.
  [[nodiscard]] virtual Result<std::vector<ContainerEvent>> events(const std::string& project,
                                                                   Timestamp since,
                                                                   Timestamp until) = 0;
};

}  // namespace tallyman
