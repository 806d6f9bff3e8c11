#include "tallyman/deploy/tidy.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "unit/deploy/planned.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

constexpr auto k_running = ContainerStatus::running;
constexpr auto k_created = ContainerStatus::created;
constexpr auto k_exited = ContainerStatus::exited;

struct Found {
  const char* id;  ///< "old1": of number 1
  const char* name;
  ContainerStatus status = k_running;
  const char* service = "web";
  const char* project = "shop";
  const char* created = "2026-11-22T19:45:14Z";
};

struct Row {
  const char* what;
  std::vector<Found> found;
  Calls actions;
};

Container container_of(const Found& found) {
  const int number = found.id[std::string_view(found.id).size() - 1] - '0';
  Container container = compose_container(found.project, found.service, number);
  container.id = found.id;
  container.name = found.name;
  container.status = found.status;
  container.created = at(found.created);
  return container;
}

Host host_of(const std::vector<Found>& found) {
  Host host;
  for (const Found& one : found) {
    host.containers.push_back(container_of(one));
  }
  return host;
}

/// Service web with old1 and, if there are two replicas, old2.
DeploymentPlan plan_of(int replicas) {
  ServicePlan web{.name = "web", .reference = ref(k_web), .bystanders = {"stopped1", "stopped3"}};
  for (int number = 1; number <= replicas; ++number) {
    web.containers.push_back(
        {fmt::format("old{}", number), fmt::format("shop-web-{}", number), number, id_of('a')});
  }
  return {
      .parts = {}, .images = {}, .projects = {{.compose = {.project = "shop"}, .services = {web}}}};
}

Calls told(const std::vector<TidyAction>& actions) {
  Calls lines;
  for (const TidyAction& action : actions) {
    const char* verb = action.kind == TidyAction::Kind::remove   ? "remove"
                       : action.kind == TidyAction::Kind::rename ? "rename"
                                                                 : "start";
    lines.push_back(fmt::format("{} {} {}", verb, action.id, action.name));
  }
  return lines;
}

void check(const std::vector<Row>& rows, const DeploymentPlan& plan) {
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(told(plan_tidy(plan, host_of(row.found))) == row.actions);
  }
}

}  // namespace

TEST_CASE("compose v2 may be killed after each of its steps") {
  const char* provisional = "0123456789ab_shop-web-1";
  check(
      {
          {"before the first", {{"old1", "shop-web-1"}}, {}},
          {"the new one is created",
           {{"old1", "shop-web-1"}, {"new1", provisional, k_created}},
           {"remove new1 0123456789ab_shop-web-1"}},
          {"the old one is stopped",
           {{"old1", "shop-web-1", k_exited}, {"new1", provisional, k_created}},
           {"remove new1 0123456789ab_shop-web-1", "start old1 shop-web-1"}},
          {"the old one is being removed",
           {{"old1", "shop-web-1", ContainerStatus::removing}, {"new1", provisional, k_created}},
           {"rename new1 shop-web-1"}},
          {"the old one is removed",
           {{"new1", provisional, k_created}},
           {"rename new1 shop-web-1"}},
          {"the new one is renamed", {{"new1", "shop-web-1", k_created}}, {}},
          {"the new one is started", {{"new1", "shop-web-1"}}, {}},
          {"the new one has crashed", {{"new1", "shop-web-1", k_exited}}, {}},
      },
      plan_of(1));
}

TEST_CASE("compose v1 may be killed after each of its steps") {
  const char* put_aside = "0123456789ab_shop-web-1";
  check(
      {
          {"the old one is stopped", {{"old1", "shop-web-1", k_exited}}, {"start old1 shop-web-1"}},
          {"the old one is renamed",
           {{"old1", put_aside, k_exited}},
           {"rename old1 shop-web-1", "start old1 0123456789ab_shop-web-1"}},
          {"the new one is created",
           {{"old1", put_aside, k_exited}, {"new1", "shop-web-1", k_created}},
           {"remove new1 shop-web-1", "rename old1 shop-web-1",
            "start old1 0123456789ab_shop-web-1"}},
          {"the new one is started",
           {{"old1", put_aside, k_exited}, {"new1", "shop-web-1"}},
           {"remove new1 shop-web-1", "rename old1 shop-web-1",
            "start old1 0123456789ab_shop-web-1"}},
          {"the old one is removed", {{"new1", "shop-web-1"}}, {}},
      },
      plan_of(1));
}

