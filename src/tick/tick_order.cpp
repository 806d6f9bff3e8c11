#include <algorithm>
#include <utility>

#include "tallyman/tick/service_status.hpp"
#include "tallyman/tick/tick.hpp"
#include "tallyman/tick/transactions.hpp"

namespace tallyman {

std::vector<ServiceName> Tick::transaction_of_order(const Order& order) {
  const auto host = m_engine.observe();
  return host ? transaction_of(order.service, m_config, *host)
              : std::vector<ServiceName>{order.service};
}

Ordered Tick::follow_order(const Order& order, const Error* blocked, Look& look, Memory& memory,
                           TickResult& result) {
  std::optional<Selector> running;
  if (look.host) {
    running.emplace(*look.host);
  }
  for (const ServiceLook& service : look.services) {
    if (service.watch.name == order.service) {
      Memory scratch = memory;  // it is asked before its time
      result.before =
          service_status(service, running ? &*running : nullptr, nullptr, m_clock.now(), scratch);
    }
  }
  auto ordered = understand(order, blocked, look, memory);
  if (!ordered) {
    result.refusal = std::move(ordered.error());
    return {};
  }
  if (ordered->services.empty() && ordered->trigger.hold) {
    if (auto put = put_hold(ordered->trigger, m_clock.now(), memory); !put) {
      m_write_error = with_context(put.error(), "the hold");
    }
    for (ServiceLook& service : look.services) {
      if (service.decision.reason_code != ReasonCode::held) {
        apply_hold(service.watch, memory, {.now = m_clock.now()}, service.decision);
      }
    }
  }
  return std::move(*ordered);
}

Result<Ordered> Tick::understand(const Order& order, const Error* blocked, const Look& look,
                                 const Memory& memory) {
  if (blocked != nullptr) {
    return std::unexpected(*blocked);
  }
  for (const ServiceLook& service : look.services) {
    if (m_open.contains(service.watch.name)) {
      return fail(ErrorKind::transient, "the last deployment of {} has not come to its end",
                  service.watch.name);
    }
  }
  const auto past = m_state.past_deployments(order.service);
  if (!past) {
    return std::unexpected(past.error());
  }
  return carry_out(order, look, *past, m_registry, m_engine, memory, m_clock.now());
}

void Tick::as_ordered(const Ordered& ordered, DeploymentPlan& plan) {
  plan.trigger = ordered.trigger;
  for (ImagePlan& image : plan.images) {
    if (const auto local = ordered.local_ids.find(image.reference);
        local != ordered.local_ids.end()) {
      image.local_id = local->second;
    }
  }
  for (ProjectPlan& project : plan.projects) {
    project.forced = ordered.recreate;
  }
}

Result<void> Tick::put_hold(const Trigger& trigger, Timestamp begun, Memory& memory) {
  auto put = m_state.holds().put_unless_changed_since(begun, trigger.service, *trigger.hold);
  if (auto holds = m_state.holds().load()) {
    memory.holds = std::move(*holds);
  }
  return put;
}

bool Tick::is_held_now(const std::vector<const ServiceLook*>& group, Look& look, Memory& memory) {
  auto holds = m_state.holds().load();
  if (holds) {
    memory.holds = std::move(*holds);
  }
  const Moment moment{.now = m_clock.now()};
  for (ServiceLook& service : look.services) {
    if (service.decision.action != Decision::Action::deploy) {
      continue;
    }
    if (holds) {
      apply_hold(service.watch, memory, moment, service.decision);
    } else {
      service.decision = undecided(holds.error(), ReasonCode::state_error);
    }
  }
  hold_transactions(m_config, memory, moment.now, look);
  return std::ranges::any_of(group, [](const ServiceLook* service) {
    return service->decision.action != Decision::Action::deploy;
  });
}

void Tick::tidy_holds(const Memory& memory) {
  for (const auto& [service, hold] : memory.holds) {
    if (hold && hold->is_over(m_clock.now())) {
      if (auto tidied = m_state.holds().tidy(service, m_clock.now()); !tidied) {
        m_log.debug("a hold that is over stays: {}", tidied.error().message);
      }
    }
  }
}

}  // namespace tallyman
