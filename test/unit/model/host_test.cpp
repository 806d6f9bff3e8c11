#include "tallyman/model/host.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

using tallyman::Container;
using tallyman::ContainerStatus;
using tallyman::Health;
using tallyman::Host;
using tallyman::Image;
using tallyman::label_of;
using tallyman::Labels;

TEST_CASE("container states are read and written in the engine's words") {
  struct Row {
    ContainerStatus status;
    std::string_view text;
    bool alive;
  };
  const std::vector<Row> rows = {
      {ContainerStatus::created, "created", false},
      {ContainerStatus::running, "running", true},
      {ContainerStatus::paused, "paused", true},
      {ContainerStatus::restarting, "restarting", true},
      {ContainerStatus::removing, "removing", false},
      {ContainerStatus::exited, "exited", false},
      {ContainerStatus::dead, "dead", false},
      {ContainerStatus::unknown, "unknown", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(tallyman::to_string(row.status) == row.text);
    CHECK(tallyman::parse_container_status(row.text) == row.status);
    Container container;
    container.status = row.status;
    CHECK(container.alive() == row.alive);
  }
  for (const std::string_view text : {"", "Running", "stopping", "up 3 hours"}) {
    CAPTURE(text);
    CHECK(tallyman::parse_container_status(text) == ContainerStatus::unknown);
  }
}

TEST_CASE("health states are written in the engine's words") {
  CHECK(tallyman::to_string(Health::none) == "none");
  CHECK(tallyman::to_string(Health::starting) == "starting");
  CHECK(tallyman::to_string(Health::healthy) == "healthy");
  CHECK(tallyman::to_string(Health::unhealthy) == "unhealthy");
}

TEST_CASE("a label that is missing is empty") {
  Container container;
  container.labels = {{"a", "1"}};
  CHECK(container.label("a") == "1");
  CHECK(container.label("b").empty());
}

TEST_CASE("the image of a container is found by its id") {
  Host host;
  host.images.emplace("sha256:1", Image{.id = "sha256:1"});
  Container container;
  container.image = "nginx";
  container.image_id = "sha256:1";
  REQUIRE(host.image_of(container) != nullptr);
  CHECK(host.image_of(container)->id == "sha256:1");
  container.image_id = "sha256:2";
  CHECK(host.image_of(container) == nullptr);
}

TEST_CASE("only the containers of compose up are compose services") {
  struct Row {
    std::string_view what;
    Labels labels;
    bool service;
  };
  const std::string project(tallyman::k_label_project);
  const std::string service(tallyman::k_label_service);
  const std::string oneoff(tallyman::k_label_oneoff);
  const std::string swarm(tallyman::k_label_swarm_service);
  const std::vector<Row> rows = {
      {"no labels", {}, false},
      {"project and service", {{project, "shop"}, {service, "web"}}, true},
      {"compose up says so", {{project, "shop"}, {service, "web"}, {oneoff, "False"}}, true},
      {"compose run", {{project, "shop"}, {service, "web"}, {oneoff, "True"}}, false},
      {"podman-compose run", {{project, "shop"}, {service, "web"}, {oneoff, "true"}}, false},
      {"no service", {{project, "shop"}}, false},
      {"no project", {{service, "web"}}, false},
      {"empty service", {{project, "shop"}, {service, ""}}, false},
      {"swarm task", {{project, "shop"}, {service, "web"}, {swarm, "shop_web"}}, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Container container;
    container.labels = row.labels;
    CHECK(tallyman::is_compose_service(container) == row.service);
  }
}

TEST_CASE("a container is of one service of one project") {
  Container container;
  container.labels = {{std::string(tallyman::k_label_project), "shop"},
                      {std::string(tallyman::k_label_service), "web"}};
  CHECK(is_of_service(container, "shop", "web"));
  CHECK_FALSE(is_of_service(container, "shop", "worker"));
  CHECK_FALSE(is_of_service(container, "blog", "web"));
  container.labels.set(tallyman::k_label_oneoff, "True");
  CHECK_FALSE(is_of_service(container, "shop", "web"));
  CHECK_FALSE(is_of_service(Container{}, "", ""));
}

TEST_CASE("copies share their labels until one of them changes") {
  const Labels none;
  CHECK(none.empty());
  CHECK(none.get("a") == "");
  CHECK_FALSE(none.contains("a"));
  Labels first = {{"a", "1"}, {"b", ""}};
  const Labels second = first;
  CHECK(first.get("a").data() == second.get("a").data());
  first.set("a", "2");
  first.set("c", "3");
  CHECK(first.get("a") == "2");
  CHECK(first.get("c") == "3");
  CHECK(second.get("a") == "1");
  CHECK_FALSE(second.contains("c"));
  CHECK(second.contains("b"));
  CHECK(Labels(Labels::Map()).empty());
}

TEST_CASE("an empty label of an image counts as missing, as one of no image does") {
  const std::optional<Image> image = Image{.id = "sha256:1", .labels = {{"a", "1"}, {"b", ""}}};
  CHECK(label_of(image, "a") == "1");
  CHECK(label_of(image, "b") == std::nullopt);
  CHECK(label_of(image, "c") == std::nullopt);
  CHECK(label_of(std::nullopt, "a") == std::nullopt);
}

TEST_CASE("the number of a container is what compose's label says") {
  struct Row {
    const char* label;
    int number;
  };
  const Row rows[] = {{"1", 1}, {"12", 12}, {"", 0}, {"one", 0}, {"99999999999999999999", 0}};
  CHECK(container_number(Container{}) == 0);
  for (const Row& row : rows) {
    CAPTURE(row.label);
    Container container;
    container.labels.set(tallyman::k_label_number, row.label);
    CHECK(container_number(container) == row.number);
  }
}