TEST_CASE("of two replicas each is put in order, and all removals come first") {
  check(
      {
          {"v2: the first is done, the second is stopped",
           {{"new1", "shop-web-1"},
            {"old2", "shop-web-2", k_exited},
            {"new2", "0123456789ab_shop-web-2", k_created}},
           {"remove new2 0123456789ab_shop-web-2", "start old2 shop-web-2"}},
          {"v2: both at once",
           {{"old1", "shop-web-1", k_exited},
            {"new1", "0123456789ab_shop-web-1", k_created},
            {"new2", "ba9876543210_shop-web-2", k_created}},
           {"remove new1 0123456789ab_shop-web-1", "rename new2 shop-web-2",
            "start old1 shop-web-1"}},
          {"v1: both put aside",
           {{"old1", "0123456789ab_shop-web-1", k_exited},
            {"old2", "ba9876543210_shop-web-2", k_exited},
            {"new1", "shop-web-1"},
            {"new2", "shop-web-2", k_created}},
           {"remove new1 shop-web-1", "remove new2 shop-web-2", "rename old1 shop-web-1",
            "rename old2 shop-web-2", "start old1 0123456789ab_shop-web-1",
            "start old2 ba9876543210_shop-web-2"}},
          {"both are gone", {}, {}},
      },
      plan_of(2));
}

TEST_CASE("of several that took one place, the one that runs or else the newest stays") {
  check(
      {
          {"one runs",
           {{"new1", "x", k_created, "web", "shop", "2026-11-22T20:00:00Z"},
            {"other1", "y", k_running, "web", "shop", "2026-11-22T19:00:00Z"}},
           {"remove new1 x", "rename other1 shop-web-1"}},
          {"none runs",
           {{"new1", "x", k_created, "web", "shop", "2026-11-22T20:00:00Z"},
            {"other1", "shop-web-1", k_created, "web", "shop", "2026-11-22T19:00:00Z"}},
           {"remove other1 shop-web-1", "rename new1 shop-web-1"}},
          {"the old one is dead, so it is no good any more",
           {{"old1", "x", ContainerStatus::dead}, {"new1", "y"}},
           {"rename new1 shop-web-1"}},
      },
      plan_of(1));
}

TEST_CASE("a container that is alive in its way is not started") {
  check({{"paused", {{"old1", "shop-web-1", ContainerStatus::paused}}, {}},
         {"restarting", {{"old1", "shop-web-1", ContainerStatus::restarting}}, {}}},
        plan_of(1));
}

TEST_CASE("what was not part of the deployment is never touched") {
  DeploymentPlan plan = plan_of(1);
  Host host = host_of({{"old1", "shop-web-1"},
                       {"stopped1", "shop-web-run-1", k_exited},  // was stopped before
                       {"stopped3", "shop-web-3", k_exited},
                       {"new4", "shop-web-4", k_created},  // somebody scales
                       {"db1", "shop-db-1", k_exited, "db"},
                       {"blog1", "blog-web-1", k_exited, "web", "blog"}});
  Container run = container_of({"run1", "shop-web-run-abc", k_exited});
  set_label(run, k_label_oneoff, "True");
  host.containers.push_back(run);
  Container stray = container_of({"stray1", "by-hand", k_exited});
  stray.labels = {};
  host.containers.push_back(stray);
  CHECK(told(plan_tidy(plan, host)) == Calls{});

  host.containers[0].id = "new1";  // nor if there is something to do
  host.containers[0].name = "0123456789ab_shop-web-1";
  CHECK(told(plan_tidy(plan, host)) == Calls{"rename new1 shop-web-1"});
}

TEST_CASE("followers, and all projects, are put in order as well") {
  DeploymentPlan plan = plan_of(1);
  plan.projects[0].followers = {{.name = "vpn",
                                 .reference = ref("vpn:3"),
                                 .containers = {{"vpn1", "shop-vpn-1", 1, id_of('e')}}}};
  ProjectPlan blog = plan_of(1).projects[0];
  blog.compose.project = "blog";
  blog.services[0].containers[0] = {"blog1", "blog-web-1", 1, id_of('a')};
  plan.projects.push_back(blog);
  check({{"all stopped",
          {{"old1", "shop-web-1", k_exited},
           {"vpn1", "shop-vpn-1", k_exited, "vpn"},
           {"blog1", "blog-web-1", k_exited, "web", "blog"}},
          {"start old1 shop-web-1", "start vpn1 shop-vpn-1", "start blog1 blog-web-1"}}},
        plan);
}
