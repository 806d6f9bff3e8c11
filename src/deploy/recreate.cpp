#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "deploy/deployment_run.hpp"

namespace tallyman {
namespace {

std::string names_of(const std::vector<const ServicePlan*>& services) {
  std::vector<std::string> names;
  for (const ServicePlan* service : services) {
    for (const PlannedContainer& container : service->containers) {
      names.push_back(container.name);
    }
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

/// Why a container never ran: exit status 126 and 127 say that the engine did not find or could not
/// execute the image's program (docker run, "Exit status"); other reasons, a port that is taken,
/// are not the image's.
bool image_is_to_blame(const Container& container) {
  return container.status == ContainerStatus::created && container.exit_code &&
         (*container.exit_code == 126 || *container.exit_code == 127);
}

/// "web:service_started:true,db:service_healthy:false" (docker/compose pkg/api/labels.go,
/// DependenciesLabel: service, condition, restart).
bool wants_restart_with(std::string_view depends_on, std::string_view service) {
  while (!depends_on.empty()) {
    const std::size_t comma = std::min(depends_on.find(','), depends_on.size());
    const std::string_view one = depends_on.substr(0, comma);
    if (one.substr(0, one.find(':')) == service && one.ends_with(":true")) {
      return true;
    }
    depends_on.remove_prefix(std::min(comma + 1, depends_on.size()));
  }
  return false;
}

}  // namespace

/// Compose takes what the tag means on this host at that moment.
Result<void> DeploymentRun::check_tags() {
  for (std::size_t i = 0; i < m_journal.plan.images.size(); ++i) {
    const ImagePlan& image = m_journal.plan.images[i];
    const auto detail = m_tools.engine.inspect_image(image.reference.str());
    if (!detail) {
      return std::unexpected(detail.error());
    }
    if (detail->image.id != m_journal.images.at(i).image_id) {
      return fail(ErrorKind::transient,
                  "somebody moved the local tag {} away from {} while it was being deployed",
                  image.reference.familiar(), image.digest.short_hex());
    }
  }
  return {};
}

DeploymentRun::Acted DeploymentRun::recreate() {
  m_recreated_at = m_tools.clock.now();
  for (std::size_t i = 0; i < m_journal.plan.projects.size(); ++i) {
    const ProjectPlan& project = m_journal.plan.projects[i];
    const std::string script = script_of(i);
    const std::string names = script.empty() ? names_of(project.all()) : script;
    const auto start = m_tools.clock.steady();
    m_observer.progress("recreate", names);
    if (auto checked = check_tags(); !checked) {
      return std::unexpected(Trouble{ReasonCode::recreate_failed, checked.error()});
    }
    if (auto recreated = call_target(i, false); !recreated) {
      Trouble trouble{ReasonCode::recreate_failed, recreated.error()};
      const auto host = m_tools.engine.observe();
      for (const ServicePlan& service : project.services) {
        for (const Container& one : host ? host->containers : std::vector<Container>{}) {
          if (!project.has(service, one) || is_old(one.id)) {
            continue;
          }
          const auto container = m_tools.engine.inspect_container(one.id);
          if (container && image_is_to_blame(*container)) {
            trouble.judged = true;
            trouble.suspects.push_back(service.reference.str());
            trouble.error.message = fmt::format("{} could not be started: {}", container->name,
                                                printable(container->start_error));
          }
        }
      }
      keep_evidence();
      return std::unexpected(std::move(trouble));
    }
    tell("recreate", names, start);
  }
  return {};
}

DeploymentRun::Acted DeploymentRun::verify() {
  const auto host = m_tools.engine.observe();
  if (!host) {
    return std::unexpected(
        Trouble{ReasonCode::engine_error, with_context(host.error(), "reading back what runs")});
  }
  const WantedImage wanted = [&](const std::string& /*project*/, const ImageReference& reference) {
    const auto& images = m_journal.plan.images;
    const auto image = std::ranges::find(images, reference, &ImagePlan::reference);
    return image != images.end()
               ? m_journal.images.at(static_cast<std::size_t>(image - images.begin())).image_id
               : std::string();
  };
  const auto containers = read_back(m_journal.plan, wanted, *host);
  if (!containers) {
    keep_evidence();
    const bool was_cut = m_journal.recoveries > 0;
    Error error{ErrorKind::process, (was_cut ? "tallyman was killed while it deployed, and " : "") +
                                        containers.error().message};
    std::vector<std::string> ids;
    std::ranges::transform(m_journal.images, std::back_inserter(ids), &ImageProgress::image_id);
    blame_script(ids, error);
    return std::unexpected(
        Trouble{was_cut ? ReasonCode::killed : containers.error().code, std::move(error)});
  }
  measure_downtime(*containers);
  if (auto passed = pass_gate(*containers); !passed) {
    keep_evidence();
    return passed;
  }
  m_journal.replicas = 0;
  for (const ProjectPlan& project : m_journal.plan.projects) {
    for (const ServicePlan& service : project.services) {
      m_journal.replicas += service.replicas();
    }
  }
  remove_leftovers(*containers, *host);
  restart_dependants(*host);
  return {};
}

DeploymentRun::Acted DeploymentRun::pass_gate(const std::vector<Container>& containers) {
  std::vector<GateSubject> subjects;
  for (const Container& container : containers) {
    subjects.push_back({container.id, container.name, !is_old(container.id)});
  }
  for (const DeploymentPart& part : m_journal.plan.parts) {
    OutputFile output = output_file("health");
    auto passed = m_tools.gate.wait(subjects, part.health, *this,
                                    [&](std::string_view bytes) { output.write(bytes); });
    finish_output(output);
    if (!passed) {
      return std::unexpected(failed_gate(std::move(passed.error()), part));
    }
  }
  return {};
}

/// A probe speaks for all images of its drop-in, a container for its own.
Trouble DeploymentRun::failed_gate(GateFailure failure, const DeploymentPart& part) const {
  // What happened between two runs, a reboot for instance, is not the image's fault; nor is a probe
  // that failed before, too.
  const bool probe_failed_before = m_journal.was_unhealthy && failure.container.empty();
  const bool judged = failure.judged && m_journal.recoveries == 0 && !probe_failed_before;
  Trouble trouble{failure.judged ? ReasonCode::unhealthy : ReasonCode::engine_error,
                  std::move(failure.error), judged};
  if (!failure.container.empty()) {
    if (const auto container = m_tools.engine.inspect_container(failure.container)) {
      for (const ProjectPlan& project : m_journal.plan.projects) {
        for (const ServicePlan& service : project.services) {
          if (project.has(service, *container)) {
            trouble.suspects.push_back(service.reference.str());
          }
        }
      }
    }
  }
  if (trouble.suspects.empty()) {
    for (const ImageReference& reference : part.references) {
      trouble.suspects.push_back(reference.str());
    }
  }
  return trouble;
}

void DeploymentRun::measure_downtime(const std::vector<Container>& containers) {
  if (m_recreated_at == Timestamp{}) {
    return;  // a recovery: nobody measured
  }
  for (const ProjectPlan& project : m_journal.plan.projects) {
    const auto events = m_tools.engine.events(project.by_script ? "" : project.compose.project,
                                              m_recreated_at - std::chrono::seconds(1),
                                              m_tools.clock.now() + std::chrono::seconds(1));
    if (!events) {
      m_tools.log.debug("the downtime is not known: {}", events.error().message);
      continue;
    }
    if (const auto downtime = downtime_of(project, containers, *events)) {
      m_journal.downtime =
          std::max(m_journal.downtime.value_or(std::chrono::milliseconds{}), *downtime);
    }
  }
}

/// What a script leaves is its own business.
bool DeploymentRun::is_of_script(const Container& container) const {
  return std::ranges::any_of(m_journal.plan.projects, [&](const ProjectPlan& project) {
    return project.by_script &&
           std::ranges::any_of(project.services, [&](const ServicePlan& service) {
             return project.has(service, container);
           });
  });
}

/// Compose v1 renames an old container, and removes it when the new one was started; one that was
/// cut in between leaves it behind. Until the gate has passed it is the way back.
void DeploymentRun::remove_leftovers(const std::vector<Container>& verified, const Host& host) {
  for (const Container& container : host.containers) {
    const bool is_replaced = std::ranges::any_of(verified, [&](const Container& one) {
      return one.id != container.id && container_number(one) == container_number(container) &&
             one.label(k_label_project) == container.label(k_label_project) &&
             one.label(k_label_service) == container.label(k_label_service);
    });
    if (!is_old(container.id) || container.alive() || !is_replaced || is_of_script(container)) {
      continue;
    }
    if (auto removed = m_tools.engine.remove_container(container.id); !removed) {
      m_tools.log.error(
          with_context(removed.error(), fmt::format("{} was replaced", container.name)));
    }
  }
}

/// --no-deps leaves them alone, also those that compose itself would restart
/// (depends_on: {web: {restart: true}}).
void DeploymentRun::restart_dependants(const Host& host) {
  for (const ProjectPlan& project : m_journal.plan.projects) {
    for (const Container& container : host.containers) {
      const std::string_view depends_on = container.label(k_label_depends_on);
      const auto is_its_own = [&](const ServicePlan* service) {
        return is_of_service(container, project.compose.project, service->name);
      };
      const bool wanted = std::ranges::any_of(project.services, [&](const ServicePlan& service) {
        return wants_restart_with(depends_on, service.name);
      });
      if (!container.alive() || !wanted || !is_compose_service(container) || project.by_script ||
          container.label(k_label_project) != project.compose.project ||
          std::ranges::any_of(project.all(), is_its_own)) {
        continue;
      }
      const auto start = m_tools.clock.steady();
      if (auto restarted = m_tools.engine.restart_container(container.id); restarted) {
        tell("restart", container.name, start);
      } else {
        m_tools.log.error(with_context(
            restarted.error(), fmt::format("{} depends on what was deployed", container.name)));
      }
    }
  }
}

}  // namespace tallyman
