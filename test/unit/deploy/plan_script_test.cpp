#include <doctest/doctest.h>

#include "tallyman/deploy/plan.hpp"
#include "unit/deploy/scene.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

Container plain(const std::string& name, char image = 'a') {
  Container container{.id = "id-of-" + name,
                      .name = name,
                      .image = std::string(k_web),
                      .image_id = id_of(image),
                      .status = ContainerStatus::running,
                      .created = at("2026-11-20T08:00:00Z")};
  return container;
}

struct ScriptScene : Scene {
  ScriptScene() {
    watch.redeploy = {.command = {"./start.sh"}, .directory = "/opt/app"};
    watch.hooks.before = {"/usr/local/bin/dump"};
    has_image('a', k_web, '1');
  }
};

}  // namespace

TEST_CASE("a script's plan has every container of the reference, whoever manages it") {
  ScriptScene scene;
  scene.runs(plain("app"));
  scene.runs(plain("0123456789ab_app", 'b'));
  scene.runs(plain("other", 'a'));
  scene.runs(compose_container("shop", "web"));
  scene.runs(plain("stopped")).status = ContainerStatus::exited;
  scene.runs(plain("stranger")).image = "harbor.lan/shop/web:2";
  Container& once = scene.runs(compose_container("shop", "web", 7));
  set_label(once, k_label_oneoff, "True");

  const DeploymentPlan plan = scene.plan();
  REQUIRE(plan.parts.size() == 1);
  CHECK(plan.parts[0].hooks.before == Calls{"/usr/local/bin/dump"});
  CHECK(plan.has_before_hook());
  REQUIRE(plan.projects.size() == 1);
  const ProjectPlan& project = plan.projects[0];
  CHECK(project.by_script);
  CHECK(project.compose.project == "web");
  CHECK(project.redeploy.command == Calls{"./start.sh"});
  CHECK(project.followers.empty());
  REQUIRE(project.services.size() == 1);
  CHECK(project.services[0].name == "web");
  Calls names;
  for (const PlannedContainer& container : project.services[0].containers) {
    names.push_back(container.name);
    CHECK(container.number == 0);
  }
  CHECK(names == Calls{"app", "0123456789ab_app", "other", "shop-web-1"});
  CHECK(project.services[0].bystanders == Calls{"id-of-stopped"});
  REQUIRE(plan.images.size() == 1);
  REQUIRE(plan.images[0].old.size() == 1);
  CHECK(plan.images[0].old[0].project == "web");
  CHECK(plan.images[0].old[0].image_id == id_of('a'));
  CHECK((plan.images[0].old[0].digest == digest('1')));
}

TEST_CASE("without a script, what compose does not manage is no part of a plan") {
  ScriptScene scene;
  scene.watch.redeploy = {};
  scene.runs(plain("app"));
  CHECK(scene.failure().kind == ErrorKind::transient);
  scene.runs(compose_container("shop", "web"));
  const ProjectPlan project = scene.project();
  CHECK_FALSE(project.by_script);
  CHECK(project.services[0].replicas() == 1);
}

TEST_CASE("a script's containers that were all stopped meanwhile are not started again") {
  ScriptScene scene;
  scene.runs(plain("app"));
  scene.later = scene.host;
  scene.later->containers[0].status = ContainerStatus::exited;
  CHECK(scene.failure().kind == ErrorKind::transient);
}
