#include <algorithm>

#include "tallyman/cli/commands.hpp"
#include "tallyman/tick/service_status.hpp"

namespace tallyman {
namespace {

void add_check_rows(Table& table, const ServiceStatus& service) {
  const std::string state(to_string(service.state));
  const Style style = style_of(service.state);
  if (service.images.empty()) {
    table.add({{service.name}, {state, style}, {}, {}, {service.reason}});
  }
  for (std::size_t i = 0; i < service.images.size(); ++i) {
    const ImageStatus& image = service.images[i];
    const bool first = i == 0;
    table.add({{first ? service.name : ""},
               {first ? state : "", style},
               {running_text(image)},
               {short_digest(image.remote_digest)},
               {first ? service.reason : image.reference}});
  }
}

/// Only where it is nearly used up: a pull would fail before long.
void print_limits(const std::vector<RegistryStatus>& registries, Terminal& out) {
  for (const RegistryStatus& registry : registries) {
    const auto& rate = registry.rate_limit;
    if (rate && rate->remaining < (rate->limit + 9) / 10) {
      out.print(labelled("limit " + registry.name,
                         fmt::format("{} of {} pulls left", rate->remaining, rate->limit),
                         out.width()));
    }
  }
}

}  // namespace

int check_command(const Config& config, const CheckOptions& options, Registry& registry,
                  Engine& engine, Memory memory, const Clock& clock, Terminal& out) {
  StatusDocument status;
  status.version = options.version;
  status.host = options.host_name;
  status.trigger = "manual";
  status.started_at = clock.now();
  status.run_id = format_rfc3339(status.started_at);
  const auto started = clock.steady();
  const Look look =
      look_at(config, options.services, registry, engine, memory, {.now = clock.now()});
  std::optional<Selector> running;
  if (look.host) {
    running.emplace(*look.host);
  }
  for (const ServiceLook& service : look.services) {
    status.services.push_back(
        service_status(service, running ? &*running : nullptr, nullptr, clock.now(), memory));
  }
  status.registries = registry_statuses(memory, clock.now());
  status.finished_at = clock.now();
  status.duration = std::chrono::duration_cast<std::chrono::milliseconds>(clock.steady() - started);

  if (options.json) {
    out.print(status_to_json(status));
  } else if (status.services.empty()) {
    out.line(summary_text(status.services));
  } else {
    Table table({"SERVICE", "STATE", "RUNNING", "REGISTRY", "REASON"});
    for (const ServiceStatus& service : status.services) {
      add_check_rows(table, service);
    }
    out.print(table.str(out));
    print_limits(status.registries, out);
    for (const ServiceStatus& service : status.services) {
      if (service.error && !service.error->remedy.empty()) {
        out.print(labelled("fix " + service.name, service.error->remedy, out.width()));
      }
    }
  }

  const int result = exit_status_of(status.services);
  const bool update = std::ranges::any_of(status.services, [](const ServiceStatus& service) {
    return service.update_available == true;
  });
  return result == k_exit_ok && options.exit_code && update ? k_exit_update : result;
}

}  // namespace tallyman
