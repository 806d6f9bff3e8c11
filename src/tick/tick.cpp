#include "tallyman/tick/tick.hpp"

#include <algorithm>
#include <utility>

#include "tallyman/tick/service_status.hpp"

namespace tallyman {
namespace {

/// References that nobody watches any more are forgotten after this.
constexpr std::chrono::days k_seen_for{90};

void forget_old(Memory& memory, const std::optional<Host>& host, Timestamp now) {
  std::erase_if(memory.seen, [&](const auto& entry) { return entry.second.at + k_seen_for < now; });
  if (host) {
    std::erase_if(memory.equivalent,
                  [&](const auto& pair) { return !host->images.contains(pair.second); });
  }
}

bool is_configured(const Config& config, const ServiceName& name) {
  return std::ranges::find(config.watches, name, &Watch::name) != config.watches.end() ||
         std::ranges::find(config.broken, name, &BrokenDropIn::name) != config.broken.end();
}

}  // namespace

Tick::Tick(const Config& config, Registry& registry, Engine& engine, Deployer& deployer,
           const StateDirectory& state, const Clock& clock, const Stop& stop, Log& log)
    : m_config(config),
      m_registry(registry),
      m_engine(engine),
      m_deployer(deployer),
      m_state(state),
      m_clock(clock),
      m_stop(stop),
      m_log(log) {}

TickResult Tick::run(const TickOptions& options, TickObserver& observer) {
  const Timestamp started = m_clock.now();
  const auto started_steady = m_clock.steady();
  const std::string run_id = format_rfc3339(started);

  Result<Memory> loaded = m_state.load_memory();
  Look look = observe_and_decide(options, loaded);
  Memory memory = loaded.value_or(Memory{});

  TickResult result;
  result.services = act(look, run_id, memory, observer);
  forget_old(memory, look.host, m_clock.now());
  if (loaded) {
    if (auto saved = m_state.save_memory(memory); !saved) {
      result.write_error = saved.error();
    }
  }

  result.status = with_others(options, result.services);
  result.status.run_id = run_id;
  result.status.started_at = started;
  result.status.finished_at = m_clock.now();
  result.status.duration =
      std::chrono::duration_cast<std::chrono::milliseconds>(m_clock.steady() - started_steady);
  if (auto saved = save_status(options.status_file, result.status); !saved) {
    result.write_error = with_context(saved.error(), "the status file");
  }
  return result;
}

Look Tick::observe_and_decide(const TickOptions& options, Result<Memory>& memory) {
  if (memory) {
    return look_at(m_config, options.only, m_registry, m_engine, *memory);
  }
  // Without its memory a tick could repeat what it was warned of: nothing is decided.
  Memory nothing;
  Look look = look_at(m_config, options.only, m_registry, m_engine, nothing);
  for (ServiceLook& service : look.services) {
    service.decision = undecided(memory.error(), ReasonCode::state_error);
  }
  return look;
}

/// Deploys what is to be deployed, one service after the other, and reads back.
std::vector<ServiceStatus> Tick::act(Look& look, const std::string& run_id, Memory& memory,
                                     TickObserver& observer) {
  std::map<ServiceName, ServiceStatus> done;
  for (const ServiceLook& service : look.services) {
    if (service.decision.action != Decision::Action::deploy) {
      continue;
    }
    Outcome outcome = deploy_one(service, *look.host, observer);
    outcome.finished_at = m_clock.now();
    const Host* after = nullptr;
    if (auto host = m_engine.observe()) {
      look.host = std::move(*host);
      after = &*look.host;
    } else {
      m_log.error(with_context(host.error(), "reading back what runs"));
    }
    auto status = service_status(service, after, outcome, run_id, m_clock.now(), memory);
    observer.deployed(status, outcome.replicas);
    // At once: what was deployed is known, even if the power goes during the next one.
    if (auto saved = m_state.save_memory(memory); !saved) {
      m_log.error(saved.error());
    }
    done.emplace(service.watch.name, std::move(status));
  }

  std::vector<ServiceStatus> statuses;
  for (const ServiceLook& service : look.services) {
    const auto found = done.find(service.watch.name);
    statuses.push_back(found != done.end()
                           ? std::move(found->second)
                           : service_status(service, look.host ? &*look.host : nullptr,
                                            std::nullopt, run_id, m_clock.now(), memory));
  }
  return statuses;
}

Outcome Tick::deploy_one(const ServiceLook& service, const Host& host, TickObserver& observer) {
  observer.deploying(service);
  Outcome untouched{.state = ServiceState::pending};
  if (m_stop.requested()) {
    untouched.reason_code = ReasonCode::interrupted;
    untouched.error = Error{ErrorKind::cancelled, "told to stop before its deployment began"};
    return untouched;
  }
  const auto plan = make_plan(service.watch, service.comparisons, service.decision, host);
  if (!plan) {
    untouched.reason_code = ReasonCode::preflight_failed;
    untouched.error = plan.error();
    return untouched;
  }
  return m_deployer.deploy(*plan, [&](const Step& step) { observer.step(step); });
}

/// A run of some services replaces their entries and keeps the others, as far as they are still
/// configured.
StatusDocument Tick::with_others(const TickOptions& options,
                                 std::vector<ServiceStatus> services) const {
  StatusDocument status;
  status.version = options.version;
  status.host = options.host_name;
  status.trigger = options.trigger;
  status.services = std::move(services);
  if (!options.only.empty()) {
    auto previous = load_status(options.status_file);
    if (!previous && previous.error().kind != ErrorKind::not_found) {
      m_log.warning("{}; the entries of other services are lost until the next full run",
                    previous.error().message);
    }
    if (previous) {
      for (ServiceStatus& other : previous->services) {
        const bool ours = std::ranges::find(options.only, other.name) != options.only.end();
        if (!ours && is_configured(m_config, other.name)) {
          status.services.push_back(std::move(other));
        }
      }
    }
    std::ranges::sort(status.services, {}, &ServiceStatus::name);
  }
  return status;
}

}  // namespace tallyman
