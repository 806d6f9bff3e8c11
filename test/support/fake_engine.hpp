#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/values.hpp"
#include "tallyman/engine/engine.hpp"
#include "tallyman/model/deployment.hpp"

namespace tallyman::test {

/// An Engine with images, tags and containers, just enough of them.
class FakeEngine final : public Engine {
 public:
  explicit FakeEngine(Calls& calls) : m_calls(calls) {}

  /// A local image by the name `reference`; `digests`: under which it was pulled.
  Image& add_image(std::string_view reference, char id, std::string_view digests) {
    tags.insert_or_assign(ref(reference), id_of(id));
    return add_digests(reference, id, digests);
  }
  /// An image that a pull of reference's repository by digest `hex` brings.
  void can_pull(std::string_view reference, char hex, char id) {
    m_pullable.insert_or_assign(ref(reference).at(digest(hex)).familiar(), std::pair(hex, id));
  }
  /// The next `times` calls whose line starts with `call` are answered with `error`.
  void fails(std::string call, Error error, int times = 1000) {
    m_failures.push_back({std::move(call), std::move(error), times});
  }

  void forgive() { m_failures.clear(); }

  /// What `compose up` does once the images are there: new containers where the tag means something
  /// else by now, or everywhere if somebody shares their network.
  void recreate(const ProjectPlan& project) {
    const bool forced = project.forced || !project.followers.empty();
    for (const ServicePlan* service : project.all()) {
      for (Container& container : containers) {
        if (!is_bystander(*service, container) && project.has(*service, container) &&
            (forced || container.image_id != tags.at(service->reference))) {
          replace(container, tags.at(service->reference));
        }
      }
    }
  }

  Result<EngineInfo> info() override { return engine_info; }

  Result<Host> observe() override {
    if (auto error = asked("observe")) {
      return std::unexpected(*error);
    }
    Host host{.containers = containers, .images = {}};
    for (const auto& [id, detail] : images) {
      host.images.emplace(id, detail.image);
    }
    for (const auto& [reference, id] : tags) {
      if (const auto image = host.images.find(id); image != host.images.end()) {
        image->second.repo_tags.push_back(reference.familiar());
      }
    }
    return on_observe ? on_observe(std::move(host)) : host;
  }

  Result<Container> inspect_container(const std::string& id) override {
    if (auto error = asked("inspect container " + id)) {
      return std::unexpected(*error);
    }
    const auto found = std::ranges::find(containers, id, &Container::id);
    if (found == containers.end()) {
      return fail(ErrorKind::not_found, "no such container: {}", id);
    }
    Container container = *found;
    container.restarts = container.restarts.value_or(0);
    container.started = container.started.value_or(container.created);
    return on_inspect ? on_inspect(std::move(container)) : container;
  }

  Result<ImageDetail> inspect_image(const std::string& image) override {
    if (auto error = asked("inspect " + image)) {
      return std::unexpected(*error);
    }
    const auto named = ImageReference::parse(image);
    for (const auto& [id, detail] : images) {
      const bool tagged = named && tags.contains(*named) && tags.at(*named) == id;
      if (id == image || tagged || std::ranges::count(detail.image.repo_digests, image) > 0) {
        return detail;
      }
    }
    return fail(ErrorKind::not_found, "no such image: {}", image);
  }

  Result<std::int64_t> pull(const ImageReference& reference, const Platform& platform,
                            const std::optional<Credential>& credential,
                            const std::function<void(const PullProgress&)>& /*progress*/) override {
    const std::string name = reference.familiar();
    pulled_as = credential;
    if (auto error = asked("pull " + name + " for " + platform.str())) {
      return std::unexpected(*error);
    }
    const auto found = m_pullable.find(name);
    if (found == m_pullable.end()) {
      return fail(ErrorKind::not_found, "{}: manifest unknown", name);
    }
    add_digests(name, found->second.second, std::string(1, found->second.first));
    return pull_bytes;
  }

  Result<void> tag(const std::string& image, const ImageReference& reference) override {
    if (auto error = asked("tag " + image + " as " + reference.familiar())) {
      return std::unexpected(*error);
    }
    if (!images.contains(image)) {
      return fail(ErrorKind::not_found, "no such image: {}", image);
    }
    tags.insert_or_assign(reference, image);
    return {};
  }

