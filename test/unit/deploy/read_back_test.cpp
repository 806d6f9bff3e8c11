#include <doctest/doctest.h>

#include "support/values.hpp"
#include "tallyman/deploy/read_back.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

/// What is found of service web, of which two replicas were to be recreated with image #b; the old
/// ones were c1 and c2 with image #a.
struct Found {
  const char* id;  ///< ends in its number
  char image;
  ContainerStatus status = ContainerStatus::running;
  const char* service = "web";
  const char* project = "shop";
  bool one_off = false;
  const char* name = "";  ///< empty: its canonical one
  const char* network = "";
};

struct Row {
  const char* what;
  std::vector<Found> found;
  std::size_t verified;
  std::optional<ReasonCode> failure;
  const char* message;
};

Host host_of(const std::vector<Found>& found) {
  Host host;
  for (const Found& one : found) {
    const int number = one.id[std::string_view(one.id).size() - 1] - '0';
    Container container = compose_container(one.project, one.service, number, k_web, one.image);
    container.id = one.id;
    container.name = *one.name != '\0' ? one.name : container.name;
    container.status = one.status;
    container.network_mode = one.network;
    if (one.one_off) {
      set_label(container, k_label_oneoff, "True");
    }
    host.containers.push_back(std::move(container));
  }
  return host;
}

DeploymentPlan plan_of_two() {
  ProjectPlan project{.compose = {.project = "shop"}, .services = {}};
  project.services.push_back(
      {.name = "web",
       .reference = ref(k_web),
       .containers = {{"c1", "shop-web-1", 1, id_of('a')}, {"c2", "shop-web-2", 2, id_of('a')}},
       .bystanders = {"s2"}});
  return {.parts = {}, .images = {}, .projects = {project}};
}

void check(const Row& row, const DeploymentPlan& plan, const WantedImage& wanted) {
  CAPTURE(row.what);
  const auto result = read_back(plan, wanted, host_of(row.found));
  REQUIRE(result.has_value() == !row.failure.has_value());
  if (row.failure) {
    CHECK(to_string(result.error().code) == to_string(*row.failure));
    CHECK(shortened(result.error().message) == row.message);
  } else {
    CHECK(result->size() == row.verified);
  }
}

void check(const Row& row, const DeploymentPlan& plan) {
  check(row, plan, [](const std::string&, const ImageReference&) { return id_of('b'); });
}

}  // namespace

TEST_CASE("read_back: do exactly the planned containers run exactly what was deployed?") {
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
       "compose reported success, but left shop-web-1 as it was"},
      {"one was left",
       {{"n1", 'b'}, {"c2", 'a'}},
       1,
       ReasonCode::not_recreated,
       "compose reported success, but left shop-web-2 as it was"},
      {"a new one of another image",
       {{"n1", 'c'}, {"n2", 'b'}},
       0,
       ReasonCode::wrong_result,
       "shop-web-1 runs image #c and not #b"},
      {"a new one of the old image",
       {{"n1", 'a'}, {"n2", 'b'}},
       0,
       ReasonCode::wrong_result,
       "shop-web-1 runs image #a and not #b"},
      {"nothing runs",
       {},
       0,
       ReasonCode::wrong_result,
       "service web: 0 of 2 containers are there after the recreation"},
      {"whether new ones run well is not asked here",
       {{"n1", 'b', ContainerStatus::exited}, {"n2", 'b', ContainerStatus::restarting}},
       2,
       {},
       ""},
      {"nor whether they ran at all",
       {{"n1", 'b'}, {"n2", 'b', ContainerStatus::created}},
       2,
       {},
       ""},
      {"an old one that was stopped is no new one",
       {{"n1", 'b'}, {"c2", 'a', ContainerStatus::exited}},
       1,
       ReasonCode::wrong_result,
       "service web: 1 of 2 containers are there after the recreation"},
      {"one that was stopped before is no new one",
       {{"n1", 'b'}, {"s2", 'b', ContainerStatus::exited}},
       1,
       ReasonCode::wrong_result,
       "service web: 1 of 2 containers are there after the recreation"},
      {"one that is being removed is not there",
       {{"n1", 'b'}, {"n2", 'b', ContainerStatus::removing}},
       1,
       ReasonCode::wrong_result,
       "service web: 1 of 2 containers are there after the recreation"},
      {"one too many",
       {{"n1", 'b'}, {"n2", 'b'}, {"n3", 'b'}},
       3,
       ReasonCode::wrong_result,
       "service web: 3 of 2 containers are there after the recreation"},
      {"one has the name that compose gives it on the way",
       {{"n1", 'b'},
        {"n2", 'b', ContainerStatus::running, "web", "shop", false, "0123456789ab_shop-web-2"}},
       0,
       ReasonCode::wrong_result,
       "no container is called shop-web-2"},
  };
  for (const Row& row : rows) {
    check(row, plan_of_two());
  }
}

