#pragma once

#include "tallyman/engine/engine.hpp"
#include "tallyman/io/http.hpp"

#include <memory>
#include <optional>
#include <string>

namespace tallyman {

class EngineApi;

/// Engine over the Docker Engine API on a unix socket: versions 1.24 to 1.47, negotiated before the
/// first call (API "Ping"; moby api/server/middleware/version.go). Podman's compatible API is
/// understood too. Nothing is asked before the first call, so constructing one never fails.
class DockerEngine final : public Engine {
 public:
  /// `socket_path` is a path ("/run/docker.sock"), not a URL. Pulls go through `pull_http`, so that
  /// a stop can end them; everything else through `http`. Both must outlive this.
  DockerEngine(Http& http, Http& pull_http, std::string socket_path);
  ~DockerEngine() override;

  [[nodiscard]] Result<EngineInfo> info() override;
  /// Also inspects every alive container of Podman, whose list has neither network mode nor health,
  /// and the image of an alive container that the list does not show (the containerd
  /// store hides images whose last tag moved on); it may still be missing in Host::images, since a
  /// container outlives its image. A field of the wrong type is an error that names the field:
  /// nothing of a host that was understood only in parts is returned.
  [[nodiscard]] Result<Host> observe() override;
  [[nodiscard]] Result<Container> inspect_container(const std::string& id) override;
  [[nodiscard]] Result<ImageDetail> inspect_image(const std::string& image) override;
  /// Without a total time limit; 10 minutes without a byte are transient. The bytes are those the
  /// engine reported: the containerd store says nothing of layers that arrive within a blink.
  [[nodiscard]] Result<std::int64_t> pull(
      const ImageReference& reference, const Platform& platform,
      const std::optional<Credential>& credential,
      const std::function<void(const PullProgress&)>& progress) override;
  [[nodiscard]] Result<void> tag(const std::string& image,
                                 const ImageReference& reference) override;
  [[nodiscard]] Result<void> remove_image(const std::string& image) override;
  [[nodiscard]] Result<void> remove_container(const std::string& id) override;
  [[nodiscard]] Result<void> rename_container(const std::string& id,
                                              const std::string& name) override;
  [[nodiscard]] Result<void> start_container(const std::string& id) override;
  [[nodiscard]] Result<void> restart_container(const std::string& id) override;
  [[nodiscard]] Result<std::string> logs(const std::string& id, int lines) override;
  [[nodiscard]] Result<std::vector<ContainerEvent>> events(const std::string& project,
                                                           Timestamp since,
                                                           Timestamp until) override;

 private:
  [[nodiscard]] Result<std::string> platform_parameter(const Platform& wanted);

  std::unique_ptr<EngineApi> m_api;
  std::unique_ptr<EngineApi> m_pull_api;
  std::optional<Platform> m_own_platform;  ///< what the engine pulls when nobody says a platform
};

}  // namespace tallyman
