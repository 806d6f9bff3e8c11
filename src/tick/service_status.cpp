#include "tallyman/tick/service_status.hpp"

#include <algorithm>
#include <utility>

namespace tallyman {
namespace {

/// The digest that people compare.
std::optional<Digest> shown_digest(const Comparison& comparison, const Replica& replica) {
  const bool answered = comparison.remote && comparison.remote->has_value();
  return pullable_digest(comparison.running.reference, replica,
                         answered ? std::optional((*comparison.remote)->digest) : std::nullopt);
}

ImageStatus image_status(const Comparison& comparison, const Memory& memory) {
  const WatchedImage& running = comparison.running;
  ImageStatus status{.reference = running.reference.familiar()};
  if (comparison.remote && comparison.remote->has_value()) {
    status.remote_digest = (*comparison.remote)->digest.str();
    status.checked_at = (*comparison.remote)->checked_at;
  }
  if (const auto seen = memory.seen.find(running.reference.str()); seen != memory.seen.end()) {
    status.last_success_at = seen->second.at;
  }
  const bool alike = std::ranges::all_of(running.replicas, [&](const Replica& replica) {
    return replica.container.image_id == running.replicas.front().container.image_id;
  });
  if (alike && !running.replicas.empty()) {
    const Replica& replica = running.replicas.front();
    if (const auto digest = shown_digest(comparison, replica)) {
      status.running_digest = digest->str();
    }
    status.image_id = replica.container.image_id;
    status.version = label_of(replica.image, k_label_version);
    status.revision = label_of(replica.image, k_label_revision);
    status.created = replica.image ? replica.image->created : std::nullopt;
  }
  return status;
}

ContainerStatusEntry container_entry(const Container& container, std::string reference,
                                     std::optional<Digest> digest) {
  return {.id = container.id,
          .name = container.name,
          .project = std::string(container.label(k_label_project)),
          .service = std::string(container.label(k_label_service)),
          .reference = std::move(reference),
          .digest = digest ? std::optional(digest->str()) : std::nullopt,
          .since = container.created,
          .status = std::string(to_string(container.status)),
          .health = std::string(to_string(container.health)),
          .restarts = container.restarts};
}

/// True if all with a healthcheck are healthy; false if one is not, or restarts; none without any
/// healthcheck.
std::optional<bool> health_of(const std::vector<ContainerStatusEntry>& containers) {
  std::optional<bool> healthy;
  for (const ContainerStatusEntry& container : containers) {
    if (container.status == to_string(ContainerStatus::restarting) ||
        container.health == to_string(Health::unhealthy)) {
      return false;
    }
    if (container.health == to_string(Health::healthy)) {
      healthy = healthy.value_or(true);
    } else if (container.health == to_string(Health::starting)) {
      healthy = false;
    }
  }
  return healthy;
}

/// The same questions and answers, with what runs now.
std::vector<Comparison> with_running(const ServiceLook& before, const Selection& selection) {
  std::vector<Comparison> comparisons;
  for (const WatchedImage& image : selection.images) {
    Comparison comparison{.running = image};
    const auto known = std::ranges::find(
        before.comparisons, image.reference,
        [](const Comparison& c) -> const ImageReference& { return c.running.reference; });
    if (known != before.comparisons.end()) {
      comparison = *known;
      comparison.running = image;
    }
    comparisons.push_back(std::move(comparison));
  }
  return comparisons;
}

/// A deployment's end is the state of its service, unless what is read back is worse.
void apply_outcome(const Outcome& outcome, const Decision& now_decides, ServiceStatus& status) {
  status.error = outcome.error;
  status.state = outcome.state;
  status.reason_code = outcome.reason_code;
  if (outcome.error) {
    status.reason = outcome.error->message;
    // What a person wanted is not what the registry offers.
    const bool ordered = outcome.journal && outcome.journal->plan.trigger.hold;
    status.update_available = ordered ? now_decides.update_available : std::optional(true);
    if (outcome.reason_code == ReasonCode::mirror_lag || outcome.reason_code == ReasonCode::drift) {
      // Nothing failed: it is not there yet, or a person has to say so.
      status.reason += "; " + outcome.error->remedy;
      status.error.reset();
    }
    return;
  }
  const auto& parts = outcome.journal->plan.parts;
  const auto part = std::ranges::find(parts, status.name, &DeploymentPart::service);
  status.reason = part != parts.end() ? fmt::format("{} deployed", part->to.short_hex()) : "";
  status.update_available = now_decides.update_available;
  if (now_decides.state < outcome.state && !now_decides.images.empty()) {
    status.state = now_decides.state;
    status.reason_code = now_decides.reason_code;
    status.reason = now_decides.reason;
    status.error = now_decides.error;
  }
}

void remember(const ServiceStatus& status, Timestamp now, ServiceMemory& memory) {
  memory.consecutive_failures = status.error ? memory.consecutive_failures + 1 : 0;
  if (status.state != ServiceState::pending) {
    memory.pending_since.reset();
  } else if (!memory.pending_since) {
    memory.pending_since = now;
  }
}

/// What runs is what the registry offers: whatever else runs later while it still offers that is
/// somebody's own doing.
void remember_settled(const std::vector<Comparison>& comparisons, const Decision& decision,
                      ServiceMemory& memory) {
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    if (decision.images.at(i).state == ServiceState::current) {
      const RemoteImage& remote = comparisons[i].remote->value();
      memory.settled.insert_or_assign(remote.reference.str(), remote.digest);
    }
  }
}

}  // namespace

