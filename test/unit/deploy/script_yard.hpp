#pragma once

#include "unit/deploy/yard.hpp"

namespace tallyman::test {

/// The yard, where a script recreates the one container "app" and no compose is about.
struct ScriptYard : Yard {
  ScriptYard() {
    Container& app = engine.containers.front();
    app.id = "id-of-app";
    app.name = "app";
    app.labels = {};
    plan.images[0].old = {{"web", id_of('a'), digest('1')}};
    plan.projects = {
        {.compose = {.project = "web"},
         .by_script = true,
         .redeploy = {.command = {"./start.sh"}, .directory = "/opt/app"},
         .services = {
             {.name = "web",
              .reference = ref(k_web),
              .containers = {
                  {.id = "id-of-app", .name = "app", .number = 0, .image_id = id_of('a')}}}}}};
  }
  Container& app() { return engine.containers.front(); }
  /// A further container of the reference.
  Container& more(const std::string& name, char image, ContainerStatus status) {
    Container container{.id = "id-of-another-" + name,
                        .name = name,
                        .image = std::string(k_web),
                        .image_id = id_of(image),
                        .status = status,
                        .created = at("2026-11-22T19:45:14Z")};
    engine.containers.push_back(std::move(container));
    return engine.containers.back();
  }
  [[nodiscard]] std::size_t scripts_run() const { return target.recreated.size(); }
};

}  // namespace tallyman::test
