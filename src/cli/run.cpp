#include "tallyman/cli/commands.hpp"
#include "tallyman/deploy/compose_target.hpp"
#include "tallyman/tick/service_status.hpp"

namespace tallyman {
namespace {

std::string step_line(const Step& step, int width) {
  const std::string took = humanize(step.took);
  const auto room = static_cast<std::size_t>(std::max(20, width - 24));
  std::string text = step.text;
  if (text.size() > room) {
    text = text.substr(0, room - 3) + "...";
  }
  return fmt::format("  {:<9} {:<{}} {:>9}", step.name, text, room, took);
}

std::string replicas_text(const ServiceStatus& status, int replicas) {
  std::string text = fmt::format("{}/{} verified", replicas, status.containers.size());
  for (const ImageStatus& image : status.images) {
    if (image.version) {
      text += fmt::format(", {} {}", image.reference, printable(*image.version));
    }
  }
  return text;
}

/// Tells a deployment while it goes on.
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

  void step(const Step& step) override { m_out.line(step_line(step, m_out.width())); }

  void deployed(const ServiceStatus& status, int replicas) override {
    if (status.error) {
      return;  // told at the end, with the others
    }
    m_out.line("  " + m_out.styled("UPDATED", Style::good) + "   " +
               replicas_text(status, replicas));
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

void print_plan(const std::vector<PreparedProject>& projects, const ServiceLook& service,
                Terminal& out) {
  out.line(fmt::format("{}: would deploy", service.watch.name));
  for (std::size_t i = 0; i < service.comparisons.size(); ++i) {
    if (service.decision.images.at(i).deploy) {
      const RemoteImage& remote = service.comparisons[i].remote->value();
      out.line("  pull " + remote.reference.at(remote.digest).familiar());
      out.line("  tag  " + remote.reference.familiar());
    }
  }
  for (const PreparedProject& project : projects) {
    // In one piece, however long it is: it is there to be copied.
    out.line("  run  " + shell_line(project.recreate, project.plan.compose.environment));
  }
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
  const TickResult result = tick.run(options, teller);
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
  const Look look = look_at(config, services, registry, engine, memory);
  int status = k_exit_ok;
  for (const ServiceLook& service : look.services) {
    std::optional<Error> error = service.decision.error;
    if (service.decision.action == Decision::Action::deploy) {
      const auto prepared = prepare(service, *look.host, deployer);
      if (prepared) {
        print_plan(*prepared, service, out);
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
