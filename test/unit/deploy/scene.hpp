#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "support/temp_folder.hpp"
#include "support/values.hpp"
#include "tallyman/deploy/plan.hpp"

namespace tallyman::test {

/// A host on which watched references are to be deployed: digest #2 is what their registry has.
struct Scene {
  TempFolder folder;  ///< the project's
  Watch watch{.name = "web", .file = "/etc/tallyman/conf.d/web.toml", .image = ref(k_web)};
  std::vector<Watch> others = {};  ///< that are deployed as well
  Host host;
  std::set<std::string> unchanged = {};      ///< references that are not to be deployed
  std::optional<Host> later = std::nullopt;  ///< the host when the plan is made, if it has changed

  Container& runs(Container container) {
    if (!container.label(k_label_project).empty()) {
      set_label(container, k_label_working_dir, folder.path());
    }
    host.containers.push_back(std::move(container));
    return host.containers.back();
  }
  /// What the engine knows of an image.
  void has_image(char id, std::string_view reference, char hex) {
    host.images.insert_or_assign(
        id_of(id),
        Image{.id = id_of(id), .repo_digests = {ref(reference).at(digest(hex)).familiar()}});
  }

  [[nodiscard]] Result<DeploymentPlan> try_plan() const {
    const Decided decided(*this);
    return make_plan(decided.requests, later ? *later : host);
  }
  [[nodiscard]] std::vector<std::vector<std::size_t>> groups() const {
    const Decided decided(*this);
    return group_by_reference(decided.requests);
  }

  [[nodiscard]] DeploymentPlan plan() const { return value_of(try_plan()); }
  [[nodiscard]] Error failure() const { return error_of(try_plan()); }
  /// Of the one project that there is.
  [[nodiscard]] ProjectPlan project() const {
    const DeploymentPlan all = plan();
    REQUIRE(all.projects.size() == 1);
    return all.projects.front();
  }

 private:
  /// What requests refer to.
  struct Decided {
    explicit Decided(const Scene& scene) {
      add(scene, scene.watch);
      for (const Watch& other : scene.others) {
        add(scene, other);
      }
    }
    void add(const Scene& scene, const Watch& added) {
      auto& compared = comparisons.emplace_back();
      Decision& decision = decisions.emplace_back();
      for (WatchedImage& image : select(added, scene.host).images) {
        const ImageReference reference = image.reference;
        const bool deploy = !scene.unchanged.contains(reference.familiar());
        decision.images.push_back({.deploy = deploy});
        compared.push_back(
            {.running = std::move(image),
             .remote = RemoteImage{reference,
                                   digest('2'),
                                   {},
                                   PlatformImage{digest('7'), digest('8'), {{digest('7'), 1000}}}},
             .platform = {"linux", "amd64"}});
      }
      requests.push_back({added, compared, decision});
    }

    std::deque<std::vector<Comparison>> comparisons;  // which do not move
    std::deque<Decision> decisions;
    std::vector<DeploymentRequest> requests;
  };
};

}  // namespace tallyman::test
