#include "cli/lock.hpp"
#include "cli/teller.hpp"
#include "tallyman/cli/commands.hpp"
#include "tallyman/deploy/compose_target.hpp"
#include "tallyman/tick/service_status.hpp"

namespace tallyman {
namespace {

void print_hook(std::string_view name, const std::vector<std::string>& argv,
                const HookSettings& hooks, Terminal& out) {
  if (!argv.empty()) {
    const Command command{.argv = argv, .directory = hooks.directory};
    out.line(fmt::format("  {}  {}", name, shell_line(command, {})));
  }
}

void print_preview(const std::vector<PreparedProject>& projects, const ServiceLook& service,
                   Terminal& out) {
  out.line(fmt::format("{}: would deploy", service.watch.name));
  for (std::size_t i = 0; i < service.comparisons.size(); ++i) {
    if (service.decision.images.at(i).deploy) {
      const RemoteImage& remote = service.comparisons[i].remote->value();
      out.line("  pull " + remote.reference.at(remote.digest).familiar());
      out.line("  tag  " + remote.reference.familiar());
    }
  }
  const HookSettings& hooks = service.watch.hooks;
  print_hook("hook before", hooks.before, hooks, out);
  for (const PreparedProject& project : projects) {
    // In one piece, however long it is: it is there to be copied.
    out.line("  run  " + shell_line(project.recreate, project.plan.shown_environment()));
  }
  print_hook("hook after", hooks.after, hooks, out);
  print_hook("hook on_failure", hooks.on_failure, hooks, out);
}

}  // namespace

int run_command(Tick& tick, const TickOptions& options, const StateDirectory& state,
                const Clock& clock, bool journald, Terminal& out, Log& log) {
  const auto lock = take_lock(state, clock, log);
  if (!lock) {
    return lock.error();
  }
  Teller teller(out);
  const TickResult result = tick.run(options, *lock, teller);
  for (const ServiceStatus& service : result.services) {
    tell_end(service, journald, out, log);
  }
  out.print(hanging(summary_text(result.services), out.width()));
  if (result.write_error) {
    log.error(*result.write_error);
    return k_exit_failed;
  }
  return exit_status_of(result.services);
}

int dry_run_command(const Config& config, const std::vector<ServiceName>& services,
                    Registry& registry, Engine& engine, Deployer& deployer, Memory memory,
                    Terminal& out) {
  const Look look = look_at(config, services, registry, engine, memory, {});
  int status = k_exit_ok;
  for (const ServiceLook& service : look.services) {
    std::optional<Error> error = service.decision.error;
    if (service.decision.action == Decision::Action::deploy) {
      const auto prepared = prepare(service, *look.host, deployer);
      if (prepared) {
        print_preview(*prepared, service, out);
      } else {
        error = prepared.error();
      }
    } else if (!error) {
      out.print(hanging(
          fmt::format("{}: {}, nothing to do{}", service.watch.name,
                      to_string(service.decision.state),
                      service.decision.reason.empty() ? "" : ": " + service.decision.reason),
          out.width()));
    }
    if (error) {
      status = k_exit_failed;
      out.line(fmt::format("{}: would not deploy", service.watch.name));
      out.print(labelled("error", error->message, out.width()));
      if (!error->remedy.empty()) {
        out.print(labelled("fix", error->remedy, out.width()));
      }
    }
  }
  return status;
}

}  // namespace tallyman
