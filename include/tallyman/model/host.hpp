#pragma once

#include "tallyman/model/labels.hpp"
#include "tallyman/model/platform.hpp"
#include "tallyman/model/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tallyman {

/// State.Status of the Engine API.
enum class ContainerStatus {
  created,
  running,
  paused,
  restarting,
  removing,
  exited,
  dead,
  unknown
};
enum class Health { none, starting, healthy, unhealthy };

[[nodiscard]] std::string_view to_string(ContainerStatus status);
[[nodiscard]] std::string_view to_string(Health health);
[[nodiscard]] ContainerStatus parse_container_status(std::string_view text);

/// A container of this host, as the Engine API shows it.
struct Container {
  std::string id;        ///< 64 hex characters
  std::string name;      ///< without the leading "/"
  std::string image;     ///< the reference it was created with (Config.Image), as written
  std::string image_id;  ///< "sha256:…"
  Labels labels = {};
  std::string network_mode = {};  ///< HostConfig.NetworkMode: "bridge", "container:<id>"
  ContainerStatus status = ContainerStatus::unknown;
  Health health = Health::none;
  Timestamp created = {};
  std::optional<int> restarts = std::nullopt;  ///< RestartCount; only known after an inspect
  std::optional<Timestamp> started =
      std::nullopt;  ///< State.StartedAt; only known after an inspect
  std::optional<int> exit_code =
      std::nullopt;                ///< only known after an inspect, of one that is not running
  bool oom_killed = false;         ///< State.OOMKilled; only known after an inspect
  std::string start_error = {};    ///< State.Error: why it could not be started; after an inspect
  std::string health_output = {};  ///< of the newest health check; only known after an inspect

  /// running, paused or restarting: somebody wants it to be there.
  [[nodiscard]] bool alive() const;
  [[nodiscard]] std::string_view label(std::string_view name) const;  ///< "" if missing
};

/// A local image, as the Engine API lists it.
struct Image {
  std::string id;  ///< "sha256:…"; config digest, or on the containerd store index digest
  std::vector<std::string> repo_tags = {};
  std::vector<std::string> repo_digests = {};  ///< "nginx@sha256:…", in familiar form
  Labels labels = {};
  std::optional<Timestamp> created = std::nullopt;
  std::int64_t size = 0;

  /// Its label k_label_version, for people; "" if it has none.
  [[nodiscard]] std::string_view version() const;
};

/// A label of an image that is perhaps not here any more; an empty one counts as missing.
[[nodiscard]] std::optional<std::string> label_of(const std::optional<Image>& image,
                                                  std::string_view name);

/// What only an inspect of an image tells.
struct ImageDetail {
  Image image;
  Platform platform;
  bool has_container_config =
      false;  ///< compose v1 needs ContainerConfig; newer engines do not have it any more
};

/// The whole host at one moment.
struct Host {
  std::vector<Container> containers;
  std::map<std::string, Image> images;  ///< by id
  /// Podman's compatible API: an image's id is its config digest, as on the classic store, but the
  /// RepoDigests are made up of the names that the image has now, as on the containerd store
  /// (containers/common libimage/image.go: every name with every known digest).
  bool podman = false;
  [[nodiscard]] const Image* image_of(const Container& container) const;
};

// Labels of images (image-spec, annotations.md).
inline constexpr std::string_view k_label_version = "org.opencontainers.image.version";
inline constexpr std::string_view k_label_revision = "org.opencontainers.image.revision";

// Labels that compose puts on its containers (docker/compose: pkg/api/labels.go; 1.29.2
// compose/const.py).
inline constexpr std::string_view k_label_project = "com.docker.compose.project";
inline constexpr std::string_view k_label_service = "com.docker.compose.service";
inline constexpr std::string_view k_label_compose_version = "com.docker.compose.version";
inline constexpr std::string_view k_label_config_hash = "com.docker.compose.config-hash";
inline constexpr std::string_view k_label_number = "com.docker.compose.container-number";
inline constexpr std::string_view k_label_depends_on = "com.docker.compose.depends_on";
inline constexpr std::string_view k_label_oneoff = "com.docker.compose.oneoff";
inline constexpr std::string_view k_label_working_dir = "com.docker.compose.project.working_dir";
inline constexpr std::string_view k_label_config_files = "com.docker.compose.project.config_files";
inline constexpr std::string_view k_label_environment_file =
    "com.docker.compose.project.environment_file";
inline constexpr std::string_view k_label_swarm_service = "com.docker.swarm.service.name";

/// A container of `compose up`; those of `compose run` and of Swarm are not.
[[nodiscard]] bool is_compose_service(const Container& container);
/// A container of `compose up` for this service of this project.
[[nodiscard]] bool is_of_service(const Container& container, std::string_view project,
                                 std::string_view service);
/// The label com.docker.compose.container-number; 0 if there is none.
[[nodiscard]] int container_number(const Container& container);

/// A container was started, or has ended ("die").
struct ContainerEvent {
  Timestamp at = {};
  std::string action;     ///< "start", "die"
  std::string container;  ///< its id
};

}  // namespace tallyman
