#include "tallyman/deploy/script_target.hpp"

#include "deploy/children.hpp"
#include "tallyman/deploy/compose_target.hpp"

namespace tallyman {

Result<PreparedProject> ScriptTarget::prepare(const ProjectPlan& plan) {
  const RedeploySettings& redeploy = plan.redeploy;
  Command command{.argv = redeploy.command,
                  .directory = redeploy.directory,
                  .environment = m_environment,
                  .timeout = redeploy.timeout};
  for (const auto& [name, value] : redeploy.environment) {
    command.environment.insert_or_assign(name, value);
  }
  if (auto checked =
          check_program(command.argv.at(0), command.directory,
                        command.environment.contains("PATH") ? command.environment.at("PATH") : "");
      !checked) {
    return std::unexpected(with_context(checked.error(), "the script of [redeploy]"));
  }
  return PreparedProject{.plan = plan, .recreate = std::move(command)};
}

Result<void> ScriptTarget::recreate(const PreparedProject& project, const Lock& lock) {
  Command command = project.recreate;
  command.keep_fd = lock.fd();
  // Without its variables: a password may be among them, and this goes to the log.
  m_log.debug("running {}", shell_line(command, {}));
  const std::string what = fmt::format("script {}", printable(command.argv.at(0)));
  return run_child(m_process, m_log, std::move(command), what);
}

}  // namespace tallyman
