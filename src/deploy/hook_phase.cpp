#include <algorithm>
#include <utility>

#include "deploy/deployment_run.hpp"
#include "deploy/variables.hpp"

namespace tallyman {
/// The program alone is shown: its arguments are long, and may hold a password.
Result<void> DeploymentRun::call_hook(const DeploymentPart& part, std::string_view name,
                                      const std::vector<std::string>& argv) {
  HookCall call{.what = fmt::format("hook {} of {}", name, part.service),
                .argv = argv,
                .settings = part.hooks,
                .variables = variables_of(m_journal, part),
                .on_output = {}};
  if (has_ended(m_journal.phase)) {
    call.variables.emplace("TALLYMAN_OUTCOME", to_string(state_after(m_journal.phase)));
  }
  m_observer.progress("hook", fmt::format("{}: {}", name, argv.front()));
  OutputFile output = output_file(name);
  call.on_output = [&](std::string_view bytes) { output.write(bytes); };
  auto done = m_tools.hooks.run(call, m_lock);
  finish_output(output);
  if (!done && output.used()) {
    done.error().remedy = fmt::format("its output is in {}", output.path());
  }
  return done;
}

/// In the order of the drop-ins; the first that fails keeps the others from running.
DeploymentRun::Acted DeploymentRun::before_hooks() {
  for (const DeploymentPart& part : m_journal.plan.parts) {
    if (part.hooks.before.empty()) {
      continue;
    }
    if (m_tools.stop.requested()) {
      return std::unexpected(
          Trouble{ReasonCode::interrupted,
                  {ErrorKind::cancelled, "told to stop before a container was touched"}});
    }
    const auto start = m_tools.clock.steady();
    if (auto done = call_hook(part, "before", part.hooks.before); !done) {
      return std::unexpected(Trouble{ReasonCode::hook_failed, done.error()});
    }
    tell("hook", fmt::format("before: {}", part.hooks.before.front()), start);
  }
  return {};
}

/// What they do is done at most once, so that they are called is on disk before: a crash while they
/// run does not run them again. Where that cannot be written they run all the same.
void DeploymentRun::end_hooks() {
  const bool updated = m_journal.phase == Phase::committed;
  const auto argv_of = [&](const DeploymentPart& part) -> const std::vector<std::string>& {
    return updated ? part.hooks.after : part.hooks.on_failure;
  };
  const bool none = std::ranges::all_of(
      m_journal.plan.parts, [&](const DeploymentPart& part) { return argv_of(part).empty(); });
  if (none || m_journal.phase == Phase::abandoned || m_journal.hooks_called) {
    return;
  }
  m_journal.hooks_called = true;
  if (auto saved = m_tools.state.save_journal(m_journal); !saved) {
    m_tools.log.error(with_context(saved.error(), "the journal of the deployment"));
  }
  const std::string_view name = updated ? "after" : "on_failure";
  for (const DeploymentPart& part : m_journal.plan.parts) {
    if (argv_of(part).empty()) {
      continue;
    }
    const auto start = m_tools.clock.steady();
    const auto done = call_hook(part, name, argv_of(part));
    if (!done) {
      m_tools.log.warning("deployment {}: {}", m_journal.id, done.error().message);
    }
    tell("hook",
         done ? fmt::format("{}: {}", name, argv_of(part).front())
              : fmt::format("{} failed: {}", name, done.error().message),
         start);
  }
}

}  // namespace tallyman
