#include "tallyman/cli/commands.hpp"
#include "tallyman/deploy/compose_target.hpp"
#include "tallyman/tick/service_status.hpp"

namespace tallyman {
namespace {

std::string step_line(const Step& step, int width) {
  const std::string took = humanize(step.took);
  const auto room = static_cast<std::size_t>(std::max(20, width - 24));
  std::string text = printable(step.text);
  if (cut_to(text, room).size() < text.size()) {
    text = fmt::format("{}...", cut_to(text, room - 3));
  }
  return fmt::format("  {:<9} {:<{}} {:>9}", step.name, text, room, took);
}

std::string versions_text(const ServiceStatus& status) {
  std::string text;
  for (const ImageStatus& image : status.images) {
    if (image.version) {
      text += fmt::format(", {} {}", image.reference, printable(*image.version));
    }
  }
  return text;
}

/// "  UPDATED   2/2 verified, down 1.9 s, …"
std::string end_text(const ServiceStatus& status, const Outcome& outcome) {
  const int replicas = outcome.journal ? outcome.journal->replicas : 0;
  std::string text = fmt::format("{}/{} verified", replicas, replicas);
  // Of a rollback nobody measured the whole of it.
  if (outcome.state == ServiceState::updated && outcome.journal && outcome.journal->downtime) {
    text += fmt::format(", down {}", humanize(*outcome.journal->downtime));
  }
  return text + versions_text(status);
}

/// Tells a deployment while it goes on. On a terminal the line at the bottom is alive; elsewhere,
/// as in the journal, there are whole lines only.
class Teller final : public TickObserver {
 public:
  explicit Teller(Terminal& out) : m_out(out) {}

  void deploying(const ServiceLook& service) override {
    m_out.line(fmt::format("{}", service.watch.name));
    for (std::size_t i = 0; i < service.comparisons.size(); ++i) {
      const Comparison& comparison = service.comparisons[i];
      if (!service.decision.images.at(i).deploy) {
        continue;
      }
      m_out.print(labelled("image",
                           fmt::format("{} -> {}", comparison.running.reference.familiar(),
                                       comparison.remote->value().digest.short_hex()),
                           m_out.width()));
    }
  }

  void progress(std::string_view name, std::string_view text) override {
    m_out.passing(fmt::format("  {:<9} {}", name, printable(text)));
  }

  void step(const Step& step) override { m_out.line(step_line(step, m_out.width())); }

  void deployed(const ServiceStatus& status, const Outcome& outcome) override {
    if (outcome.state == ServiceState::updated) {
      m_out.line("  " + m_out.styled("UPDATED", Style::good) + "   " + end_text(status, outcome));
    } else if (outcome.state == ServiceState::rolled_back) {
      m_out.line("  " + m_out.styled("ROLLED BACK", Style::attention) + " " +
                 end_text(status, outcome));
    }
    // What went wrong is told at the end, with the others.
  }

 private:
  Terminal& m_out;
};

void tell_end(const ServiceStatus& service, bool journald, Terminal& out, Log& log) {
  if (service.error && journald) {
    log.error(with_context(*service.error, fmt::format("service {}", service.name)));
  } else if (service.error) {
    out.print(trouble_text(service, out.width()));
  } else if (style_of(service.state) == Style::attention) {
    out.line(fmt::format("{}: {}: {}", service.name, to_string(service.state), service.reason));
  }
}

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
  const auto lock = state.try_lock(clock.now());
  if (!lock) {
    log.error(lock.error());
    return k_exit_failed;
  }
  if (!*lock) {
    const std::string holder = state.lock_holder();
    log.error("another run is at work{}; nothing was changed",
              holder.empty() ? "" : fmt::format(" ({})", holder));
    return k_exit_locked;
  }
  Teller teller(out);
  const TickResult result = tick.run(options, **lock, teller);
  for (const ServiceStatus& service : result.services) {
    tell_end(service, journald, out, log);
  }
  out.line(summary_text(result.services));
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
      out.line(fmt::format("{}: {}, nothing to do{}", service.watch.name,
                           to_string(service.decision.state),
                           service.decision.reason.empty() ? "" : ": " + service.decision.reason));
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
