#include <doctest/doctest.h>

#include "support/values.hpp"
#include "tallyman/deploy/deployer.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

/// What is found of service web, of which two replicas were to be recreated with image #b; the old
/// ones were c1 and c2 with image #a.
struct Found {
  const char* id;
  char image;
  ContainerStatus status = ContainerStatus::running;
  const char* service = "web";
  const char* project = "shop";
  bool one_off = false;
};

struct Row {
  const char* what;
  std::vector<Found> found;
  int verified;
  std::optional<ReasonCode> failure;
  const char* message;
};

Host host_of(const std::vector<Found>& found) {
  Host host;
  for (const Found& one : found) {
    Container container = compose_container(one.project, one.service, 1, k_web, one.image);
    container.id = one.id;
    container.name = std::string("name-of-") + one.id;
    container.status = one.status;
    if (one.one_off) {
      set_label(container, k_label_oneoff, "True");
    }
    host.containers.push_back(std::move(container));
  }
  return host;
}

DeploymentPlan plan_of_two() {
  ProjectPlan project{.compose = {.project = "shop"}, .services = {}};
  project.services.push_back({.name = "web",
                              .reference = ref(k_web),
                              .replicas = 2,
                              .containers = {"c1", "c2"},
                              .images = {id_of('a'), id_of('a')}});
  return {.service = "web", .images = {}, .projects = {project}};
}

void check(const Row& row, const DeploymentPlan& plan) {
  CAPTURE(row.what);
  const ReadBack result = read_back(plan, {{ref(k_web), id_of('b')}}, host_of(row.found));
  CHECK(result.verified == row.verified);
  REQUIRE(result.failure.has_value() == row.failure.has_value());
  if (row.failure) {
    CHECK(result.failure->state == ServiceState::failed);
    CHECK(to_string(result.failure->reason_code) == to_string(*row.failure));
    REQUIRE(result.failure->error.has_value());
    CHECK(shortened(result.failure->error->message) == row.message);
  }
}

}  // namespace

TEST_CASE("read_back: do exactly the planned containers run exactly what was deployed?") {
  const auto restarting = ContainerStatus::restarting;
  const std::vector<Row> rows = {
      {"both new", {{"n1", 'b'}, {"n2", 'b'}}, 2, {}, ""},
      {"one kept by compose, since it ran that image already",
       {{"c1", 'b'}, {"n2", 'b'}},
       2,
       {},
       ""},
      {"others do not count",
       {{"n1", 'b'},
        {"n2", 'b'},
        {"d1", 'd', ContainerStatus::running, "db"},
        {"x1", 'a', ContainerStatus::running, "web", "other"},
        {"r1", 'a', ContainerStatus::running, "web", "shop", true},
        {"c1", 'a', ContainerStatus::exited}},
       2,
       {},
       ""},
      {"nothing happened",
       {{"c1", 'a'}, {"c2", 'a'}},
       0,
       ReasonCode::not_recreated,
       "compose reported success, but left name-of-c1 as it was"},
      {"one was left",
       {{"n1", 'b'}, {"c2", 'a'}},
       1,
       ReasonCode::not_recreated,
       "compose reported success, but left name-of-c2 as it was"},
      {"a new one of another image",
       {{"n1", 'c'}, {"n2", 'b'}},
       0,
       ReasonCode::wrong_result,
       "name-of-n1 runs image #c and not #b, which was deployed"},
      {"a new one of the old image",
       {{"n1", 'a'}, {"n2", 'b'}},
       0,
       ReasonCode::wrong_result,
       "name-of-n1 runs image #a and not #b, which was deployed"},
      {"nothing runs",
       {},
       0,
       ReasonCode::wrong_result,
       "service web: 0 of 2 containers run after the recreation"},
      {"one too few",
       {{"n1", 'b'}, {"n2", 'b', ContainerStatus::exited}},
       1,
       ReasonCode::wrong_result,
       "service web: 1 of 2 containers run after the recreation"},
      {"one restarts over and over",
       {{"n1", 'b'}, {"n2", 'b', restarting}},
       1,
       ReasonCode::wrong_result,
       "service web: 1 of 2 containers run after the recreation"},
      {"one was only created",
       {{"n1", 'b'}, {"n2", 'b', ContainerStatus::created}},
       1,
       ReasonCode::wrong_result,
       "service web: 1 of 2 containers run after the recreation"},
      {"one too many",
       {{"n1", 'b'}, {"n2", 'b'}, {"n3", 'b'}},
       3,
       ReasonCode::wrong_result,
       "service web: 3 of 2 containers run after the recreation"},
  };
  for (const Row& row : rows) {
    check(row, plan_of_two());
  }
}

TEST_CASE("read_back: followers must run again, whatever their image") {
  DeploymentPlan plan = plan_of_two();
  plan.projects[0].followers = {
      {.name = "vpn", .reference = ref("vpn:3"), .replicas = 1, .containers = {"v0"}}};
  check({"it was left in a namespace that is gone",
         {{"n1", 'b'}, {"n2", 'b'}, {"v0", 'e', ContainerStatus::running, "vpn"}},
         2,
         ReasonCode::not_recreated,
         "compose left name-of-v0 in the network namespace of a container that is gone"},
        plan);
  check({"it runs",
         {{"n1", 'b'}, {"n2", 'b'}, {"v1", 'e', ContainerStatus::running, "vpn"}},
         2,
         {},
         ""},
        plan);
  check({"it does not",
         {{"n1", 'b'}, {"n2", 'b'}, {"v1", 'e', ContainerStatus::exited, "vpn"}},
         2,
         ReasonCode::wrong_result,
         "service vpn: 0 of 1 containers run after the recreation"},
        plan);
}

TEST_CASE("read_back looks at all projects of a deployment") {
  DeploymentPlan plan = plan_of_two();
  ProjectPlan blog = plan.projects[0];
  blog.compose.project = "blog";
  blog.services[0].replicas = 1;
  plan.projects.push_back(blog);
  const Found there{"b1", 'b', ContainerStatus::running, "web", "blog"};
  check({"all there", {{"n1", 'b'}, {"n2", 'b'}, there}, 3, {}, ""}, plan);
  check({"the second is not",
         {{"n1", 'b'}, {"n2", 'b'}},
         2,
         ReasonCode::wrong_result,
         "service web: 0 of 1 containers run after the recreation"},
        plan);
}
