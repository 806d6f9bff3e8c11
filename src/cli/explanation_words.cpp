#include <fmt/ranges.h>

#include <algorithm>

#include "cli/explanation.hpp"
#include "tallyman/cli/until.hpp"

namespace tallyman {
namespace {

/// The reference that the decision is about, as people write it.
std::string decided_reference(const Explanation& explanation) {
  for (std::size_t i = 0; i < explanation.images.size(); ++i) {
    const auto& decision = explanation.images[i].decision;
    if (decision && decision->reason_code == explanation.service.reason_code) {
      return explanation.service.images[i].reference;
    }
  }
  return "its tag";
}

std::string until_text(const std::optional<Timestamp>& until, std::string_view otherwise) {
  return until ? "until " + local_text(*until) : std::string(otherwise);
}

std::optional<std::string> release_text(const Explanation& explanation,
                                        const std::vector<ServiceName>& holders) {
  const ServiceName& name = explanation.service.name;
  if (holders.empty()) {
    return std::nullopt;
  }
  const bool itself = std::ranges::find(holders, name) != holders.end();
  return "tallyman release " + (itself ? name : holders.front());
}

NextStep held_step(const Explanation& explanation, const std::vector<ServiceName>& holders) {
  const auto& hold = explanation.service.hold;
  return {
      .text = fmt::format("a run leaves it alone {}",
                          until_text(hold ? hold->until : std::nullopt, "until it is released")),
      .by_hand = release_text(explanation, holders)};
}

NextStep waiting_step(const Explanation& explanation) {
  return {.text = fmt::format("the timer leaves it alone {}",
                              until_text(explanation.next_attempt, "for a while")),
          .by_hand = fmt::format("tallyman deploy {}", explanation.service.name)};
}

NextStep predecessor_step(const Explanation& explanation) {
  const auto failed = std::ranges::find_if(explanation.after, &Predecessor::failed);
  NextStep step{.text = "a run leaves it alone until that is well"};
  if (failed != explanation.after.end()) {
    step.by_hand = fmt::format("tallyman explain {}", failed->name);
  }
  return step;
}

NextStep registry_step(const Explanation& explanation) {
  for (const RegistryStatus& registry : explanation.registries) {
    if (registry.not_before) {
      return {.text = fmt::format("a run asks {} again, not before {}", registry.name,
                                  local_text(*registry.not_before))};
    }
  }
  return {.text = "every run asks again"};
}

}  // namespace

std::string_view rule_of(ReasonCode code) {
  switch (code) {
    case ReasonCode::up_to_date:
      return "what the registry offers is what runs";
    case ReasonCode::same_content:
      return "the digest is another one, the image for this platform is what runs";
    case ReasonCode::deployed:
      return "it was deployed and verified";
    case ReasonCode::update_available:
      return "the registry offers what does not run here";
    case ReasonCode::notify_only:
      return "an update, and mode = \"notify\" leaves it to a person";
    case ReasonCode::changed_by_hand:
      return "another image was started by hand while the tag stood still";
    case ReasonCode::unmanaged:
      return "an update, and neither compose nor [redeploy] can recreate the container";
    case ReasonCode::no_platform:
      return "the registry has nothing for the platform of what runs";
    case ReasonCode::preflight_failed:
    case ReasonCode::pull_failed:
    case ReasonCode::hook_failed:
    case ReasonCode::no_space:
    case ReasonCode::interrupted:
      return "an update that could not be begun; nothing was touched";
    case ReasonCode::backing_off:
      return "this digest could not be deployed; the timer waits longer each time";
    case ReasonCode::not_yet_stable:
      return "stable_checks wants to see a digest more often before it counts";
    case ReasonCode::drift:
      return "an update, and on_drift = \"refuse\" leaves edited files to a person";
    case ReasonCode::mirror_lag:
      return "the engine's mirror does not have what the registry offers";
    case ReasonCode::predecessor:
      return "an update, and what it is deployed `after` is not well";
    case ReasonCode::failed_here:
      return "the registry offers a digest that failed here: quarantined";
    case ReasonCode::held:
      return "a person said hold";
    case ReasonCode::not_running:
      return "nothing of it runs, and nothing is started that was stopped";
    case ReasonCode::by_digest:
      return "it was started by digest: there is no tag to follow";
    case ReasonCode::built_here:
      return "built on this host: no registry has it";
    case ReasonCode::no_origin:
      return "its name has no registry, and nothing shows that it came from one";
    case ReasonCode::unhealthy:
    case ReasonCode::recreate_failed:
    case ReasonCode::not_recreated:
    case ReasonCode::wrong_result:
    case ReasonCode::killed:
    case ReasonCode::rollback_failed:
      return "its last deployment failed, and what runs is not known to be good";
    case ReasonCode::registry_error:
      return "what the registry offers is not known, so nothing is decided";
    case ReasonCode::engine_error:
      return "what runs is not known, so nothing is decided";
    case ReasonCode::config_error:
      return "the drop-in cannot be used, so nothing is decided";
    case ReasonCode::state_error:
      return "what tallyman remembers is not known, so nothing is decided";
  }
  return "";
}

NextStep step_without_deployment(const Explanation& explanation,
                                 const std::vector<ServiceName>& holders) {
  const ServiceName& name = explanation.service.name;
  const std::string deploy = fmt::format("tallyman deploy {}", name);
  switch (explanation.service.reason_code) {
    case ReasonCode::up_to_date:
    case ReasonCode::same_content:
    case ReasonCode::deployed:
      return {.text = fmt::format("nothing, until {} moves", decided_reference(explanation))};
    case ReasonCode::update_available:
      return {.text = "nothing: one image of the drop-in is in the way of the others"};
    case ReasonCode::notify_only:
    case ReasonCode::drift:
      return {.text = "every run reports it again", .by_hand = deploy};
    case ReasonCode::changed_by_hand:
      return {.text = fmt::format("a run leaves it alone until {} moves",
                                  decided_reference(explanation)),
              .by_hand = deploy};
    case ReasonCode::unmanaged:
      return {.text = "every run reports it again",
              .by_hand = "start it with compose, or give the drop-in a [redeploy] command"};
    case ReasonCode::no_platform:
      return {.text = "nothing, until the registry has an image for this platform"};
    case ReasonCode::not_yet_stable:
      return {.text = "every run that sees it counts; the last one that is missing deploys it",
              .by_hand = deploy};
    case ReasonCode::backing_off:
    case ReasonCode::mirror_lag:
    case ReasonCode::preflight_failed:
    case ReasonCode::pull_failed:
    case ReasonCode::hook_failed:
    case ReasonCode::no_space:
    case ReasonCode::interrupted:
      return waiting_step(explanation);
    case ReasonCode::predecessor:
      return predecessor_step(explanation);
    case ReasonCode::failed_here:
      return {.text = fmt::format("a run leaves it alone until {} moves",
                                  decided_reference(explanation)),
              .by_hand = deploy + " --retry-quarantined"};
    case ReasonCode::held:
      return held_step(explanation, holders);
    case ReasonCode::not_running:
      return {.text = "a run starts nothing", .by_hand = "start it with compose"};
    case ReasonCode::by_digest:
      return {.text = "nothing",
              .by_hand = "change the digest in its compose file, and run compose"};
    case ReasonCode::built_here:
    case ReasonCode::no_origin:
      return {.text = "nothing"};
    case ReasonCode::unhealthy:
    case ReasonCode::recreate_failed:
    case ReasonCode::not_recreated:
    case ReasonCode::wrong_result:
    case ReasonCode::killed:
    case ReasonCode::rollback_failed:
      return {.text = "it counts as good again once a run has seen its containers run well",
              .by_hand = deploy + " --recreate"};
    case ReasonCode::registry_error:
      return registry_step(explanation);
    case ReasonCode::engine_error:
      return {.text = "every run asks again"};
    case ReasonCode::config_error:
      return {.text = "nothing, until the drop-in is mended", .by_hand = "tallyman validate"};
    case ReasonCode::state_error:
      return {.text = "nothing, until that can be read"};
  }
  return {};
}

std::string selection_text(const Watch& watch) {
  const ComposeSettings& compose = watch.compose;
  const bool all = std::ranges::find(compose.services, "*") != compose.services.end();
  std::string text =
      compose.services.empty() ? "running containers"
      : all                    ? "all compose services"
            : fmt::format("compose {} {}", compose.services.size() == 1 ? "service" : "services",
                          fmt::join(compose.services, ", "));
  if (!compose.project.empty()) {
    text += " of project " + compose.project;
  } else if (!compose.directory.empty()) {
    text += " of the project in " + compose.directory;
  }
  if (watch.image) {
    text += fmt::format(
        "{}{}", compose.services.empty() && text == "running containers" ? " of " : " that run ",
        watch.image->familiar());
  }
  return text;
}

}  // namespace tallyman
