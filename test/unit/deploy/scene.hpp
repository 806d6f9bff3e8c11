#pragma once

#include <set>
#include <string>
#include <vector>

#include "support/values.hpp"
#include "tallyman/deploy/plan.hpp"
#include "unit/io/temp_folder.hpp"

namespace tallyman::test {

/// A host on which a watched reference is to be deployed: digest #2 is what its registry has.
struct Scene {
  TempFolder folder;  ///< the project's
  Watch watch{.name = "web", .file = "/etc/tallyman/conf.d/web.toml", .image = ref(k_web)};
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

  [[nodiscard]] Result<DeploymentPlan> try_plan() const {
    std::vector<Comparison> comparisons;
    Decision decision;
    for (WatchedImage& image : select(watch, host).images) {
      const ImageReference reference = image.reference;
      decision.images.push_back({.deploy = !unchanged.contains(reference.familiar())});
      comparisons.push_back(
          {.running = std::move(image),
           .remote = RemoteImage{reference, digest('2'), {}, {{digest('7'), digest('8'), 1000}}},
           .platform = {"linux", "amd64"}});
    }
    return make_plan(watch, comparisons, decision, later ? *later : host);
  }

  [[nodiscard]] DeploymentPlan plan() const { return value_of(try_plan()); }
  [[nodiscard]] Error failure() const { return error_of(try_plan()); }
  /// Of the one project that there is.
  [[nodiscard]] ProjectPlan project() const {
    const DeploymentPlan all = plan();
    REQUIRE(all.projects.size() == 1);
    return all.projects.front();
  }
};

}  // namespace tallyman::test
