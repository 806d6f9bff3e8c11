#include <fmt/ranges.h>

#include <algorithm>

#include "tallyman/cli/commands.hpp"
#include "tallyman/cli/until.hpp"

namespace tallyman {
namespace {

/// "v1.2.0 9c1f22ab", "9c1f22ab", "?" where nobody knows.
std::string deployed_text(const std::optional<Digest>& digest, const std::string& version) {
  constexpr std::size_t k_digits = 8;
  const std::string hex = digest ? std::string(digest->hex().substr(0, k_digits)) : "";
  if (version.empty()) {
    return hex.empty() ? "?" : hex;
  }
  return fmt::format("{}{}{}", printable_version(version), hex.empty() ? "" : " ", hex);
}

std::string change_text(const PastDeployment::Service& service) {
  return fmt::format("{} -> {}", deployed_text(service.from, service.from_version),
                     deployed_text(service.to, service.to_version));
}

/// "timer", "deploy by anna"
std::string trigger_text(const PastDeployment& past) {
  return printable(past.by.empty() ? past.trigger : fmt::format("{} by {}", past.trigger, past.by));
}

void add_rows(Table& table, const PastDeployment& past) {
  bool first = true;
  for (const PastDeployment::Service& service : past.services) {
    table.add({{first ? local_seconds(past.started_at) : ""},
               {service.name},
               {std::string(to_string(past.result)), style_of(past.result)},
               {first ? trigger_text(past) : ""},
               {change_text(service)}});
    first = false;
  }
}

std::string deployments_table(const std::vector<PastDeployment>& deployments,
                              const Terminal& terminal) {
  Table table({"STARTED", "SERVICE", "RESULT", "BY", "CHANGE"});
  for (const PastDeployment& past : deployments) {
    add_rows(table, past);
  }
  return table.str(terminal);
}

/// `number` is what `rollback --to` takes.
std::string head_text(std::size_t number, const ServiceName& service, const PastDeployment& past,
                      const Terminal& out) {
  const auto own = std::ranges::find(past.services, service, &PastDeployment::Service::name);
  return fmt::format("{}  {}  {}  {}", number, local_text(past.started_at),
                     out.styled(to_string(past.result), style_of(past.result)), change_text(*own));
}

std::string how_it_went(const PastDeployment& past) {
  std::vector<std::string> parts;
  if (past.replicas > 0) {
    parts.push_back(fmt::format("{} verified", past.replicas));
  }
  // Of a rollback nobody measured the whole of it.
  if (past.downtime && past.result == ServiceState::updated) {
    parts.push_back(fmt::format("down {}", humanize(*past.downtime)));
  }
  if (past.finished_at) {
    parts.push_back(fmt::format("took {}", humanize(*past.finished_at - past.started_at)));
  }
  if (past.recoveries > 0) {
    parts.push_back(fmt::format("cut off {} times", past.recoveries));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

void print_one(std::size_t number, const ServiceName& service, const PastDeployment& past,
               Terminal& out) {
  out.line(head_text(number, service, past, out));
  out.print(labelled("by", trigger_text(past), out.width()));
  for (const PastDeployment::Service& other : past.services) {
    if (other.name != service) {
      out.print(
          labelled("with", fmt::format("{}, {}", other.name, change_text(other)), out.width()));
    }
  }
  for (const PastDeployment::DeployedImage& image : past.images) {
    out.print(labelled("image", image.reference.at(image.digest).familiar(), out.width()));
  }
  for (const Step& step : past.steps) {
    out.line(step_text(step, out.width()));
  }
  if (const std::string end = how_it_went(past); !end.empty()) {
    out.print(labelled("end", end, out.width()));
  }
  if (past.error) {
    out.print(labelled("error", past.error->message, out.width()));
    if (!past.error->remedy.empty()) {
      out.print(labelled("fix", past.error->remedy, out.width()));
    }
  }
  out.print(labelled("folder", past.folder, out.width()));
  if (!past.outputs.empty()) {
    out.print(labelled("files", fmt::format("{}", fmt::join(past.outputs, " ")), out.width()));
  }
}

bool is_configured(const Config& config, const ServiceName& service) {
  return check_service_names(config, {service}).has_value();
}

}  // namespace

int history_command(const Config& config, const StateDirectory& state,
                    const HistoryOptions& options, Terminal& out, Log& log) {
  auto history = state.history();
  if (!history) {
    log.error(history.error());
    return k_exit_failed;
  }
  for (const Error& error : history->unreadable) {
    log.warning("left out: {}", error.message);
  }
  std::vector<PastDeployment>& deployments = history->deployments;
  if (options.service) {
    std::erase_if(deployments,
                  [&](const PastDeployment& past) { return !past.is_of(*options.service); });
    if (deployments.empty() && !is_configured(config, *options.service)) {
      log.error(check_service_names(config, {*options.service}).error());
      return k_exit_usage;
    }
  }
  deployments.erase(deployments.begin() +
                        static_cast<std::ptrdiff_t>(std::min(options.limit, deployments.size())),
                    deployments.end());
  if (options.json) {
    out.print(history_to_json(deployments));
  } else if (deployments.empty()) {
    out.line(options.service ? fmt::format("{}: nothing was deployed yet", *options.service)
                             : "nothing was deployed yet");
  } else if (options.service) {
    for (std::size_t i = 0; i < deployments.size(); ++i) {
      print_one(i + 1, *options.service, deployments[i], out);
    }
  } else {
    out.print(deployments_table(deployments, out));
  }
  return history->unreadable.empty() ? k_exit_ok : k_exit_failed;
}

}  // namespace tallyman
