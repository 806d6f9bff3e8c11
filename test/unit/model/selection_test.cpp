#include "tallyman/model/selection.hpp"

#include <doctest/doctest.h>

#include <set>

namespace tallyman {
namespace {

Container container(const std::string& name, const std::string& image, Labels labels = {},
                    ContainerStatus status = ContainerStatus::running) {
  Container result{.id = "id-" + name, .name = name, .image = image, .image_id = "sha256:1"};
  result.labels = std::move(labels);
  result.status = status;
  return result;
}

Labels compose(const std::string& project, const std::string& service,
               const std::string& directory) {
  return {{std::string(k_label_project), project},
          {std::string(k_label_service), service},
          {std::string(k_label_working_dir), directory}};
}

Host shop() {
  Host host;
  auto one_off = compose("shop", "web", "/srv/shop");
  one_off.set(k_label_oneoff, "True");
  host.containers = {
      container("shop-web-1", "harbor.lan/web:1", compose("shop", "web", "/srv/shop")),
      container("shop-web-2", "harbor.lan/web:1", compose("shop", "web", "/srv/shop")),
      container("shop-db-1", "docker.io/library/postgres:15", compose("shop", "db", "/srv/shop")),
      container("shop-web-run-1", "harbor.lan/web:1", one_off),
      container("shop-web-3", "harbor.lan/web:1", compose("shop", "web", "/srv/shop"),
                ContainerStatus::exited),
      container("prod-web-1", "harbor.lan/web:1", compose("prod", "web", "/srv/prod")),
      container("plain", "harbor.lan/web:1"),
      container("pinned", "harbor.lan/web:1@sha256:" + std::string(64, 'a')),
      container("byid", "sha256:" + std::string(64, 'b'), compose("shop", "odd", "/srv/shop")),
      container("other", "harbor.lan/web:2"),
  };
  return host;
}

Watch watch(const char* image, ComposeSettings settings = {}) {
  Watch result{.name = "w", .file = "w.toml", .image = std::nullopt};
  if (image != nullptr) {
    result.image = *ImageReference::parse(image);
  }
  result.compose = std::move(settings);
  return result;
}

std::set<std::string> names(const Selection& selection) {
  std::set<std::string> result;
  for (const WatchedImage& image : selection.images) {
    for (const Replica& replica : image.replicas) {
      result.insert(replica.container.name);
    }
  }
  for (const Container& by_id : selection.by_id) {
    result.insert(by_id.name);
  }
  return result;
}

using Names = std::set<std::string>;

}  // namespace

TEST_CASE("select: what each form of a drop-in is about") {
  struct Row {
    const char* what;
    Watch watch;
    Names expected;
  };
  const std::vector<Row> rows = {
      {"an image: every running container of it, pinned ones too",
       watch("harbor.lan/web:1"),
       {"shop-web-1", "shop-web-2", "prod-web-1", "plain", "pinned"}},
      {"an image within a project", watch("harbor.lan/web:1", {.project = "prod"}), {"prod-web-1"}},
      {"an image within a folder",
       watch("harbor.lan/web:1", {.directory = "/srv/shop"}),
       {"shop-web-1", "shop-web-2"}},
      {"services of a folder",
       watch(nullptr, {.directory = "/srv/shop/", .services = {"web", "db"}}),
       {"shop-web-1", "shop-web-2", "shop-db-1"}},
      {"services of a project",
       watch(nullptr, {.project = "shop", .services = {"db"}}),
       {"shop-db-1"}},
      {"the project's name counts, wherever it was started",
       watch(nullptr, {.directory = "/elsewhere", .project = "shop", .services = {"db"}}),
       {"shop-db-1"}},
      {"all services, also what was created by id",
       watch(nullptr, {.project = "shop", .services = {"*"}}),
       {"shop-web-1", "shop-web-2", "shop-db-1", "byid"}},
      {"services and an image: both must fit",
       watch("harbor.lan/web:1", {.project = "shop", .services = {"web", "db"}}),
       {"shop-web-1", "shop-web-2"}},
      {"nothing of that image", watch("harbor.lan/web:9"), {}},
      {"the tag counts", watch("harbor.lan/web:2"), {"other"}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(names(select(row.watch, shop())) == row.expected);
  }
}

TEST_CASE("select: what a container was created from, an id or a name") {
  const std::string id = "sha256:4be7d0c1a2f3" + std::string(52, '0');
  struct Row {
    const char* what;
    std::string image;
    std::vector<std::string> repo_tags;
    std::vector<std::string> repo_digests;
    bool by_id;
  };
  const Row rows[] = {
      {"all of the id", id, {}, {}, true},
      {"its hex", id.substr(7), {"web:1"}, {}, true},
      {"its first twelve", "4be7d0c1a2f3", {"web:1"}, {"web@" + id}, true},
      {"its first four", "4be7", {}, {}, true},
      {"its first three may well be a name", "4be", {}, {}, false},
      {"a beginning with the algorithm", "sha256:4be7d0c1", {}, {}, true},
      {"a name that is the beginning of its image's id", "4be7", {"4be7:latest"}, {}, false},
      {"the same, its tag has moved", "4be7", {}, {"4be7@" + id}, false},
      {"another one's name begins so", "4be7", {"4be7d:latest"}, {}, true},
      {"an id of another image reads as a name", "5be7d0c1a2f3", {}, {}, false},
      {"a name with a tag", "4be7:1", {}, {}, false},
      {"a name with a domain", "harbor.lan/4be7", {}, {}, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Host host;
    host.containers = {container("web", row.image, compose("shop", "web", "/srv/shop"))};
    host.containers[0].image_id = id;
    host.images.emplace(
        id, Image{.id = id, .repo_tags = row.repo_tags, .repo_digests = row.repo_digests});
    const Watch all = watch(nullptr, {.project = "shop", .services = {"*"}});
    const Selection selection = select(all, host);
    CHECK(selection.by_id.size() == (row.by_id ? 1 : 0));
    CHECK(selection.images.size() == (row.by_id ? 0 : 1));
  }
}

TEST_CASE("select: replicas know whether they are Podman's") {
  Host host = shop();
  for (const bool podman : {false, true}) {
    host.podman = podman;
    const Selection selection = select(watch("harbor.lan/web:2"), host);
    REQUIRE(selection.images.size() == 1);
    CHECK(selection.images[0].replicas.at(0).podman == podman);
  }
}

TEST_CASE("find_conflicts: names both and the container") {
  const Host host = shop();
  const auto a = select(watch("harbor.lan/web:1"), host);
  const auto b = select(watch(nullptr, {.project = "prod", .services = {"*"}}), host);
  const auto c = select(watch("harbor.lan/web:2"), host);
  const auto conflicts = find_conflicts({{"a", a}, {"b", b}, {"c", c}});
  REQUIRE(conflicts.size() == 1);
  CHECK(conflicts[0].first == "a");
  CHECK(conflicts[0].second == "b");
  CHECK(conflicts[0].container == "prod-web-1");
}

}  // namespace tallyman
