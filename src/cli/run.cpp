#include "cli/lock.hpp"
#include "cli/teller.hpp"
#include "tallyman/cli/commands.hpp"
#include "tallyman/deploy/compose_target.hpp"
#include "tallyman/tick/drift.hpp"
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

/// Text behind a label, in one piece.
void print_drift(std::string_view message, std::string_view then, Terminal& out) {
  out.line(fmt::format("  also  {} ({})", message, then));
}

void print_preview(const std::vector<PreparedProject>& projects, const ServiceLook& service,
                   const std::optional<Drift>& drift, Terminal& out) {
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
  if (drift) {
    print_drift(drift->message, "applied along with it", out);
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
                    const Clock& clock, Terminal& out) {
  const Timestamp now = clock.now();
  Look look = look_at(config, services, registry, engine, memory, {});
  static_cast<void>(look_for_drift(look, deployer, now, memory));
  int status = k_exit_ok;
  for (const ServiceLook& service : look.services) {
    std::optional<Error> error = service.decision.error;
    if (service.decision.action == Decision::Action::deploy) {
      const auto prepared = prepare(service, *look.host, deployer);
      if (prepared) {
        const Drifts drifts = drift_of_prepared(*prepared, *look.host, now, memory);
        const auto drift = drifts.find(service.watch.name);
        if (drift == drifts.end()) {
          print_preview(*prepared, service, std::nullopt, out);
        } else if (service.watch.compose.on_drift == OnDrift::apply) {
          print_preview(*prepared, service, drift->second, out);
        } else {
          const Error refusal = drift_error(drift->second.message, service.watch.name);
          out.line(fmt::format("{}: would not deploy: {}; {}", service.watch.name, refusal.message,
                               refusal.remedy));
        }
      } else {
        error = prepared.error();
      }
    } else if (!error) {
      out.print(hanging(
          fmt::format("{}: {}, nothing to do{}", service.watch.name,
                      to_string(service.decision.state),
                      service.decision.reason.empty() ? "" : ": " + service.decision.reason),
          out.width()));
      if (service.drift) {
        print_drift(service.drift->message,
                    service.watch.compose.on_drift == OnDrift::refuse
                        ? "no run applies it"
                        : "applied with the next deployment",
                    out);
      }
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
