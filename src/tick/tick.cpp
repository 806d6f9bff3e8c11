#include "tallyman/tick/tick.hpp"

#include <algorithm>
#include <utility>

#include "tallyman/tick/deployment_order.hpp"
#include "tallyman/tick/drift.hpp"
#include "tallyman/tick/remember.hpp"
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

/// What was to be deployed.
std::optional<Digest> offered_digest(const ServiceLook& service) {
  for (std::size_t i = 0; i < service.comparisons.size(); ++i) {
    if (service.decision.images.at(i).deploy) {
      return service.comparisons[i].remote->value().digest;
    }
  }
  return std::nullopt;
}

void leave_for_later(ServiceLook& service, const std::string& why) {
  service.decision.action = Decision::Action::none;
  service.decision.state = ServiceState::pending;
  service.decision.reason_code = ReasonCode::predecessor;
  service.decision.reason = why;
}

/// A registry was not asked to the end, because somebody wants this to end.
bool was_stopped(const Look& look) {
  const auto is_cancelled = [](const Comparison& comparison) {
    const bool not_asked = comparison.remote && !comparison.remote->has_value() &&
                           comparison.remote->error().kind == ErrorKind::cancelled;
    return not_asked ||
           (comparison.platform_error && comparison.platform_error->kind == ErrorKind::cancelled);
  };
  return std::ranges::any_of(look.services, [&](const ServiceLook& service) {
    return std::ranges::any_of(service.comparisons, is_cancelled);
  });
}

bool is_configured(const Config& config, const ServiceName& name) {
  return std::ranges::find(config.watches, name, &Watch::name) != config.watches.end() ||
         std::ranges::find(config.broken, name, &BrokenDropIn::name) != config.broken.end();
}

}  // namespace

Tick::Tick(const Config& config, Registry& registry, Engine& engine, Deployer& deployer,
           const StateDirectory& state, const Clock& clock, Log& log)
    : m_config(config),
      m_registry(registry),
      m_engine(engine),
      m_deployer(deployer),
      m_state(state),
      m_clock(clock),
      m_log(log) {}

TickResult Tick::run(const TickOptions& given, const Lock& lock, TickObserver& observer) {
  TickOptions options = given;
  const Timestamp started = m_clock.now();
  const auto started_steady = m_clock.steady();
  m_write_error.reset();
  m_open.clear();

  Result<Memory> loaded = m_state.load_memory();
  auto recovered = recover(lock, loaded, observer);
  const Error* blocked = recovered ? nullptr : &recovered.error();
  Memory memory = loaded.value_or(Memory{});
  if (options.order) {
    options.only = transaction_of_order(*options.order);
  }
  Look look = observe_and_decide(options, blocked, memory);

  if (blocked == nullptr) {
    tell_drift(look, memory);
  }

  TickResult result;
  std::optional<Ordered> ordered;
  if (options.order) {
    ordered = follow_order(*options.order, blocked, look, memory, result);
  }
  result.services =
      act(look, options, ordered ? &*ordered : nullptr,
          recovered ? std::move(*recovered) : Outcomes{}, lock, memory, observer, result.outcome);
  tidy_holds(memory);
  forget_old(memory, look.host, m_clock.now());
  if (loaded) {
    if (auto saved = m_state.save_memory(memory); !saved) {
      m_write_error = saved.error();
    }
  }

  result.status = with_others(options, result.services);
  result.status.registries = registry_statuses(memory, m_clock.now());
  result.status.run_id = format_rfc3339(started);
  result.status.started_at = started;
  result.status.finished_at = m_clock.now();
  result.status.duration =
      std::chrono::duration_cast<std::chrono::milliseconds>(m_clock.steady() - started_steady);
  if (auto saved = save_status(options.status_file, result.status); !saved) {
    m_write_error = with_context(saved.error(), "the status file");
  }
  result.write_error = m_write_error;
  return result;
}

/// What a crash left half done is put in order, whatever else is wrong.
Result<Tick::Outcomes> Tick::recover(const Lock& lock, Result<Memory>& memory,
                                     TickObserver& observer) {
  const auto outcomes = m_deployer.recover(lock, observer);
  if (!outcomes) {
    return std::unexpected(outcomes.error());
  }
  if (!memory) {
    // The journals stay open: they tell it to a memory that can be read.
    return std::unexpected(memory.error());
  }
  Outcomes by_service;
  for (const Outcome& outcome : *outcomes) {
    const bool closed = learn(outcome, *memory);
    for (const DeploymentPart& part : outcome.journal->plan.parts) {
      by_service.insert_or_assign(part.service, outcome);
      if (!closed) {
        m_open.insert(part.service);
      }
    }
  }
  return by_service;
}

