#include "tallyman/deploy/plan.hpp"

#include <doctest/doctest.h>

#include "unit/deploy/scene.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

using Texts = std::vector<std::string>;

Texts ids_of(const ServicePlan& service) {
  Texts ids;
  for (const PlannedContainer& container : service.containers) {
    ids.push_back(container.id);
  }
  return ids;
}

Container stray(const std::string& name) {
  Container container = compose_container("shop", "web", 9);
  container.id = "id-of-" + name;
  container.name = name;
  container.labels = {};
  return container;
}

}  // namespace

TEST_CASE("make_plan says what to pull and which service of which project to recreate") {
  Scene scene;
  scene.runs(compose_container("shop", "web"));
  const DeploymentPlan plan = scene.plan();
  CHECK(plan.name() == "web");
  REQUIRE(plan.parts.size() == 1);
  CHECK(plan.parts[0].service == "web");
  REQUIRE(plan.parts[0].references.size() == 1);
  CHECK((plan.parts[0].references[0] == ref(k_web)));
  CHECK((plan.parts[0].to == digest('2')));
  REQUIRE(plan.images.size() == 1);
  CHECK((plan.images[0].reference == ref(k_web)));
  CHECK((plan.images[0].digest == digest('2')));
  CHECK(plan.images[0].platform.str() == "linux/amd64");
  CHECK((plan.images[0].manifest == digest('7')));
  CHECK((plan.images[0].layers == std::map<Digest, std::int64_t>{{digest('7'), 1000}}));

  REQUIRE(plan.projects.size() == 1);
  const ProjectPlan& project = plan.projects[0];
  CHECK(project.compose.project == "shop");
  CHECK(project.compose.directory == scene.folder.path());
  CHECK_FALSE(project.created_by_v1);
  CHECK(project.followers.empty());
  REQUIRE(project.services.size() == 1);
  CHECK(project.services[0].name == "web");
  CHECK((project.services[0].reference == ref(k_web)));
  CHECK(project.services[0].replicas() == 1);
  const PlannedContainer& container = project.services[0].containers.at(0);
  CHECK(container.id == "id-of-shop-web-1");
  CHECK(container.name == "shop-web-1");
  CHECK(container.number == 1);
  CHECK(container.image_id == id_of('a'));
}

TEST_CASE("make_plan counts the replicas that run, whatever the drop-in selects of them") {
  Scene scene;
  scene.runs(compose_container("shop", "web", 1));
  scene.runs(compose_container("shop", "web", 2));
  scene.runs(compose_container("shop", "web", 3)).status = ContainerStatus::paused;
  scene.runs(compose_container("shop", "web", 4)).status = ContainerStatus::exited;
  scene.runs(compose_container("shop", "web", 5, "harbor.lan/shop/web:old", 'b'));
  set_label(scene.runs(compose_container("shop", "web", 6)), k_label_oneoff, "True");
  const ServicePlan service = scene.project().services.at(0);
  CHECK(service.replicas() == 4);
  CHECK(ids_of(service) ==
        Texts{"id-of-shop-web-1", "id-of-shop-web-2", "id-of-shop-web-3", "id-of-shop-web-5"});
  CHECK(service.containers[2].image_id == id_of('a'));
  CHECK(service.containers[3].image_id == id_of('b'));
  CHECK(service.containers[3].number == 5);
  CHECK(service.bystanders == Texts{"id-of-shop-web-4"});
}

TEST_CASE("make_plan takes every service of the image, and only those") {
  Scene scene;
  scene.runs(compose_container("shop", "worker"));
  scene.runs(compose_container("shop", "web"));
  scene.runs(compose_container("shop", "db", 1, "postgres:16", 'd'));
  const ProjectPlan project = scene.project();
  REQUIRE(project.services.size() == 2);
  CHECK(project.services[0].name == "web");
  CHECK(project.services[1].name == "worker");
}

TEST_CASE("make_plan makes one call of each project") {
  Scene scene;
  scene.runs(compose_container("shop", "web"));
  scene.runs(compose_container("blog", "site", 1));
  scene.runs(compose_container("blog", "site", 2));
  const DeploymentPlan plan = scene.plan();
  CHECK(plan.images.size() == 1);
  REQUIRE(plan.projects.size() == 2);
  CHECK(plan.projects[0].compose.project == "blog");
  CHECK(plan.projects[0].services.at(0).replicas() == 2);
  CHECK(plan.projects[1].compose.project == "shop");
}

