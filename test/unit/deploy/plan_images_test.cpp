#include <doctest/doctest.h>

#include "unit/deploy/scene.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

constexpr std::string_view k_api = "harbor.lan/shop/api:1";
using Groups = std::vector<std::vector<std::size_t>>;

Watch watching(const std::string& name, std::string_view image) {
  return {.name = name, .file = "/etc/tallyman/conf.d/" + name + ".toml", .image = ref(image)};
}

/// All services of a project.
Watch watching_project(const std::string& name, const std::string& project) {
  Watch watch{.name = name, .file = name + ".toml", .image = std::nullopt};
  watch.compose.project = project;
  watch.compose.services = {"*"};
  return watch;
}

/// "shop #a=#1": an image that ran, and the digest by which it can be had again.
Calls old_of(const ImagePlan& image) {
  Calls lines;
  for (const OldImage& old : image.old) {
    lines.push_back(shortened(
        fmt::format("{} {}={}", old.project, old.image_id, old.digest ? old.digest->str() : "-")));
  }
  return lines;
}

}  // namespace

TEST_CASE("make_plan remembers what each project runs, and how to have it again") {
  Scene scene;
  scene.has_image('a', k_web, '1');
  scene.has_image('b', k_web, '3');
  scene.runs(compose_container("shop", "web", 1, k_web, 'a'));
  scene.runs(compose_container("blog", "site", 1, k_web, 'b'));
  scene.has_image('c', "elsewhere.lan/web:1", '4');  // came by another name
  scene.runs(compose_container("wiki", "web", 1, k_web, 'c'));
  scene.runs(compose_container("zoo", "web", 1, k_web, 'd'));  // an untagged one is its own digest
  const DeploymentPlan plan = scene.plan();
  REQUIRE(plan.images.size() == 1);
  CHECK(old_of(plan.images[0]) == Calls{"blog #b=#3", "shop #a=#1", "wiki #c=-", "zoo #d=#d"});
  CHECK_FALSE(plan.parts.at(0).from.has_value());
}

TEST_CASE("make_plan goes back to what most replicas of a project run") {
  Scene scene;
  scene.has_image('a', k_web, '1');
  scene.has_image('b', k_web, '3');
  scene.runs(compose_container("shop", "web", 1, k_web, 'a'));
  scene.runs(compose_container("shop", "web", 2, k_web, 'b'));
  scene.runs(compose_container("shop", "worker", 1, k_web, 'b'));
  CHECK(old_of(scene.plan().images.at(0)) == Calls{"shop #b=#3"});
}

TEST_CASE("make_plan tells the digest that ran where all replicas ran one") {
  Scene scene;
  scene.has_image('a', k_web, '1');
  scene.runs(compose_container("shop", "web", 1, k_web, 'a'));
  scene.runs(compose_container("shop", "web", 2, k_web, 'a'));
  CHECK((scene.plan().parts.at(0).from == digest('1')));
  scene.has_image('b', k_web, '3');
  scene.runs(compose_container("shop", "web", 3, k_web, 'b'));
  CHECK_FALSE(scene.plan().parts.at(0).from.has_value());
}

