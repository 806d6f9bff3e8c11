#include "tallyman/engine/docker_engine.hpp"

#include "engine/containers.hpp"
#include "engine/engine_api.hpp"
#include "engine/engine_text.hpp"
#include "engine/images.hpp"
#include "engine/info.hpp"
#include "engine/inspect_call.hpp"
#include "engine/observation.hpp"
#include "engine/pull.hpp"
#include "tallyman/io/encoding.hpp"

#include <fmt/format.h>

#include <utility>

namespace tallyman {

DockerEngine::DockerEngine(Http& http, std::string socket_path)
    : m_api(std::make_unique<EngineApi>(http, std::move(socket_path))) {}

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
  return pull_image(*m_api, {reference, platform, *parameter, credential}, progress);
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

}  // namespace tallyman
