#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/values.hpp"
#include "tallyman/model/decision.hpp"

namespace tallyman::test {

/// What a test says of one replica; the rest does not matter to a decision.
struct ReplicaIs {
  char id = 'a';                          ///< image id sha256:aaaa…
  std::vector<std::string> repo_digests;  ///< as the engine lists them
  bool compose = true;
  std::string service = "web";
  bool podman = false;
  std::vector<std::string> repo_tags = {};
};

inline Replica replica(std::string_view image, const ReplicaIs& is) {
  Container container{.id = std::string(64, 'c'),
                      .name = "shop-web-1",
                      .image = std::string(image),
                      .image_id = digest(is.id).str()};
  container.status = ContainerStatus::running;
  if (is.compose) {
    container.labels = {{std::string(k_label_project), "shop"},
                        {std::string(k_label_service), is.service}};
  }
  Image local{
      .id = digest(is.id).str(), .repo_tags = is.repo_tags, .repo_digests = is.repo_digests};
  return {container, local, is.podman};
}

inline std::string repo_digest(char c) {
  return "harbor.lan/shop/web@" + digest(c).str();
}

inline Watch watch_of(Mode mode = Mode::automatic) {
  return {.name = "web", .file = "web.toml", .image = ref(k_web), .mode = mode};
}

inline RemoteImage remote(char d, std::optional<PlatformImage> platform = std::nullopt) {
  return {ref(k_web), digest(d), {}, platform};
}

inline Comparison comparison(std::vector<ReplicaIs> replicas,
                             std::optional<Result<RemoteImage>> answer,
                             std::string_view image = k_web) {
  Comparison result{.running = {ref(image), {}}, .question = Question::ask, .remote = answer};
  for (const ReplicaIs& is : replicas) {
    result.running.replicas.push_back(replica(image, is));
  }
  return result;
}

inline PlatformImage inside(char manifest, char config) {
  return {digest(manifest), digest(config), {{digest(manifest), 100}}};
}

/// Image #a, which is digest #1, of service web.
inline ReplicaIs runs_1() {
  return {'a', {repo_digest('1')}};
}
/// It runs, and the registry has another one: digest #2, and in it manifest #8.
inline Comparison differs() {
  return comparison({runs_1()}, remote('2', inside('8', '9')));
}

}  // namespace tallyman::test