TEST_CASE("make_plan plans with the names that containers have when nothing is cut") {
  struct Row {
    const char* name;
    const char* canonical;
  };
  const Row rows[] = {
      {"shop-web-1", "shop-web-1"},
      {"0123456789ab_shop-web-1", "shop-web-1"},
      {"shop_web_1", "shop_web_1"},
      {"0123456789ab_", "0123456789ab_"},
      {"0123456789aB_shop-web-1", "0123456789aB_shop-web-1"},
      {"0123456789a_shop-web-1", "0123456789a_shop-web-1"},
      {"0123456789abc_shop-web-1", "0123456789abc_shop-web-1"},
      {"my-own-name", "my-own-name"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Scene scene;
    scene.runs(compose_container("shop", "web")).name = row.name;
    CHECK(scene.project().services.at(0).containers.at(0).name == row.canonical);
  }
}

TEST_CASE("make_plan puts several drop-ins into one transaction") {
  Scene scene;
  scene.watch = watching_project("web", "shop");
  scene.others = {watching_project("blog", "blog")};
  scene.has_image('a', k_web, '1');
  scene.has_image('c', k_api, '4');
  scene.others[0].health.tcp = {"127.0.0.1:80"};
  scene.runs(compose_container("shop", "web"));
  scene.runs(compose_container("blog", "site"));
  scene.runs(compose_container("blog", "api", 1, k_api, 'c'));
  const DeploymentPlan plan = scene.plan();
  CHECK(plan.name() == "web, blog");
  REQUIRE(plan.parts.size() == 2);
  CHECK(plan.parts[0].references.size() == 1);
  CHECK(plan.parts[1].references.size() == 2);
  CHECK(plan.parts[0].health.tcp.empty());
  CHECK(plan.parts[1].health.tcp.size() == 1);
  REQUIRE(plan.images.size() == 2);  // each is pulled once
  CHECK((plan.images[0].reference == ref(k_web)));
  CHECK(old_of(plan.images[0]) == Calls{"shop #a=#1", "blog #a=#1"});
  CHECK((plan.images[1].reference == ref(k_api)));
  CHECK(old_of(plan.images[1]) == Calls{"blog #c=#4"});
  REQUIRE(plan.projects.size() == 2);
  CHECK(plan.projects[0].compose.project == "shop");
  CHECK(plan.projects[1].compose.project == "blog");
  CHECK(plan.projects[1].services.size() == 2);
}

TEST_CASE("a transaction may be undone unless all of its drop-ins say no") {
  Scene scene;
  scene.watch = watching_project("web", "shop");
  scene.others = {watching_project("blog", "blog")};
  scene.runs(compose_container("shop", "web"));
  scene.runs(compose_container("blog", "site"));
  CHECK(scene.plan().may_be_undone());
  scene.watch.rollback.enabled = false;
  CHECK(scene.plan().may_be_undone());
  scene.others[0].rollback.enabled = false;
  CHECK_FALSE(scene.plan().may_be_undone());
}

TEST_CASE("requests that share a reference that is to be deployed are one transaction") {
  Scene scene;  // requests: 0 shop, 1 blog, 2 wiki, 3 mail
  scene.watch = watching_project("shop", "shop");
  scene.others = {watching_project("blog", "blog"), watching_project("wiki", "wiki"),
                  watching_project("mail", "mail")};
  scene.runs(compose_container("shop", "web", 1, "harbor.lan/a:1"));
  scene.runs(compose_container("blog", "web", 1, "harbor.lan/b:1"));
  scene.runs(compose_container("wiki", "web", 1, "harbor.lan/a:2"));
  scene.runs(compose_container("mail", "web", 1, "harbor.lan/d:1"));
  CHECK((scene.groups() == Groups{{0}, {1}, {2}, {3}}));  // another tag is another reference

  scene.runs(compose_container("wiki", "db", 1, "harbor.lan/a:1"));
  CHECK((scene.groups() == Groups{{0, 2}, {1}, {3}}));
  scene.unchanged = {"harbor.lan/a:1"};
  CHECK((scene.groups() == Groups{{0}, {1}, {2}, {3}}));
  scene.unchanged.clear();

  scene.runs(compose_container("mail", "db", 1, "harbor.lan/a:1"));
  scene.runs(compose_container("mail", "app", 1, "harbor.lan/b:1"));
  CHECK((scene.groups() == Groups{{0, 1, 2, 3}}));  // the last one joins them all
  CHECK(group_by_reference({}).empty());
}

TEST_CASE("one request is one transaction of its own") {
  Scene scene;
  scene.watch = watching("web", k_web);
  scene.others = {watching("api", k_api)};
  scene.runs(compose_container("shop", "web"));
  scene.runs(compose_container("shop", "api", 1, k_api, 'c'));
  CHECK((scene.groups() == Groups{{0}, {1}}));
}

TEST_CASE("make_plan: a bystander is not counted, and a follower may have one") {
  Scene scene;
  scene.runs(compose_container("shop", "web"));
  Container& vpn = scene.runs(compose_container("shop", "vpn", 1, "vpn:3", 'e'));
  vpn.network_mode = "container:id-of-shop-web-1";
  scene.runs(compose_container("shop", "vpn", 2, "vpn:3", 'e')).status = ContainerStatus::exited;
  scene.runs(compose_container("shop", "web", 2)).status = ContainerStatus::dead;
  const ProjectPlan project = scene.project();
  CHECK(project.services.at(0).replicas() == 1);
  CHECK(project.services.at(0).bystanders == Calls{"id-of-shop-web-2"});
  CHECK(project.followers.at(0).replicas() == 1);
  CHECK(project.followers.at(0).bystanders == Calls{"id-of-shop-vpn-2"});
}

TEST_CASE("make_plan cannot recreate a follower whose image has no name") {
  Scene scene;
  scene.runs(compose_container("shop", "web"));
  scene.runs(compose_container("shop", "vpn", 1, id_of('e'), 'e')).network_mode =
      "container:id-of-shop-web-1";
  const Error error = scene.failure();
  CHECK(error.kind == ErrorKind::config);
  CHECK(error.message.starts_with(
      "shop-vpn-1 shares the network of a container that is to be recreated, so it must be "
      "recreated too, but nobody knows its image's name: "));
}