ServiceStatus service_status(const ServiceLook& before, const Selector* after,
                             const Outcome* outcome, Timestamp now, Memory& memory) {
  ServiceStatus status{.name = before.watch.name,
                       .state = before.decision.state,
                       .reason_code = before.decision.reason_code,
                       .reason = before.decision.reason,
                       .update_available = before.decision.update_available,
                       .error = before.decision.error};
  const bool usable = before.watch.image || !before.watch.compose.services.empty();
  const Selection selection =
      after != nullptr && usable ? after->select(before.watch) : Selection{};
  const std::vector<Comparison> comparisons = with_running(before, selection);
  if (after != nullptr && usable) {
    const Decision now_decides =
        decide(before.watch, comparisons, selection.by_id, memory, {.now = now});
    remember_settled(comparisons, now_decides, memory.services[before.watch.name]);
    if (outcome != nullptr) {
      apply_outcome(*outcome, now_decides, status);
    }
  } else if (outcome != nullptr) {
    apply_outcome(*outcome, {}, status);
  }
  for (const Comparison& comparison : comparisons) {
    status.images.push_back(image_status(comparison, memory));
    for (const Replica& replica : comparison.running.replicas) {
      status.containers.push_back(container_entry(replica.container,
                                                  comparison.running.reference.familiar(),
                                                  shown_digest(comparison, replica)));
    }
  }
  for (const Container& container : selection.by_id) {
    status.containers.push_back(container_entry(container, container.image, std::nullopt));
  }
  status.healthy = health_of(status.containers);

  ServiceMemory& remembered = memory.services[before.watch.name];
  remember(status, now, remembered);
  status.last_good = remembered.last_good;
  status.deployed_at = remembered.deployed_at;
  status.last_deployment = remembered.last_deployment;
  status.pending_since = remembered.pending_since;
  status.consecutive_failures = remembered.consecutive_failures;
  if (const auto hold = memory.holds.find(before.watch.name);
      hold != memory.holds.end() && hold->second && !hold->second->is_over(now)) {
    status.hold = *hold->second;
  }
  status.drift = drift_of(remembered.models);
  for (const Quarantined& entry : remembered.quarantined) {
    status.quarantined.push_back(entry.digest);
  }
  return status;
}

std::vector<RegistryStatus> registry_statuses(const Memory& memory, Timestamp now) {
  std::vector<RegistryStatus> statuses;
  for (const auto& [name, registry] : memory.registries) {
    const auto not_before = left_alone_until(registry, now);
    if (registry.rate_limit || not_before) {
      statuses.push_back({name, registry.rate_limit, not_before});
    }
  }
  return statuses;
}

}  // namespace tallyman
