#pragma once

#include "support/values.hpp"
#include "tallyman/report/status.hpp"

namespace tallyman::test {

inline ServiceStatus service_in(ServiceState state, std::string name = "web") {
  return {.name = std::move(name), .state = state, .reason_code = ReasonCode::up_to_date};
}

inline StatusDocument document_of(std::vector<ServiceState> states) {
  StatusDocument status{.version = "0.1.0",
                        .host = "deploy-01",
                        .run_id = "2026-11-22T19:45:14Z",
                        .trigger = "manual",
                        .started_at = at("2026-11-22T19:45:14Z"),
                        .finished_at = at("2026-11-22T19:45:20.500Z"),
                        .duration = std::chrono::milliseconds(6500)};
  for (const ServiceState state : states) {
    status.services.push_back(service_in(state, "s" + std::to_string(status.services.size())));
  }
  return status;
}

/// Every field has a value of its own.
inline ServiceStatus rich_service() {
  ServiceStatus service{.name = "web",
                        .state = ServiceState::failed,
                        .reason_code = ReasonCode::wrong_result,
                        .reason = "caf\u00e9 \"quoted\" \\ \n\x01",
                        .update_available = true,
                        .healthy = false};
  service.images.push_back({.reference = "harbor.lan/shop/web:1",
                            .remote_digest = id_of('1'),
                            .checked_at = at("2026-11-22T19:45:15Z"),
                            .last_success_at = at("2026-11-22T19:45:16Z"),
                            .running_digest = id_of('2'),
                            .image_id = id_of('a'),
                            .version = "v1.2.0",
                            .revision = "0123abcd",
                            .created = at("2026-10-01T00:00:00Z")});
  service.images.push_back({.reference = "nginx:1"});
  service.drift = Drift{.since = at("2026-11-22T19:00:00Z"),
                        .services = {"web", "worker"},
                        .files = {"/srv/shop/.env"},
                        .message = "services web, worker: /srv/shop/.env was edited"};
  service.containers.push_back({.id = "c1",
                                .name = "shop-web-1",
                                .project = "shop",
                                .service = "web",
                                .reference = "harbor.lan/shop/web:1",
                                .digest = id_of('2'),
                                .since = at("2026-11-01T00:00:00.250Z"),
                                .status = "running",
                                .health = "unhealthy",
                                .restarts = 4});
  service.containers.push_back({.id = "c2",
                                .name = "stray",
                                .project = "",
                                .service = "",
                                .reference = "nginx:1",
                                .status = "paused",
                                .health = "none"});
  service.last_good = {{"harbor.lan/shop/web:1", digest('2')}, {"nginx:1", digest('3')}};
  service.deployed_at = at("2026-11-01T00:00:09Z");
  service.last_deployment = DeploymentRecord{.id = "2026-11-01T00:00:00Z",
                                             .result = "updated",
                                             .from = digest('4'),
                                             .to = digest('2'),
                                             .finished_at = at("2026-11-01T00:00:10Z"),
                                             .log = "/var/lib/tallyman/deployments/x"};
  service.pending_since = at("2026-11-21T00:00:00Z");
  service.consecutive_failures = 7;
  service.quarantined = {digest('5'), digest('6')};
  service.error = Error{ErrorKind::process, "compose up failed", "look at its log"};
  return service;
}

/// All states, and services with everything and with nothing.
inline StatusDocument rich_document() {
  StatusDocument status = document_of({});
  status.trigger = "timer";
  status.services.push_back(rich_service());
  for (const ServiceState state : k_all_states) {
    ServiceStatus service = service_in(state, "in " + std::string(to_string(state)));
    service.last_deployment =
        DeploymentRecord{.id = "x", .result = "pending", .from = std::nullopt, .to = std::nullopt};
    service.error = Error{ErrorKind::transient, "no remedy is known"};
    status.services.push_back(std::move(service));
  }
  status.services.push_back(service_in(ServiceState::current, "bare"));
  return status;
}

}  // namespace tallyman::test