TEST_CASE("read_back: followers must run again in a network that is there, whatever their image") {
  DeploymentPlan plan = plan_of_two();
  plan.projects[0].followers = {{.name = "vpn",
                                 .reference = ref("vpn:3"),
                                 .containers = {{"v1", "shop-vpn-1", 1, id_of('e')}}}};
  const auto with = [](const char* id, ContainerStatus status, const char* network) {
    return std::vector<Found>{
        {"n1", 'b'}, {"n2", 'b'}, {id, 'e', status, "vpn", "shop", false, "", network}};
  };
  const auto running = ContainerStatus::running;
  check({"it was left in a namespace that is gone", with("v1", running, "container:c1"), 0,
         ReasonCode::not_recreated,
         "compose left shop-vpn-1 in the network namespace of a container that is gone"},
        plan);
  check({"it runs with the new one", with("w1", running, "container:n1"), 3, {}, ""}, plan);
  check({"it has a network of its own by now", with("w1", running, "bridge"), 3, {}, ""}, plan);
  check({"it is gone",
         {{"n1", 'b'}, {"n2", 'b'}},
         0,
         ReasonCode::wrong_result,
         "service vpn: 0 of 1 containers are there after the recreation"},
        plan);
}

TEST_CASE("read_back looks at all projects of a deployment, and each may want its own image") {
  DeploymentPlan plan = plan_of_two();
  ProjectPlan blog = plan.projects[0];
  blog.compose.project = "blog";
  blog.services[0].containers = {{"b0", "blog-web-1", 1, id_of('a')}};
  plan.projects.push_back(blog);
  const Found there{"b1", 'b', ContainerStatus::running, "web", "blog"};
  check({"all there", {{"n1", 'b'}, {"n2", 'b'}, there}, 3, {}, ""}, plan);
  check({"the second is not",
         {{"n1", 'b'}, {"n2", 'b'}},
         2,
         ReasonCode::wrong_result,
         "service web: 0 of 1 containers are there after the recreation"},
        plan);
  check({"of an image each", {{"n1", 'c'}, {"n2", 'c'}, there}, 3, {}, ""}, plan,
        [](const std::string& project, const ImageReference&) {
          return id_of(project == "shop" ? 'c' : 'b');
        });
}

namespace {

struct Downtime {
  const char* what;
  std::vector<ContainerEvent> events;
  std::optional<std::chrono::milliseconds> expected;
};

ContainerEvent event(const char* time, const char* action, const char* container) {
  return {at(std::string("2026-11-22T19:45:") + time + "Z"), action, container};
}

}  // namespace

TEST_CASE("downtime_of: from the end of the old container to the start of the one of its number") {
  using std::chrono::milliseconds;
  const ProjectPlan project = plan_of_two().projects[0];
  const std::vector<Container> now = host_of({{"n1", 'b'}, {"n2", 'b'}}).containers;
  const std::vector<Downtime> rows = {
      {"no events", {}, {}},
      {"one replica",
       {event("10", "die", "c1"), event("12.500", "start", "n1")},
       milliseconds(2500)},
      {"the longest counts",
       {event("10", "die", "c1"), event("11", "start", "n1"), event("12", "die", "c2"),
        event("17", "start", "n2")},
       milliseconds(5000)},
      {"not from the one to the other", {event("10", "die", "c1"), event("17", "start", "n2")}, {}},
      {"the end is not known", {event("12", "start", "n1")}, {}},
      {"the start is not known", {event("12", "die", "c1")}, {}},
      {"the first end and the first start count",
       {event("10", "die", "c1"), event("11", "start", "n1"), event("13", "die", "n1"),
        event("14", "start", "n1")},
       milliseconds(1000)},
      {"others do not count",
       {event("10", "die", "x1"), event("11", "start", "n1"), event("11", "stop", "c1")},
       {}},
  };
  for (const Downtime& row : rows) {
    CAPTURE(row.what);
    CHECK((downtime_of(project, now, row.events) == row.expected));
  }
  CHECK_FALSE(downtime_of(project, host_of({{"c1", 'a'}}).containers, rows[1].events).has_value());
}
