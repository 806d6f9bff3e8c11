#include <algorithm>

#include "tallyman/cli/commands.hpp"
#include "tallyman/io/files.hpp"

namespace tallyman {
namespace {

std::string since_text(const ServiceStatus& service, Timestamp now) {
  std::optional<Timestamp> newest;
  for (const ContainerStatusEntry& container : service.containers) {
    if (container.since && (!newest || *container.since > *newest)) {
      newest = container.since;
    }
  }
  return newest ? humanize(std::max(now - *newest, std::chrono::milliseconds(0))) : "";
}

void add_status_rows(Table& table, const ServiceStatus& service, Timestamp now) {
  const std::string state(to_string(service.state));
  const Style style = style_of(service.state);
  const std::string reason = reason_text(service);
  if (service.images.empty()) {
    table.add({{service.name}, {state, style}, {}, {}, {reason}});
  }
  for (std::size_t i = 0; i < service.images.size(); ++i) {
    const bool first = i == 0;
    table.add({{first ? service.name : ""},
               {first ? state : "", style},
               {running_text(service.images[i])},
               {first ? since_text(service, now) : ""},
               {first ? reason : service.images[i].reference}});
  }
}

Style style_of_result(std::string_view result) {
  return result == "ok" ? Style::good : result == "attention" ? Style::attention : Style::bad;
}

}  // namespace

int status_command(const std::string& status_file, bool json, const Clock& clock, Terminal& out,
                   Log& log) {
  const auto status = load_status(status_file);
  if (!status) {
    log.error(status.error());
    return k_exit_failed;
  }
  if (json) {
    out.print(status_to_json(*status));
    return exit_status_of(status->services);
  }
  const Timestamp now = clock.now();
  out.line(fmt::format("{}, last run {} ago: {}", status->host,
                       humanize(std::max(now - status->finished_at, std::chrono::milliseconds(0))),
                       out.styled(status->result(), style_of_result(status->result()))));
  if (status->services.empty()) {
    out.line(summary_text(status->services));
    return k_exit_ok;
  }
  Table table({"SERVICE", "STATE", "RUNNING", "SINCE", "REASON"});
  for (const ServiceStatus& service : status->services) {
    add_status_rows(table, service, now);
  }
  out.print(table.str(out));
  return exit_status_of(status->services);
}

}  // namespace tallyman
