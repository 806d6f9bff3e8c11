#include "engine/observation.hpp"

#include "engine/containers.hpp"
#include "engine/image_ids.hpp"
#include "engine/images.hpp"
#include "engine/inspect_call.hpp"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace tallyman {

namespace {

/// What the lists do not show, asked for in one go. An answer is taken by the id that it is for.
class Inspects {
 public:
  explicit Inspects(EngineApi& api) : m_api(api) {}

  Result<void> add(std::string_view kind, const std::string& id) {
    auto call = inspect_call(kind, id);
    if (!call) {
      return std::unexpected(std::move(call.error()));
    }
    if (m_places.emplace(std::pair(std::string(kind), id), m_calls.size()).second) {
      m_calls.push_back(std::move(*call));
    }
    return {};
  }

  void run() {
    if (!m_calls.empty()) {
      m_answers = m_api.call_all(m_calls);
    }
  }

  [[nodiscard]] Result<std::string> take(std::string_view kind, const std::string& id) {
    const std::size_t place = m_places.at(std::pair(std::string(kind), id));
    return m_api.body_of(m_calls[place], m_answers[place]);
  }

 private:
  EngineApi& m_api;
  std::vector<ApiCall> m_calls;
  std::vector<Result<HttpResponse>> m_answers;
  std::map<std::pair<std::string, std::string>, std::size_t> m_places;
};

/// Podman's list has neither HostConfig.NetworkMode nor the health.
bool shows_all(const Container& listed, bool podman) {
  return shows_reference(listed) && !(podman && listed.alive());
}

/// The images that somebody's running container needs and the list does not show: the containerd
/// store hides those without a name, though it may still have them.
std::set<std::string> hidden_images(const Host& host) {
  std::set<std::string> ids;
  for (const Container& container : host.containers) {
    if (container.alive() && looks_like_id(container.image_id) &&
        host.image_of(container) == nullptr) {
      ids.insert(container.image_id);
    }
  }
  return ids;
}

Result<Host> observe_lists(EngineApi& api) {
  const std::vector<ApiCall> calls{
      {.path = "/containers/json?all=1", .what = "list the containers"},
      // Without digests=1: Docker never read it, and Podman answers 200 with an empty body.
      {.path = "/images/json", .what = "list the images"}};
  auto answers = api.call_all(calls);
  auto list = api.body_of(calls[0], std::move(answers[0]));
  if (!list) {
    return std::unexpected(std::move(list.error()));
  }
  auto containers = parse_container_list(*list);
  if (!containers) {
    return std::unexpected(std::move(containers.error()));
  }
  list = api.body_of(calls[1], std::move(answers[1]));
  if (!list) {
    return std::unexpected(std::move(list.error()));
  }
  auto images = parse_image_list(*list);
  if (!images) {
    return std::unexpected(std::move(images.error()));
  }
  return Host{std::move(*containers), std::move(*images), api.is_podman()};
}

Result<void> complete_containers(Host& host, Inspects& inspects) {
  std::vector<Container> containers;
  for (Container& container : host.containers) {
    if (shows_all(container, host.podman)) {
      containers.push_back(std::move(container));
      continue;
    }
    const auto body = inspects.take("container", container.id);
    if (!body && body.error().kind == ErrorKind::not_found) {
      continue;  // it went away since it was listed
    }
    auto inspected = body ? parse_container(*body) : std::unexpected(body.error());
    if (!inspected) {
      return std::unexpected(std::move(inspected.error()));
    }
    containers.push_back(std::move(*inspected));
  }
  host.containers = std::move(containers);
  return {};
}

Result<void> complete_images(Host& host, const std::set<std::string>& ids, Inspects& inspects) {
  for (const std::string& id : ids) {
    const auto body = inspects.take("image", id);
    if (!body && body.error().kind == ErrorKind::not_found) {
      continue;  // a container outlives its image
    }
    auto detail = body ? parse_image(*body) : std::unexpected(body.error());
    if (!detail) {
      return std::unexpected(std::move(detail.error()));
    }
    host.images.emplace(id, std::move(detail->image));
  }
  return {};
}

}  // namespace

Result<Host> observe_host(EngineApi& api) {
  auto host = observe_lists(api);
  if (!host) {
    return host;
  }
  const std::set<std::string> hidden = hidden_images(*host);
  Inspects inspects(api);
  for (const Container& container : host->containers) {
    if (shows_all(container, host->podman)) {
      continue;
    }
    if (auto added = inspects.add("container", container.id); !added) {
      return std::unexpected(std::move(added.error()));
    }
  }
  for (const std::string& id : hidden) {
    if (auto added = inspects.add("image", id); !added) {
      return std::unexpected(std::move(added.error()));
    }
  }
  inspects.run();
  if (auto done = complete_containers(*host, inspects); !done) {
    return std::unexpected(std::move(done.error()));
  }
  if (auto done = complete_images(*host, hidden, inspects); !done) {
    return std::unexpected(std::move(done.error()));
  }
  return host;
}

}  // namespace tallyman