TEST_CASE("make_plan deploys only the references that differ") {
  Scene scene;
  scene.watch.image.reset();
  scene.watch.compose.services = {"*"};
  scene.unchanged = {"postgres:16"};
  scene.runs(compose_container("shop", "web"));
  scene.runs(compose_container("shop", "api", 1, "harbor.lan/shop/api:1", 'c'));
  scene.runs(compose_container("shop", "db", 1, "postgres:16", 'd'));
  const DeploymentPlan plan = scene.plan();
  REQUIRE(plan.images.size() == 2);
  CHECK(plan.images[0].reference.familiar() == "harbor.lan/shop/api:1");
  CHECK(plan.images[1].reference.familiar() == k_web);
  REQUIRE(plan.projects.size() == 1);
  REQUIRE(plan.projects[0].services.size() == 2);
  CHECK(plan.projects[0].services[0].name == "api");
  CHECK(plan.projects[0].services[0].reference.familiar() == "harbor.lan/shop/api:1");
  CHECK(plan.projects[0].services[1].name == "web");
}

TEST_CASE("make_plan leaves out what compose did not start") {
  Scene scene;
  scene.runs(stray("by-hand"));
  scene.runs(compose_container("shop", "web"));
  const DeploymentPlan plan = scene.plan();
  REQUIRE(plan.projects.size() == 1);
  CHECK(ids_of(plan.projects[0].services.at(0)) == Texts{"id-of-shop-web-1"});
}

TEST_CASE("make_plan recreates what lives in the network namespace of what goes away") {
  Scene scene;
  scene.runs(compose_container("shop", "web"));
  const auto follows = [&](Container container) -> Container& {
    container.network_mode = "container:id-of-shop-web-1";
    return scene.runs(std::move(container));
  };
  follows(compose_container("shop", "vpn", 1, "vpn:3", 'e'));
  follows(compose_container("shop", "vpn", 2, "vpn:3", 'e'));
  follows(compose_container("shop", "stopped", 1, "vpn:3", 'e')).status = ContainerStatus::exited;
  follows(compose_container("other", "vpn", 1, "vpn:3", 'e'));
  follows(stray("by-hand")).image = "vpn:3";
  scene.runs(compose_container("shop", "alone", 1, "vpn:3", 'e')).network_mode = "bridge";
  scene.runs(compose_container("shop", "else", 1, "vpn:3", 'e')).network_mode =
      "container:id-of-shop-db-1";
  const ProjectPlan project = scene.project();
  REQUIRE(project.services.size() == 1);
  REQUIRE(project.followers.size() == 1);
  CHECK(project.followers[0].name == "vpn");
  CHECK(project.followers[0].replicas() == 2);
  CHECK(project.followers[0].reference.familiar() == "vpn:3");
  CHECK(ids_of(project.followers[0]) == Texts{"id-of-shop-vpn-1", "id-of-shop-vpn-2"});
}

TEST_CASE("make_plan does not take a service that is deployed anyway for a follower") {
  Scene scene;
  scene.runs(compose_container("shop", "web"));
  scene.runs(compose_container("shop", "worker")).network_mode = "container:id-of-shop-web-1";
  const ProjectPlan project = scene.project();
  CHECK(project.services.size() == 2);
  CHECK(project.followers.empty());
}

TEST_CASE("make_plan knows who created the newest container") {
  struct Row {
    const char* version;
    bool v1;
  };
  for (const Row& row : {Row{"1.29.2", true}, Row{"2.26.1", false}, Row{"5.1.0", false},
                         Row{"10.0.0", false}, Row{"", false}}) {
    CAPTURE(row.version);
    Scene scene;
    Container& older = scene.runs(compose_container("shop", "web", 1));
    older.created = at("2026-01-01T00:00:00Z");
    set_label(older, k_label_compose_version, row.v1 ? "2.1.0" : "1.29.2");
    set_label(scene.runs(compose_container("shop", "web", 2)), k_label_compose_version,
              row.version);
    CHECK(scene.project().created_by_v1 == row.v1);
  }
}

TEST_CASE("make_plan does not start again what was stopped since it was looked at") {
  Scene scene;
  scene.runs(compose_container("shop", "web"));
  scene.runs(compose_container("shop", "worker"));
  scene.later = scene.host;
  scene.later->containers[1].status = ContainerStatus::exited;
  const ProjectPlan project = scene.project();
  REQUIRE(project.services.size() == 1);
  CHECK(project.services[0].name == "web");

  scene.later->containers[0].status = ContainerStatus::exited;
  const Error error = scene.failure();
  CHECK(error.kind == ErrorKind::transient);
  CHECK(error.message == "nothing of service web runs any more");
}

TEST_CASE("make_plan takes the rollback and health settings of the drop-in") {
  Scene scene;
  scene.runs(compose_container("shop", "web"));
  scene.watch.rollback = {false, 7};
  scene.watch.health.tcp = {"127.0.0.1:80"};
  const DeploymentPart part = scene.plan().parts.at(0);
  CHECK_FALSE(part.rollback.enabled);
  CHECK(part.rollback.keep == 7);
  CHECK(part.health.tcp == Texts{"127.0.0.1:80"});
}
