#include "tallyman/model/decision.hpp"

#include "model/identity.hpp"

#include <algorithm>
#include <chrono>

namespace tallyman {
namespace {

ImageDecision no_origin(const WatchedImage& image) {
  if (is_podmans_localhost(image)) {
    return {.state = ServiceState::local,
            .reason_code = ReasonCode::built_here,
            .reason = fmt::format("{} was built here: localhost is no registry to Podman",
                                  image.reference.familiar()),
            .update_available = false};
  }
  return {.state = ServiceState::local,
          .reason_code = ReasonCode::no_origin,
          .reason = fmt::format("{} names no registry; to follow Docker Hub, write image = \"{}\"",
                                image.reference.familiar(), image.reference.str()),
          .update_available = false};
}

ImageDecision unknown_image(const Error& error) {
  return {.state = ServiceState::unknown,
          .reason_code = ReasonCode::registry_error,
          .reason = error.message,
          .error = error};
}

/// The registry did not say what it has.
ImageDecision without_remote(const Comparison& comparison, const Error& error,
                             const Memory& memory) {
  const WatchedImage& image = comparison.running;
  const bool seen_before = memory.seen.contains(image.reference.str());
  if (error.kind == ErrorKind::not_found && !seen_before && !any_came_from_registry(image)) {
    return {.state = ServiceState::local,
            .reason_code = ReasonCode::built_here,
            .reason = fmt::format("{} was built here; its registry has no such tag",
                                  image.reference.familiar()),
            .update_available = false};
  }
  // Registries that tell nobody what they don't have answer like this for what was never pushed.
  const bool refused = error.kind == ErrorKind::auth || error.kind == ErrorKind::denied;
  if (refused && !seen_before && never_came_from_registry(image)) {
    return {.state = ServiceState::local,
            .reason_code = ReasonCode::built_here,
            .reason = fmt::format("{} was built or loaded here; its registry shows no such tag: {}",
                                  image.reference.familiar(), error.message),
            .update_available = false};
  }
  return unknown_image(error);
}

/// After a clock that was set back nothing is waited for that lies in the future.
std::chrono::milliseconds time_to_wait(const FailedAttempts& attempts, const Digest& offered,
                                       const Moment& moment) {
  if (!moment.patient || attempts.digest != offered || moment.now < attempts.last) {
    return {};
  }
  const auto due = attempts.last + backoff(attempts.count);
  return due > moment.now ? due - moment.now : std::chrono::milliseconds{};
}

/// The registry has something that at least one replica does not run.
ImageDecision differing(const Watch& watch, const Comparison& comparison, bool managed,
                        const ServiceMemory& memory, const Moment& moment) {
  const RemoteImage& remote = **comparison.remote;
  const Digest& offered = remote.digest;
  ImageDecision decision{.state = ServiceState::pending,
                         .reason_code = ReasonCode::update_available,
                         .reason = fmt::format("{} is available", offered.short_hex()),
                         .update_available = true};
  const ImageReference& reference = comparison.running.reference;
  const auto settled = memory.settled.find(reference.str());
  const bool tag_stands = settled != memory.settled.end() && settled->second == offered;
  const Quarantined* quarantined = find_quarantined(memory, remote);
  if (quarantined != nullptr && !(moment.wish && moment.wish->retry_quarantined)) {
    decision.state = ServiceState::quarantined;
    decision.reason_code = ReasonCode::failed_here;
    decision.reason = fmt::format("{}: {}", offered.short_hex(), quarantined->reason);
  } else if (!managed) {
    decision.reason_code = ReasonCode::unmanaged;
    decision.reason =
        fmt::format("{} is available, but {} was not started by compose", offered.short_hex(),
                    comparison.running.replicas.front().container.name);
  } else if (moment.wish) {
    decision.deploy = true;
  } else if (tag_stands) {
    decision.reason_code = ReasonCode::changed_by_hand;
    decision.reason =
        fmt::format("changed by hand since {} was deployed; left alone until {} moves",
                    offered.short_hex(), reference.familiar());
  } else if (const int checks = checks_of(memory, remote);
             watch.stable_checks > 1 && checks < watch.stable_checks) {
    decision.reason_code = ReasonCode::not_yet_stable;
    decision.reason = fmt::format("{} was seen in {} of {} checks", offered.short_hex(), checks,
                                  watch.stable_checks);
    decision.update_available = std::nullopt;  // it may flip back
  } else if (watch.mode == Mode::notify) {
    decision.reason_code = ReasonCode::notify_only;
    decision.reason +=
        fmt::format(", and mode is notify; to deploy it: tallyman deploy {}", watch.name);
  } else if (const auto wait = time_to_wait(memory.attempts, offered, moment); wait.count() > 0) {
    const FailedAttempts& attempts = memory.attempts;
    decision.reason_code = attempts.mirror_lags ? ReasonCode::mirror_lag : ReasonCode::backing_off;
    decision.reason = attempts.mirror_lags
                          ? fmt::format("the engine's mirror does not have {} yet; next try in {}",
                                        offered.short_hex(), humanize(wait))
                          : fmt::format("{} could not be deployed {} times; next try in {}",
                                        offered.short_hex(), attempts.count, humanize(wait));
  } else {
    decision.deploy = true;
  }
  return decision;
}

ImageDecision decide_image(const Watch& watch, const Comparison& comparison, const Memory& memory,
                           const ServiceMemory& service, const Moment& moment) {
  const ImageReference& reference = comparison.running.reference;
  if (comparison.question == Question::pinned) {
    return {.state = ServiceState::pinned,
            .reason_code = ReasonCode::by_digest,
            .reason = "runs by digest",
            .update_available = false};
  }
  if (comparison.question == Question::no_origin) {
    return no_origin(comparison.running);
  }
  if (!comparison.remote) {
    return unknown_image({ErrorKind::bug, fmt::format("{} was not looked up", reference.str())});
  }
  if (!comparison.remote->has_value()) {
    return without_remote(comparison, comparison.remote->error(), memory);
  }

  const RemoteImage& remote = **comparison.remote;
  bool differs = false;
  bool differs_managed = false;
  bool same_content = false;
  for (const Replica& replica : comparison.running.replicas) {
    switch (match(remote, replica, memory)) {
      case Match::same:
        break;
      case Match::same_content:
        same_content = true;
        break;
      case Match::differs:
        differs = true;
        differs_managed =
            differs_managed || watch.redeploy.used() || is_compose_service(replica.container);
        break;
      case Match::unclear:
        if (find_quarantined(service, remote) != nullptr) {
          differs = true;  // what is behind a bad digest need not be known
          differs_managed = differs_managed || is_compose_service(replica.container);
          break;
        }
        const Error error = comparison.platform_error.value_or(
            Error{ErrorKind::bug, fmt::format("{} was not looked into", reference.str())});
        if (error.kind == ErrorKind::not_found) {
          return {.state = ServiceState::pending,
                  .reason_code = ReasonCode::no_platform,
                  .reason = error.message};
        }
        return unknown_image(error);
    }
  }
  if (differs) {
    return differing(watch, comparison, differs_managed, service, moment);
  }
  const bool again = moment.wish && moment.wish->recreate &&
                     std::ranges::any_of(comparison.running.replicas, [](const Replica& replica) {
                       return is_compose_service(replica.container);
                     });
  return {.state = ServiceState::current,
          .reason_code = same_content ? ReasonCode::same_content : ReasonCode::up_to_date,
          .reason = same_content ? fmt::format("{} holds the same image for this platform",
                                               remote.digest.short_hex())
                                 : "",
          .update_available = false,
          .deploy = again};
}

/// Something about this image forbids to deploy its siblings of the same drop-in.
bool blocks(const ImageDecision& image) {
  return image.state == ServiceState::unknown || image.reason_code == ReasonCode::no_platform ||
         image.state == ServiceState::quarantined ||
         image.reason_code == ReasonCode::changed_by_hand ||
         image.reason_code == ReasonCode::not_yet_stable ||
         image.reason_code == ReasonCode::mirror_lag ||
         image.reason_code == ReasonCode::backing_off;
}

/// Named services of the drop-in of which nothing runs.
std::vector<std::string> missing_services(const Watch& watch,
                                          const std::vector<Comparison>& comparisons,
                                          const std::vector<Container>& by_id) {
  std::vector<std::string> missing;
  for (const std::string& service : watch.compose.services) {
    const auto is_it = [&](const Container& c) { return c.label(k_label_service) == service; };
    const bool runs =
        service == "*" || std::ranges::any_of(by_id, is_it) ||
        std::ranges::any_of(comparisons, [&](const Comparison& comparison) {
          return std::ranges::any_of(comparison.running.replicas,
                                     [&](const Replica& r) { return is_it(r.container); });
        });
    if (!runs) {
      missing.push_back(service);
    }
  }
  return missing;
}

/// Everything that a drop-in's state is made of: its images, what was created by id, what does not
/// run.
std::vector<ImageDecision> parts_of(const Watch& watch, const std::vector<Comparison>& comparisons,
                                    const std::vector<Container>& by_id,
                                    const std::vector<ImageDecision>& images) {
  std::vector<ImageDecision> parts = images;
  for (const Container& container : by_id) {
    parts.push_back({.state = ServiceState::pending,
                     .reason_code = ReasonCode::unmanaged,
                     .reason = fmt::format("{} was created from an image id, not from a reference",
                                           container.name)});
  }
  for (const std::string& service : missing_services(watch, comparisons, by_id)) {
    parts.push_back({.state = ServiceState::absent,
                     .reason_code = ReasonCode::not_running,
                     .reason = fmt::format("{} is not running", service)});
  }
  if (parts.empty()) {
    parts.push_back(
        {.state = ServiceState::absent,
         .reason_code = ReasonCode::not_running,
         .reason = watch.image ? fmt::format("no running container of {}", watch.image->familiar())
                               : "no running container"});
  }
  return parts;
}

std::optional<bool> any_update(const std::vector<ImageDecision>& parts) {
  std::optional<bool> result = false;
  for (const ImageDecision& part : parts) {
    if (part.update_available == true) {
      return true;
    }
    if (!part.update_available) {
      result = std::nullopt;
    }
  }
  return result;
}

}  // namespace

Decision decide(const Watch& watch, const std::vector<Comparison>& comparisons,
                const std::vector<Container>& by_id, const Memory& memory, const Moment& moment) {
  const auto remembered = memory.services.find(watch.name);
  const ServiceMemory service =
      remembered != memory.services.end() ? remembered->second : ServiceMemory{};
  Decision decision;
  for (const Comparison& comparison : comparisons) {
    decision.images.push_back(decide_image(watch, comparison, memory, service, moment));
  }
  const std::vector<ImageDecision> parts = parts_of(watch, comparisons, by_id, decision.images);
  const ImageDecision* telling = &*std::ranges::min_element(
      parts, {}, [](const ImageDecision& part) { return static_cast<int>(part.state); });

  const auto deployable = std::ranges::find_if(parts, &ImageDecision::deploy);
  if (deployable != parts.end() && std::ranges::none_of(parts, blocks)) {
    decision.action = Decision::Action::deploy;
    telling = &*deployable;
  }
  decision.state = telling->state;
  decision.reason_code = telling->reason_code;
  decision.reason = telling->reason;
  decision.error = telling->error;
  decision.update_available = any_update(parts);
  apply_hold(watch, memory, moment, decision);
  if (!service.broken.empty() && decision.action == Decision::Action::none) {
    // Whatever runs there now, nobody has seen it well since.
    decision.state = ServiceState::failed;
    decision.reason_code = ReasonCode::rollback_failed;
    decision.reason = service.broken;
    decision.error = Error{ErrorKind::process, service.broken};
  }
  return decision;
}

Decision undecided(Error error, ReasonCode code) {
  Decision decision;
  decision.reason_code = code;
  decision.reason = error.message;
  decision.error = std::move(error);
  return decision;
}

}  // namespace tallyman