Look Tick::observe_and_decide(const TickOptions& options, const Error* blocked, Memory& memory) {
  const Moment moment{.now = m_clock.now(), .patient = options.trigger == "timer", .counts = true};
  if (blocked == nullptr) {
    return look_at(m_config, options.only, m_registry, m_engine, memory, moment);
  }
  // Without its memory a tick could repeat what it was warned of: nothing is decided.
  Memory nothing;
  Look look = look_at(m_config, options.only, m_registry, m_engine, nothing, moment);
  for (ServiceLook& service : look.services) {
    service.decision = undecided(*blocked, ReasonCode::state_error);
  }
  return look;
}

/// Memory first and at once, then the journal: what was deployed is known, even if the power goes
/// during the next one.
bool Tick::learn(const Outcome& outcome, Memory& memory) {
  const Journal& journal = *outcome.journal;
  if (!has_ended(journal.phase)) {
    return false;
  }
  remember_deployment(outcome, memory);
  auto closed = m_state.save_memory(memory);
  if (closed && outcome.state == ServiceState::updated && journal.plan.trigger.hold) {
    // Before the journal is closed, or a crash in between would let the next run undo it.
    closed = put_hold(journal.plan.trigger, journal.started_at, memory);
  }
  if (closed) {
    closed = m_deployer.close(journal, memory);
  }
  if (!closed) {
    m_write_error = closed.error();
    m_log.error(with_context(closed.error(), fmt::format("deployment {} stays open", journal.id)));
  }
  return closed.has_value();
}

/// Deploys what is to be deployed, one transaction after the other, and reads back.
std::vector<ServiceStatus> Tick::act(Look& look, const TickOptions& options, Ordered* ordered,
                                     const Outcomes& recovered, const Lock& lock, Memory& memory,
                                     TickObserver& observer, std::optional<Outcome>& ended) {
  std::map<ServiceName, Standing> standings;
  for (const ServiceLook& service : look.services) {
    standings[service.watch.name] = {service.decision.state, service.decision.reason_code};
  }
  std::vector<ServiceLook*> due;
  std::vector<DeploymentRequest> requests;
  for (ServiceLook& service : ordered != nullptr ? ordered->services : look.services) {
    // An open deployment must come to its end before the next one of its services begins.
    if (service.decision.action == Decision::Action::deploy &&
        !m_open.contains(service.watch.name)) {
      due.push_back(&service);
      requests.push_back({service.watch, service.comparisons, service.decision});
    }
  }
  std::map<ServiceName, ServiceStatus> done;
  DeploymentOrder order(requests, group_by_reference(requests));
  while (!order.empty()) {
    const DeploymentOrder::Next next = order.take(standings);
    std::vector<const ServiceLook*> group;
    for (const std::size_t index : next.group) {
      group.push_back(due.at(index));
    }
    if (ordered == nullptr && !next.obstacle.empty()) {
      for (const std::size_t index : next.group) {
        leave_for_later(*due.at(index), next.obstacle);
        standings[due.at(index)->watch.name] = {ServiceState::pending, ReasonCode::predecessor};
      }
      continue;
    }
    if (ordered == nullptr && is_held_now(group, look, memory)) {
      continue;
    }
    const Outcome outcome =
        deploy_group(group, options, ordered, *look.host, lock, memory, observer);
    const bool read_back = look_again(look, options, ordered != nullptr, memory);
    if (ordered != nullptr) {
      ended = outcome;
    }
    std::optional<Selector> after;
    if (read_back && look.host) {
      settle_drift(group, *look.host, m_clock.now(), memory);
      after.emplace(*look.host);
    }
    for (const ServiceLook* service : group) {
      // What the registry offers, not what a person wanted.
      const auto seen = std::ranges::find_if(look.services, [&](const ServiceLook& one) {
        return one.watch.name == service->watch.name;
      });
      auto status =
          service_status(*seen, after ? &*after : nullptr, &outcome, m_clock.now(), memory);
      observer.deployed(status, outcome);
      standings[status.name] = {status.state, status.reason_code};
      done.emplace(service->watch.name, std::move(status));
    }
  }
  return statuses_of(look, std::move(done), recovered, memory, observer);
}

