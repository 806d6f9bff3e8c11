#include "tallyman/model/selection.hpp"

#include <doctest/doctest.h>

#include <set>

namespace tallyman {
namespace {

Container container(const std::string& name, const std::string& image,
                    std::map<std::string, std::string> labels = {},
                    ContainerStatus status = ContainerStatus::running) {
  Container result{.id = "id-" + name, .name = name, .image = image, .image_id = "sha256:1"};
  result.labels = std::move(labels);
  result.status = status;
  return result;
}

std::map<std::string, std::string> compose(const std::string& project, const std::string& service,
                                           const std::string& directory) {
  return {{std::string(k_label_project), project},
          {std::string(k_label_service), service},
          {std::string(k_label_working_dir), directory}};
}

Host shop() {
  Host host;
  auto one_off = compose("shop", "web", "/srv/shop");
  one_off[std::string(k_label_oneoff)] = "True";
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
