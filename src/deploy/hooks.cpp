#include "tallyman/deploy/hooks.hpp"

#include "deploy/children.hpp"

namespace tallyman {

Result<void> Hooks::check(const ServiceName& service, const HookSettings& settings) const {
  if (settings.before.empty()) {
    return {};
  }
  const auto path = m_environment.find("PATH");
  auto checked = check_program(settings.before.front(), settings.directory,
                               path != m_environment.end() ? path->second : "");
  return checked ? checked
                 : std::unexpected(
                       with_context(checked.error(), fmt::format("hook before of {}", service)));
}

Result<void> Hooks::run(const HookCall& call, const Lock& lock) {
  Command command{.argv = call.argv,
                  .directory = call.settings.directory,
                  .environment = m_environment,
                  .timeout = call.settings.timeout,
                  .keep_fd = lock.fd(),
                  .on_output = call.on_output};
  command.environment.insert(call.variables.begin(), call.variables.end());
  return run_child(m_process, m_log, std::move(command), call.what);
}

}  // namespace tallyman