  Result<void> remove_image(const std::string& image) override {
    if (auto error = asked("remove image " + image)) {
      return std::unexpected(*error);
    }
    if (std::ranges::find(containers, image, &Container::image_id) != containers.end()) {
      return fail(ErrorKind::transient, "{} is used by a container", image);
    }
    const auto named = ImageReference::parse(image);
    const std::size_t names = named ? tags.erase(*named) : 0;
    return names + images.erase(image) > 0 ? Result<void>()
                                           : fail(ErrorKind::not_found, "no such image: {}", image);
  }

  Result<void> remove_container(const std::string& id) override {
    if (auto error = asked("remove " + id)) {
      return std::unexpected(*error);
    }
    std::erase_if(containers, [&](const Container& container) { return container.id == id; });
    return {};
  }

  Result<void> rename_container(const std::string& id, const std::string& name) override {
    if (auto error = asked("rename " + id + " to " + name)) {
      return std::unexpected(*error);
    }
    return change(id, [&](Container& container) { container.name = name; });
  }

  Result<void> start_container(const std::string& id) override {
    if (auto error = asked("start " + id)) {
      return std::unexpected(*error);
    }
    return change(id, [](Container& container) { container.status = ContainerStatus::running; });
  }

  Result<void> restart_container(const std::string& id) override {
    if (auto error = asked("restart " + id)) {
      return std::unexpected(*error);
    }
    return change(id, [](Container& container) { container.status = ContainerStatus::running; });
  }

  Result<std::string> logs(const std::string& id, int /*lines*/) override {
    if (auto error = asked("logs " + id)) {
      return std::unexpected(*error);
    }
    return "the last words of " + id + "\n";
  }

  Result<std::vector<ContainerEvent>> events(const std::string& project, Timestamp /*since*/,
                                             Timestamp /*until*/) override {
    if (auto error = asked("events " + project)) {
      return std::unexpected(*error);
    }
    return happened;
  }

  EngineInfo engine_info = {};
  std::vector<ContainerEvent> happened = {};
  std::vector<Container> containers;
  std::map<std::string, ImageDetail> images;  ///< by id
  std::map<ImageReference, std::string> tags;
  std::function<Result<Host>(Host)> on_observe = {};
  std::function<void(std::string_view)> on_call = {};  ///< before a call is answered
  std::function<Result<Container>(Container)> on_inspect = {};
  bool has_container_config = true;
  std::int64_t pull_bytes = 38'200'000;
  std::optional<Credential> pulled_as = std::nullopt;

 private:
  struct Failure {
    std::string call;
    Error error;
    int times;
  };

  Image& add_digests(std::string_view reference, char id, std::string_view digests) {
    ImageDetail& detail = images[id_of(id)];
    detail.image.id = id_of(id);
    for (const char hex : digests) {
      detail.image.repo_digests.push_back(ref(reference).at(digest(hex)).familiar());
    }
    detail.platform = {"linux", "amd64"};
    detail.has_container_config = has_container_config;
    return detail.image;
  }

  static bool is_bystander(const ServicePlan& service, const Container& container) {
    return std::ranges::find(service.bystanders, container.id) != service.bystanders.end();
  }

  void replace(Container& container, const std::string& image_id) {
    const std::string old_network = "container:" + container.id;
    container.id += "+";
    container.image_id = image_id;
    container.status = ContainerStatus::running;
    for (Container& other : containers) {
      if (other.network_mode == old_network) {
        other.network_mode += "+";
      }
    }
  }

  Result<void> change(const std::string& id, const std::function<void(Container&)>& how) {
    const auto found = std::ranges::find(containers, id, &Container::id);
    if (found == containers.end()) {
      return fail(ErrorKind::not_found, "no such container: {}", id);
    }
    how(*found);
    return {};
  }

  std::optional<Error> asked(const std::string& call) {
    m_calls.push_back(call);
    if (on_call) {
      on_call(call);
    }
    for (Failure& failure : m_failures) {
      if (call.starts_with(failure.call) && failure.times > 0) {
        --failure.times;
        return failure.error;
      }
    }
    return std::nullopt;
  }

  Calls& m_calls;
  std::map<std::string, std::pair<char, char>> m_pullable;  ///< digest and id, by repository@digest
  std::vector<Failure> m_failures;
};

}  // namespace tallyman::test
