#include <algorithm>

#include "cli/lock.hpp"
#include "cli/teller.hpp"
#include "tallyman/cli/commands.hpp"

namespace tallyman {
namespace {

const ServiceStatus* find_status(const std::vector<ServiceStatus>& services,
                                 const ServiceName& name) {
  const auto found = std::ranges::find(services, name, &ServiceStatus::name);
  return found != services.end() ? &*found : nullptr;
}

/// "v1.2.0 9c1f22ab"; with the image's name where there are several.
std::string version_text(const ServiceStatus& status, const ImageStatus& image) {
  const std::string text = running_text(image);
  return status.images.size() > 1 ? fmt::format("{} {}", image.reference, text) : text;
}

std::string versions_of(const ServiceStatus& status) {
  std::string text;
  for (const ImageStatus& image : status.images) {
    text += (text.empty() ? "" : ", ") + version_text(status, image);
  }
  return text.empty() ? "nothing" : text;
}

/// "v1.2.0 9c1f22ab -> v1.3.0 4be7d0c1", for each image that is another now.
std::string changes_of(const ServiceStatus& before, const ServiceStatus& after) {
  std::string text;
  for (const ImageStatus& image : before.images) {
    const auto now = std::ranges::find(after.images, image.reference, &ImageStatus::reference);
    if (now != after.images.end() && running_text(*now) != running_text(image)) {
      text += fmt::format("{}{} -> {}", text.empty() ? "" : ", ", version_text(before, image),
                          running_text(*now));
    }
  }
  return text.empty() ? versions_of(after) + ", recreated" : text;
}

std::string end_of_order(const TickResult& result, const ServiceStatus& after) {
  const ServiceStatus& before = result.before ? *result.before : after;
  if (!result.outcome) {
    return "already runs " + versions_of(after);
  }
  switch (result.outcome->state) {
    case ServiceState::updated:
      return changes_of(before, after);
    case ServiceState::rolled_back:
      return versions_of(after) + " runs again";
    case ServiceState::pending:
      return versions_of(after) + " runs, untouched";
    default:
      return versions_of(after) + " runs, and is not known to be good";
  }
}

int exit_status_of_order(const TickResult& result) {
  if (result.write_error) {
    return k_exit_failed;
  }
  if (!result.outcome || result.outcome->state == ServiceState::updated) {
    return k_exit_ok;
  }
  return result.outcome->state == ServiceState::rolled_back ? k_exit_rolled_back : k_exit_failed;
}

}  // namespace

int order_command(Tick& tick, const TickOptions& options, const OrderSurroundings& around,
                  Terminal& out, Log& log) {
  const Patience patience{around.wait, around.stop};
  const auto lock = take_lock(around.state, around.clock, log, &patience);
  if (!lock) {
    return lock.error();
  }
  const Order& order = *options.order;
  Teller teller(out);
  const TickResult result = tick.run(options, *lock, teller);
  if (result.refusal) {
    log.error(*result.refusal);
    if (result.write_error) {
      log.error(*result.write_error);
    }
    return k_exit_failed;
  }
  for (const ServiceStatus& service : result.services) {
    if (service.error) {
      tell_end(service, around.journald, out, log);
    }
  }
  const ServiceStatus* after = find_status(result.services, order.service);
  if (after != nullptr) {
    out.print(
        hanging(fmt::format("{}: {}", order.service, end_of_order(result, *after)), out.width()));
    if (after->hold && order.pins() && exit_status_of_order(result) == k_exit_ok) {
      out.print(
          labelled("held",
                   fmt::format("no run deploys what its tag offers until: tallyman release {}",
                               order.service),
                   out.width()));
    }
  }
  if (result.write_error) {
    log.error(*result.write_error);
  }
  return exit_status_of_order(result);
}

}  // namespace tallyman
