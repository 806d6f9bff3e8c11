#include <algorithm>

#include "tallyman/cli/commands.hpp"

namespace tallyman {
namespace {

/// What was done, what is well, what is not.
constexpr ServiceState k_order_of_summary[] = {
    ServiceState::updated,     ServiceState::current,     ServiceState::local,
    ServiceState::pinned,      ServiceState::absent,      ServiceState::pending,
    ServiceState::held,        ServiceState::quarantined, ServiceState::unknown,
    ServiceState::rolled_back, ServiceState::failed,
};
static_assert(std::size(k_order_of_summary) == std::size(k_all_states));

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'a' && c <= 'z') {
      c = static_cast<char>(c - 'a' + 'A');
    }
  }
  return result;
}

/// "pull failed"
std::string words(std::string_view code) {
  std::string result(code);
  std::ranges::replace(result, '_', ' ');
  return result;
}

/// What tallyman does about it by itself.
std::string next_text(const ServiceStatus& service) {
  switch (service.state) {
    case ServiceState::rolled_back:
      return service.quarantined.empty()
                 ? "tried again by a later run"
                 : fmt::format("{} is quarantined: left alone until its tag moves",
                               service.quarantined.back().short_hex());
    case ServiceState::failed:
      return service.quarantined.empty() ? "tried again by the next run"
                                         : "left alone until its tag moves; look after it";
    case ServiceState::pending:
      return "nothing was touched; tried again by a later run";
    default:
      return "";
  }
}

}  // namespace

std::string short_digest(const std::optional<std::string>& digest) {
  if (!digest) {
    return "";
  }
  const std::size_t colon = digest->find(':');
  return digest->substr(colon == std::string::npos ? 0 : colon + 1, 8);
}

std::string running_text(const ImageStatus& image) {
  if (!image.image_id) {
    return "mixed";
  }
  const std::string digest =
      short_digest(image.running_digest ? image.running_digest : image.image_id);
  return image.version ? fmt::format("{} {}", printable_version(*image.version), digest) : digest;
}

std::string step_text(const Step& step, int width) {
  const std::string took = humanize(step.took);
  const auto room = static_cast<std::size_t>(std::max(20, width - 24));
  std::string text = printable(step.text);
  if (cut_to(text, room).size() < text.size()) {
    text = fmt::format("{}...", cut_to(text, room - 3));
  }
  return fmt::format("  {:<9} {:<{}} {:>9}", step.name, text, room, took);
}

std::string reason_text(const ServiceStatus& service) {
  std::string reason = service.state == ServiceState::updated ? "" : service.reason;
  if (!service.drift || service.reason_code == ReasonCode::drift) {
    return reason;
  }
  std::vector<std::string> names;
  for (const std::string& file : service.drift->files) {
    names.push_back(printable(file.substr(file.rfind('/') + 1)));
  }
  if (names.size() != 1) {
    names = {names.empty() ? "compose" : fmt::format("{} files", names.size())};
  }
  return fmt::format("{}{}drift: {}", reason, reason.empty() ? "" : "; ", names.front());
}

std::string trouble_text(const ServiceStatus& service, int width) {
  std::string text =
      fmt::format("{}: {}, {}\n", service.name, upper(words(to_string(service.state))),
                  words(to_string(service.reason_code)));
  for (const ImageStatus& image : service.images) {
    text += labelled("image", image.reference, width);
    const std::string running = running_text(image);
    text += labelled("running", running.empty() ? "nothing" : running, width);
  }
  if (service.error) {
    text += labelled("error", service.error->message, width);
    if (!service.error->remedy.empty()) {
      text += labelled("fix", service.error->remedy, width);
    }
  }
  if (const std::string next = next_text(service); !next.empty()) {
    text += labelled("next", next, width);
  }
  if (service.state == ServiceState::rolled_back || service.state == ServiceState::failed) {
    text += labelled("see", "tallyman history " + service.name, width);
  }
  return text;
}

std::string summary_text(const std::vector<ServiceStatus>& services) {
  if (services.empty()) {
    return "no services configured";
  }
  std::string text;
  for (const ServiceState state : k_order_of_summary) {
    std::vector<std::string> names;
    for (const ServiceStatus& service : services) {
      if (service.state == state) {
        names.push_back(service.name);
      }
    }
    if (names.empty()) {
      continue;
    }
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", names.size(), to_string(state));
    if (style_of(state) == Style::attention || style_of(state) == Style::bad) {
      text += fmt::format(" ({})", fmt::join(names, ", "));
    }
  }
  return text;
}

int exit_status_of(const std::vector<ServiceStatus>& services) {
  int status = k_exit_ok;
  for (const ServiceStatus& service : services) {
    if (service.state == ServiceState::rolled_back) {
      status = k_exit_rolled_back;
    } else if (service.error || service.state == ServiceState::failed ||
               service.state == ServiceState::unknown) {
      return k_exit_failed;
    }
  }
  return status;
}

Result<std::vector<PreparedProject>> prepare(const ServiceLook& service, const Host& host,
                                             Deployer& deployer) {
  const auto plan = make_plan({{service.watch, service.comparisons, service.decision}}, host);
  if (!plan) {
    return std::unexpected(plan.error());
  }
  return deployer.prepare(*plan);
}

Result<void> check_service_names(const Config& config, const std::vector<ServiceName>& services) {
  std::vector<std::string_view> known;
  for (const Watch& watch : config.watches) {
    known.push_back(watch.name);
  }
  for (const BrokenDropIn& broken : config.broken) {
    known.push_back(broken.name);
  }
  std::ranges::sort(known);
  for (const ServiceName& service : services) {
    if (std::ranges::find(known, service) != known.end()) {
      continue;
    }
    const std::string_view near = nearest(service, known);
    Error error{ErrorKind::config, fmt::format("no service {}", printable(service))};
    error.remedy =
        near.empty()
            ? fmt::format("known are: {}",
                          known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", ")))
            : fmt::format("did you mean {}?", near);
    return std::unexpected(std::move(error));
  }
  return {};
}

}  // namespace tallyman
