#include "tallyman/deploy/deployer.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "deploy/deployment_run.hpp"

namespace tallyman {
namespace {

Outcome outcome_of(Journal journal) {
  Outcome outcome{.state = state_after(journal.phase),
                  .reason_code = journal.reason_code,
                  .error = journal.error};
  if (outcome.state == ServiceState::updated) {
    outcome.reason_code = ReasonCode::deployed;
    outcome.error.reset();
  } else if (!outcome.error) {
    // A run that was killed had no time to say more.
    outcome.reason_code = ReasonCode::killed;
    outcome.error = Error{ErrorKind::process, "tallyman was killed while it deployed"};
  }
  if (outcome.state == ServiceState::failed && journal.plan.may_be_undone()) {
    outcome.reason_code = ReasonCode::rollback_failed;
  }
  if (outcome.error && journal.has_evidence) {
    outcome.error->remedy += fmt::format("{}its log and state are in {}",
                                         outcome.error->remedy.empty() ? "" : "; ", journal.folder);
  }
  if (outcome.error && outcome.state == ServiceState::rolled_back && journal.was_unhealthy) {
    outcome.error->message += " (the old containers did not pass the gate before, either)";
  }
  if (has_ended(journal.phase)) {
    // Its record tells the same.
    journal.reason_code = outcome.reason_code;
    journal.error = outcome.error;
  }
  outcome.journal = std::move(journal);
  return outcome;
}

std::vector<GateSubject> subjects_of(const DeploymentPlan& plan) {
  std::vector<GateSubject> subjects;
  for (const ProjectPlan& project : plan.projects) {
    for (const ServicePlan* service : project.all()) {
      for (const PlannedContainer& container : service->containers) {
        subjects.push_back({container.id, container.name, false});
      }
    }
  }
  return subjects;
}

}  // namespace

Result<std::vector<PreparedProject>> Deployer::prepare(const DeploymentPlan& plan) {
  std::vector<PreparedProject> prepared;
  for (const DeploymentPart& part : plan.parts) {
    if (auto checked = m_tools.hooks.check(part.service, part.hooks); !checked) {
      return std::unexpected(checked.error());
    }
  }
  for (const ProjectPlan& project : plan.projects) {
    auto one = m_tools.target.prepare(project);
    if (!one) {
      return std::unexpected(one.error());
    }
    prepared.push_back(std::move(*one));
  }
  return prepared;
}

Result<ComposeModels> Deployer::models(const ProjectPlan& project) {
  if (m_tools.stop.requested()) {
    return fail(ErrorKind::cancelled, "told to stop");
  }
  return m_tools.target.models(project);
}

Outcome Deployer::deploy(const DeploymentPlan& plan, const Lock& lock, DeploymentObserver& observer,
                         const Objection& objection) {
  Outcome untouched{.state = ServiceState::pending, .reason_code = ReasonCode::interrupted};
  if (m_tools.stop.requested()) {
    untouched.error = Error{ErrorKind::cancelled, "told to stop before its deployment began"};
    return untouched;
  }
  const auto prepared = prepare(plan);
  if (!prepared) {
    untouched.reason_code = ReasonCode::preflight_failed;
    untouched.error = prepared.error();
    return untouched;
  }
  if (auto outcome = objection ? objection(*prepared) : std::nullopt) {
    return std::move(*outcome);
  }
  if (auto outcome = preflight(plan)) {
    return std::move(*outcome);
  }

  const Timestamp now = m_tools.clock.now();
  Journal journal{.id = m_tools.state.new_deployment_id(now, plan.parts.front().service),
                  .folder = {},
                  .started_at = now,
                  .plan = plan};
  journal.folder = m_tools.state.deployment_folder(journal.id);
  journal.images.resize(plan.images.size());
  for (const PreparedProject& project : *prepared) {
    const Command& command = project.recreate;
    journal.commands.push_back(
        {command.argv, command.directory, command.environment, command.timeout});
    journal.models.push_back(project.models);
  }
  for (const DeploymentPart& part : plan.parts) {
    if (auto good = m_tools.gate.look(subjects_of(plan), part.health); !good) {
      journal.was_unhealthy = true;
      journal.steps.push_back({.name = "before",
                               .text = "failed before: " + good.error().error.message,
                               .at = m_tools.clock.now()});
      observer.step(journal.steps.back());
    }
  }
  DeploymentRun run(m_tools, lock, observer, std::move(journal));
  return outcome_of(run.go());
}

Result<std::vector<Outcome>> Deployer::recover(const Lock& lock, DeploymentObserver& observer) {
  auto journals = m_tools.state.open_journals();
  if (!journals) {
    return std::unexpected(journals.error());
  }
  std::vector<Outcome> outcomes;
  std::optional<Error> away;
  if (std::ranges::any_of(*journals, [](const Journal& one) { return !has_ended(one.phase); })) {
    if (const auto host = m_tools.engine.observe(); !host) {
      away = host.error();
    }
  }
  for (Journal& journal : *journals) {
    m_tools.log.warning("deployment {} was left open at {}", journal.id, to_string(journal.phase));
    if (away && !has_ended(journal.phase)) {
      // However long the engine is away, that is no try that failed.
      Error error = with_context(*away, fmt::format("deployment {} is still open", journal.id));
      outcomes.push_back(outcome_of(std::move(journal)));
      outcomes.back().reason_code = ReasonCode::engine_error;
      outcomes.back().error = std::move(error);
      continue;
    }
    ++journal.recoveries;
    const PhaseEvent event =
        journal.recoveries > k_most_recoveries ? PhaseEvent::exhausted : PhaseEvent::interrupted;
    DeploymentRun run(m_tools, lock, observer, std::move(journal));
    outcomes.push_back(outcome_of(run.go(event)));
  }
  return outcomes;
}

Result<void> Deployer::close(const Journal& journal, const Memory& memory) {
  if (auto removed = remove_images(journal, memory); !removed) {
    // They only take up space.
    m_tools.log.warning("old images stay for now: {}", removed.error().message);
  }
  if (m_tools.on_phase) {
    if (auto result = m_tools.on_phase(journal.phase, true); !result) {
      return result;
    }
  }
  return m_tools.state.close_journal(journal);
}

/// Rollback tags that nobody keeps, of the repositories of this deployment; and the image that
/// failed, if it came with it. The engine itself refuses where a container uses one.
Result<void> Deployer::remove_images(const Journal& journal, const Memory& memory) {
  std::set<std::string> kept;
  for (const auto& [name, service] : memory.services) {
    for (const KeptImage& image : service.kept) {
      kept.insert(image.tag);
    }
  }
  const auto host = m_tools.engine.observe();
  if (!host) {
    return std::unexpected(host.error());
  }
  const auto remove = [&](const std::string& image) {
    if (auto removed = m_tools.engine.remove_image(image); !removed) {
      m_tools.log.debug("{} stays: {}", image, removed.error().message);
    }
  };
  for (const auto& [id, image] : host->images) {
    for (const std::string& tag : image.repo_tags) {
      const auto reference = ImageReference::parse(tag);
      const bool ours = reference && reference->tag() &&
                        reference->tag()->starts_with("tallyman-rollback-") &&
                        std::ranges::any_of(journal.plan.images, [&](const ImagePlan& planned) {
                          return planned.reference.repository() == reference->repository();
                        });
      if (ours && !kept.contains(reference->str())) {
        remove(tag);
      }
    }
  }
  for (std::size_t i = 0; i < journal.plan.images.size(); ++i) {
    const ImageProgress& progress = journal.images.at(i);
    if (journal.phase == Phase::rolled_back && journal.judged && !progress.was_here &&
        !progress.image_id.empty()) {
      remove(progress.image_id);
    }
  }
  return {};
}

}  // namespace tallyman
