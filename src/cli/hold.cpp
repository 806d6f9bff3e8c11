#include <algorithm>

#include "tallyman/cli/commands.hpp"
#include "tallyman/cli/until.hpp"

namespace tallyman {
namespace {

/// What is at work on it now comes to its end: a hold is for what comes next.
bool is_being_deployed(const StateDirectory& state, const ServiceName& service) {
  const auto journals = state.open_journals();
  return journals && std::ranges::any_of(*journals, [&](const Journal& journal) {
           return std::ranges::find(journal.plan.parts, service, &DeploymentPart::service) !=
                  journal.plan.parts.end();
         });
}

std::string hold_text(const Result<Hold>& hold) {
  return hold ? hold->str() : fmt::format("held, but nobody knows why: {}", hold.error().message);
}

}  // namespace

int hold_command(const StateDirectory& state, const ServiceName& service,
                 const HoldOptions& options, const Clock& clock, Terminal& out, Log& log) {
  Hold hold{.reason = options.reason, .by = options.by, .at = clock.now()};
  if (auto checked = check_hold_reason(hold.reason); !checked) {
    log.error(with_context(checked.error(), "--reason"));
    return k_exit_usage;
  }
  if (!options.until.empty()) {
    auto until = parse_until(options.until, hold.at);
    if (!until) {
      log.error(with_context(until.error(), "--until"));
      return k_exit_usage;
    }
    hold.until = *until;
  }
  if (auto put = state.holds().put(service, hold); !put) {
    log.error(put.error());
    return k_exit_failed;
  }
  out.print(hanging(
      fmt::format("{}: held{}{}", service, hold.until ? " until " + local_text(*hold.until) : "",
                  hold.reason.empty() ? "" : ": " + hold.reason),
      out.width()));
  if (is_being_deployed(state, service)) {
    out.print(
        labelled("now", "it is being deployed, and that comes to its end first", out.width()));
  }
  out.print(labelled("next",
                     fmt::format("no run deploys it until{}: tallyman release {}",
                                 hold.until ? " then; to end it earlier" : "", service),
                     out.width()));
  return k_exit_ok;
}

int release_command(const StateDirectory& state, const ServiceName& service, const Clock& clock,
                    Terminal& out, Log& log) {
  const auto removed = state.holds().remove(service);
  if (!removed) {
    log.error(removed.error());
    return k_exit_failed;
  }
  const std::optional<Result<Hold>>& hold = *removed;
  if (!hold || (hold->has_value() && hold->value().is_over(clock.now()))) {
    out.line(fmt::format("{}: was not held", service));
  } else {
    out.print(hanging(fmt::format("{}: released; was {}", service, hold_text(*hold)), out.width()));
  }
  return k_exit_ok;
}

}  // namespace tallyman
