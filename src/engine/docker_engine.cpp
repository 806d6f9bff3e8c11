#include "tallyman/engine/docker_engine.hpp"

#include "engine/container_calls.hpp"
#include "engine/containers.hpp"
#include "engine/engine_api.hpp"
#include "engine/engine_text.hpp"
#include "engine/events.hpp"
#include "engine/images.hpp"
#include "engine/info.hpp"
#include "engine/inspect_call.hpp"
#include "engine/logs.hpp"
#include "engine/observation.hpp"
#include "engine/pull.hpp"
#include "tallyman/io/encoding.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace tallyman {

namespace {

/// Deleting the layers of a big image takes a slow disk minutes, in which the engine says nothing.
constexpr std::chrono::minutes k_removal_timeout{5};

}  // namespace

DockerEngine::DockerEngine(Http& http, Http& pull_http, std::string socket_path)
    : m_api(std::make_unique<EngineApi>(http, socket_path)),
      m_pull_api(std::make_unique<EngineApi>(pull_http, std::move(socket_path))) {}

DockerEngine::~DockerEngine() = default;

Result<EngineInfo> DockerEngine::info() {
  const auto body = m_api->body_of({.path = "/info", .what = "describe itself"});
  if (!body) {
    return std::unexpected(body.error());
  }
  auto info = parse_info(*body);
  const auto version = m_api->version();
  if (info && version) {
    info->api_version = version->str();
    info->socket = m_api->socket();
    info->podman = m_api->is_podman();
  }
  return info;
}

Result<Host> DockerEngine::observe() {
  return observe_host(*m_api);
}

Result<Container> DockerEngine::inspect_container(const std::string& id) {
  const auto call = inspect_call("container", id);
  if (!call) {
    return std::unexpected(call.error());
  }
  const auto body = m_api->body_of(*call);
  return body ? parse_container(*body) : std::unexpected(body.error());
}

Result<ImageDetail> DockerEngine::inspect_image(const std::string& image) {
  const auto call = inspect_call("image", image);
  if (!call) {
    return std::unexpected(call.error());
  }
  const auto body = m_api->body_of(*call);
  return body ? parse_image(*body) : std::unexpected(body.error());
}

Result<std::string> DockerEngine::platform_parameter(const Platform& wanted) {
  if (wanted.os.empty() || wanted.architecture.empty()) {
    return "";
  }
  if (!m_own_platform) {
    const auto body = m_api->body_of({.path = "/version", .what = "tell its version"});
    if (!body) {
      return std::unexpected(body.error());
    }
    const auto own = parse_own_platform(*body);
    if (!own) {
      return std::unexpected(own.error());
    }
    m_own_platform = own->normalised();
  }
  const Platform platform = wanted.normalised();
  // Only what differs is said. The engine's own choice needs no words, and engines about 23.0 fail
  // a pull by digest that names a platform: they look for repository:latest afterwards
  // (moby daemon/images/image_pull.go: GetImage(ctx, image, …) without the digest).
  if (platform == *m_own_platform) {
    return "";
  }
  const auto version = m_api->version();
  if (version && *version < k_platform_api) {
    return std::unexpected(Error{
        ErrorKind::protocol,
        fmt::format("the Docker Engine on {} speaks API {} and cannot pull for {}, only for {}",
                    m_api->socket(), version->str(), platform.str(), m_own_platform->str()),
        "upgrade the Docker Engine"});
  }
  return platform.str();
}

Result<std::int64_t> DockerEngine::pull(const ImageReference& reference, const Platform& platform,
                                        const std::optional<Credential>& credential,
                                        const std::function<void(const PullProgress&)>& progress) {
  if (!reference.digest()) {
    return fail(ErrorKind::bug, "{} is to be pulled without a digest", reference.str());
  }
  const auto parameter = platform_parameter(platform);
  if (!parameter) {
    return std::unexpected(
        with_context(parameter.error(), fmt::format("before the pull of {}", reference.str())));
  }
  return pull_image(*m_pull_api, {reference, platform, *parameter, credential}, progress);
}

Result<void> DockerEngine::tag(const std::string& image, const ImageReference& reference) {
  if (!reference.tag()) {
    return fail(ErrorKind::bug, "{} has no tag to give to {}", reference.str(), image);
  }
  const auto part = path_part(image);
  if (!part) {
    return fail(ErrorKind::not_found, "no image can be called \"{}\"", one_line(image));
  }
  const auto body = m_api->body_of(
      {.method = "POST",
       .path =
           fmt::format("/images/{}/tag?repo={}&tag={}", *part,
                       percent_encode(reference.repository()), percent_encode(*reference.tag())),
       .what = fmt::format("tag {} as {}:{}", image, reference.repository(), *reference.tag())});
  return body ? Result<void>() : std::unexpected(body.error());
}

Result<void> DockerEngine::remove_image(const std::string& image) {
  const auto part = path_part(image);
  if (!part) {
    return fail(ErrorKind::not_found, "no image can be called \"{}\"", one_line(image));
  }
  // Without force: that would take the names of an image from under a stopped container.
  const auto body = m_api->body_of({.method = "DELETE",
                                    .path = fmt::format("/images/{}?noprune=0", *part),
                                    .what = fmt::format("remove image {}", one_line(image)),
                                    .timeout = k_removal_timeout,
                                    .stall_timeout = k_removal_timeout});
  return body ? Result<void>() : std::unexpected(body.error());
}

Result<void> DockerEngine::remove_container(const std::string& id) {
  return tallyman::remove_container(*m_api, id);
}

Result<void> DockerEngine::rename_container(const std::string& id, const std::string& name) {
  return tallyman::rename_container(*m_api, id, name);
}

Result<void> DockerEngine::start_container(const std::string& id) {
  return tallyman::start_container(*m_api, id);
}

Result<void> DockerEngine::restart_container(const std::string& id) {
  return tallyman::restart_container(*m_api, id);
}

Result<std::string> DockerEngine::logs(const std::string& id, int lines) {
  return read_logs(*m_api, id, lines);
}

Result<std::vector<ContainerEvent>> DockerEngine::events(const std::string& project,
                                                         Timestamp since, Timestamp until) {
  return read_events(*m_api, project, since, until);
}

}  // namespace tallyman
