#include <unistd.h>

#include <algorithm>

#include "deploy/deployment_run.hpp"
#include "deploy/variables.hpp"

namespace tallyman {

/// The first free "NAME-1.log", "NAME-2.log" … of the deployment's folder: a recovery must not
/// write over what was there before.
OutputFile DeploymentRun::output_file(std::string_view name) const {
  const std::string folder = m_tools.state.deployment_folder(m_journal.id);
  int number = 1;
  const auto path = [&] { return fmt::format("{}/{}-{}.log", folder, name, number); };
  while (::access(path().c_str(), F_OK) == 0) {
    ++number;
  }
  return OutputFile(path());
}

void DeploymentRun::finish_output(OutputFile& output) const {
  if (auto finished = output.finish(); !finished) {
    // Nothing depends on it.
    m_tools.log.warning("the output of a program is not complete: {}", finished.error().message);
  }
}

/// Calls what recreates a project, on the way forward or back.
Result<void> DeploymentRun::call_target(std::size_t index, bool back) {
  const SavedCommand& saved = m_journal.commands.at(index);
  PreparedProject project{.plan = m_journal.plan.projects.at(index),
                          .recreate = {.argv = saved.argv,
                                       .directory = saved.directory,
                                       .environment = saved.environment,
                                       .timeout = saved.timeout}};
  if (project.plan.by_script) {
    for (const DeploymentPart& part : m_journal.plan.parts) {
      if (part.service == project.plan.compose.project) {
        project.recreate.environment.merge(variables_of(m_journal, part, back));
      }
    }
  }
  OutputFile output = output_file(back ? "restore" : "recreate");
  project.recreate.on_output = [&](std::string_view bytes) { output.write(bytes); };
  auto recreated = m_tools.target.recreate(project, m_lock);
  finish_output(output);
  return recreated;
}

/// A local tag that means another image after the script than before it: that is why something else
/// runs. `wanted`: image ids, in the order of the plan's images.
void DeploymentRun::blame_script(const std::vector<std::string>& wanted, Error& error) const {
  const bool by_script = std::ranges::any_of(m_journal.plan.projects, &ProjectPlan::by_script);
  for (std::size_t i = 0; by_script && i < m_journal.plan.images.size(); ++i) {
    const ImageReference& reference = m_journal.plan.images[i].reference;
    const auto now = m_tools.engine.inspect_image(reference.familiar());
    if (now && now->image.id != wanted.at(i)) {
      error.message += fmt::format(
          "; the script moved the local tag {} to another image: it pulls or builds by "
          "itself, which defeats a rollback",
          reference.familiar());
      error.remedy =
          "let the script start $TALLYMAN_IMAGE as it is on this host, without docker pull "
          "(compose "
          "up --pull never)";
    }
  }
}

/// "script ./start.sh": the program alone, its arguments may hold a password. Empty: compose.
std::string DeploymentRun::script_of(std::size_t index) const {
  const bool by_script = m_journal.plan.projects.at(index).by_script;
  return by_script ? fmt::format("script {}", m_journal.commands.at(index).argv.front()) : "";
}

}  // namespace tallyman
