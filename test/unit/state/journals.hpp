#pragma once

#include "support/values.hpp"
#include "tallyman/model/transaction.hpp"

namespace tallyman::test {

inline constexpr const char* k_secret = "s3cr3t-of-the-project";

/// A journal in which nothing is empty, of two projects and two images.
inline Journal full_journal(const std::string& id = "20261122T194514Z-web") {
  using std::chrono::milliseconds;
  const ImageReference web = ref("harbor.lan/shop/web:1");
  const ImageReference vpn = ref("vpn:3");
  Journal journal{.id = id,
                  .folder = "/var/lib/tallyman/deployments/" + id,
                  .phase = Phase::restore,
                  .writes = 7,
                  .recoveries = 2,
                  .started_at = at("2026-11-22T19:45:14.250Z"),
                  .finished_at = at("2026-11-22T19:46:00Z"),
                  .plan = {}};
  journal.plan.parts = {
      {.service = "web",
       .references = {web, vpn},
       .from = digest('1'),
       .to = digest('2'),
       .rollback = {false, 5},
       .health = {.timeout = milliseconds(1500),
                  .settle = milliseconds(250),
                  .http = {"http://127.0.0.1:3000/health"},
                  .http_status = 204,
                  .tcp = {"127.0.0.1:5432"},
                  .command = {"wget", "-q"}},
       .hooks = {.before = {"/usr/local/bin/dump", "db"},
                 .after = {"./tell"},
                 .on_failure = {"logger", "oh"},
                 .directory = "/opt/hooks",
                 .timeout = milliseconds(90'000)}},
      {.service = "worker", .references = {web}, .from = std::nullopt, .to = digest('2')}};
  journal.plan.images = {{.reference = web,
                          .digest = digest('2'),
                          .platform = {"linux", "arm64", "v8"},
                          .manifest = digest('7'),
                          .old = {{"shop", id_of('a'), digest('1')}, {"blog", id_of('b')}}},
                         {.reference = vpn, .digest = digest('3'), .platform = {"linux", "amd64"}}};
  const ServicePlan service{
      .name = "web",
      .reference = web,
      .containers = {{"c1", "shop-web-1", 1, id_of('a')}, {"c2", "shop-web-2", 2, id_of('b')}},
      .bystanders = {"c3"}};
  const ServicePlan follower{
      .name = "vpn", .reference = vpn, .containers = {{"v1", "shop-vpn-1", 1, id_of('e')}}};
  journal.plan.projects = {
      {.drop_in = "web",
       .compose = {.project = "shop"},
       .created_by_v1 = true,
       .services = {service},
       .followers = {follower}},
      {.compose = {.project = "blog"}, .by_script = true, .services = {service}}};
  journal.commands = {{{"docker", "compose", "-p", "shop", "up"},
                       "/srv/shop",
                       {{"PASSWORD", k_secret}, {"PATH", "/usr/bin"}},
                       milliseconds(600'000)},
                      {{"docker-compose", "up"}, "/srv/blog", {}, milliseconds(1)}};
  journal.models = {
      {{"web", {"2.26.1", "hash", {"settings", {{"/srv/shop/compose.yaml", "1.5 7 9"}}}}}}, {}};
  journal.images = {{id_of('f'), true, id_of('a')}, {"", false, ""}};
  journal.was_unhealthy = true;
  journal.error = Error{ErrorKind::process, "shop-web-1 exited with status 1", "look at its log"};
  journal.reason_code = ReasonCode::unhealthy;
  journal.judged = true;
  journal.suspects = {web.str()};
  journal.has_evidence = true;
  journal.steps = {{"pull", "222222222222, 38.2 MB", milliseconds(6100)},
                   {"recreate", "caf\u00e9 \"quoted\"\n", milliseconds(0)}};
  journal.downtime = milliseconds(1234);
  journal.replicas = 3;
  journal.hooks_called = true;
  return journal;
}

}  // namespace tallyman::test