/// Reads back what runs; false if the engine does not tell. After an order what the registry offers
/// has to be compared with what runs now, which it may never have offered: that was not looked into
/// before. A stop does not leave the time for that: then what it offered before has to do.
bool Tick::look_again(Look& look, const TickOptions& options, bool ordered, Memory& memory) {
  if (ordered) {
    Memory looked = memory;
    Look again =
        look_at(m_config, options.only, m_registry, m_engine, looked, {.now = m_clock.now()});
    if (!was_stopped(again)) {
      look = std::move(again);
      memory = std::move(looked);
      return true;
    }
  }
  auto host = m_engine.observe();
  if (!host) {
    m_log.error(with_context(host.error(), "reading back what runs"));
    return false;
  }
  look.host = std::move(*host);
  return true;
}

/// Those that were deployed, and what there is to say of the others.
std::vector<ServiceStatus> Tick::statuses_of(const Look& look,
                                             std::map<ServiceName, ServiceStatus> done,
                                             const Outcomes& recovered, Memory& memory,
                                             TickObserver& observer) {
  std::optional<Selector> running;
  if (look.host) {
    running.emplace(*look.host);
  }
  std::vector<ServiceStatus> statuses;
  for (const ServiceLook& service : look.services) {
    if (const auto found = done.find(service.watch.name); found != done.end()) {
      statuses.push_back(std::move(found->second));
      continue;
    }
    const auto found = recovered.find(service.watch.name);
    // One that was abandoned touched nothing: there is nothing to tell but what is.
    const bool matters = found != recovered.end() && found->second.state != ServiceState::pending;
    statuses.push_back(service_status(service, running ? &*running : nullptr,
                                      matters ? &found->second : nullptr, m_clock.now(), memory));
    if (matters) {
      observer.deployed(statuses.back(), found->second);
    }
  }
  return statuses;
}

Outcome Tick::deploy_group(const std::vector<const ServiceLook*>& group, const TickOptions& options,
                           const Ordered* ordered, const Host& host, const Lock& lock,
                           Memory& memory, TickObserver& observer) {
  std::vector<DeploymentRequest> requests;
  for (const ServiceLook* service : group) {
    observer.deploying(*service);
    requests.push_back({service->watch, service->comparisons, service->decision});
  }
  auto plan = make_plan(requests, host);
  if (plan) {
    plan->trigger = {.name = options.trigger};
  }
  if (plan && ordered != nullptr) {
    as_ordered(*ordered, *plan);
  }
  const auto objection = [&](const std::vector<PreparedProject>& prepared) {
    return object_to_drift(*plan, prepared, host, memory);
  };
  Outcome outcome = plan ? m_deployer.deploy(*plan, lock, observer, objection)
                         : Outcome{.state = ServiceState::pending,
                                   .reason_code = ReasonCode::preflight_failed,
                                   .error = plan.error()};
  if (outcome.journal) {
    static_cast<void>(learn(outcome, memory));
  } else if (outcome.reason_code != ReasonCode::interrupted &&
             outcome.reason_code != ReasonCode::drift) {
    for (const ServiceLook* service : group) {
      remember_refusal(service->watch.name, offered_digest(*service), m_clock.now(), memory);
    }
  }
  return outcome;
}

void Tick::tell_drift(Look& look, Memory& memory) {
  const DriftNews news = look_for_drift(look, m_deployer, m_clock.now(), memory);
  for (const std::string& one : news.noticed) {
    m_log.warning("{}", one);
  }
  for (const std::string& one : news.not_known) {
    m_log.info("what compose makes of it is not known for now: {}", one);
  }
}

std::optional<Outcome> Tick::object_to_drift(const DeploymentPlan& plan,
                                             const std::vector<PreparedProject>& prepared,
                                             const Host& host, Memory& memory) {
  const Drifts drifts = drift_of_prepared(prepared, host, m_clock.now(), memory);
  for (const ProjectPlan& project : plan.projects) {
    const auto drift = drifts.find(project.drop_in);
    if (drift != drifts.end() && plan.refuses_drift(project)) {
      return Outcome{.state = ServiceState::pending,
                     .reason_code = ReasonCode::drift,
                     .error = drift_error(drift->second.message, project.drop_in)};
    }
  }
  for (const auto& [drop_in, drift] : drifts) {
    m_log.warning("{}: {}; it is applied along with the new image", drop_in, drift.message);
  }
  return std::nullopt;
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
