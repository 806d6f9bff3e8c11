#include <fmt/chrono.h>

#include "deploy/deployment_run.hpp"

namespace tallyman {
namespace {

constexpr int k_log_lines = 500;

std::string description_of(const Container& container) {
  std::string text = fmt::format("container {} {}\nimage     {} {}\nstatus    {}\nhealth    {}\n",
                                 container.name, container.id, container.image, container.image_id,
                                 to_string(container.status), to_string(container.health));
  if (container.started) {
    text += fmt::format("started   {}\n", format_rfc3339(*container.started));
  }
  if (container.exit_code) {
    text += fmt::format("exit      {}\n", *container.exit_code);
  }
  text += fmt::format("oom       {}\n", container.oom_killed ? "killed for lack of memory" : "no");
  text += fmt::format("restarts  {}\n", container.restarts.value_or(0));
  if (!container.start_error.empty()) {
    text += fmt::format("error     {}\n", container.start_error);
  }
  if (!container.health_output.empty()) {
    text += fmt::format("\n--- output of the last health check\n{}\n", container.health_output);
  }
  return text;
}

}  // namespace

/// What only the failed containers know, before they are removed. Whatever cannot be had is left
/// out: the way back must not wait for it.
void DeploymentRun::keep_evidence() {
  const auto host = m_tools.engine.observe();
  if (!host) {
    m_tools.log.warning("no evidence could be kept: {}", host.error().message);
    return;
  }
  for (const ProjectPlan& project : m_journal.plan.projects) {
    for (const ServicePlan* service : project.all()) {
      for (const Container& listed : host->containers) {
        if (!project.has(*service, listed) || is_old(listed.id)) {
          continue;
        }
        std::string text =
            description_of(m_tools.engine.inspect_container(listed.id).value_or(listed));
        const auto logs = m_tools.engine.logs(listed.id, k_log_lines);
        text += logs ? fmt::format("\n--- the last {} lines of its log\n{}", k_log_lines, *logs)
                     : fmt::format("\n--- no log: {}\n", logs.error().message);
        if (auto saved = m_tools.state.save_evidence(m_journal.id, listed.name, text); !saved) {
          m_tools.log.warning("no evidence could be kept: {}", saved.error().message);
          return;
        }
        m_journal.has_evidence = true;
      }
    }
  }
}

}  // namespace tallyman
