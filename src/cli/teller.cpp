#include "cli/teller.hpp"

#include <algorithm>

#include "tallyman/cli/commands.hpp"

namespace tallyman {
namespace {

std::string versions_text(const ServiceStatus& status) {
  std::string text;
  for (const ImageStatus& image : status.images) {
    if (image.version) {
      text += fmt::format(", {} {}", image.reference, printable(*image.version));
    }
  }
  return text;
}

/// "  UPDATED   2/2 verified, down 1.9 s, …"
std::string end_text(const ServiceStatus& status, const Outcome& outcome) {
  const int replicas = outcome.journal ? outcome.journal->replicas : 0;
  std::string text = fmt::format("{}/{} verified", replicas, replicas);
  // Of a rollback nobody measured the whole of it.
  if (outcome.state == ServiceState::updated && outcome.journal && outcome.journal->downtime) {
    text += fmt::format(", down {}", humanize(*outcome.journal->downtime));
  }
  return text + versions_text(status);
}

}  // namespace

void Teller::deploying(const ServiceLook& service) {
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

void Teller::progress(std::string_view name, std::string_view text) {
  m_out.passing(fmt::format("  {:<9} {}", name, printable(text)));
}

void Teller::step(const Step& step) {
  m_out.line(step_text(step, m_out.width()));
}

void Teller::deployed(const ServiceStatus& status, const Outcome& outcome) {
  if (outcome.state == ServiceState::updated) {
    m_out.line("  " + m_out.styled("UPDATED", Style::good) + "   " + end_text(status, outcome));
  } else if (outcome.state == ServiceState::rolled_back) {
    m_out.line("  " + m_out.styled("ROLLED BACK", Style::attention) + " " +
               end_text(status, outcome));
  }
  // What went wrong is told at the end, with the others.
}

void tell_end(const ServiceStatus& service, bool journald, Terminal& out, Log& log) {
  if (service.error && journald) {
    log.error(with_context(*service.error, fmt::format("service {}", service.name)));
  } else if (service.error) {
    out.print(trouble_text(service, out.width()));
  } else if (style_of(service.state) == Style::attention) {
    // "held by anna …" says it itself.
    const bool told = service.reason.starts_with(to_string(service.state));
    out.print(hanging(
        fmt::format("{}: {}{}", service.name,
                    told ? "" : fmt::format("{}: ", to_string(service.state)), service.reason),
        out.width()));
  }
}

}  // namespace tallyman
