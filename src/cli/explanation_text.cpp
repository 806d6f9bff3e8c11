#include <fmt/ranges.h>

#include <algorithm>

#include "cli/explanation.hpp"
#include "tallyman/cli/until.hpp"

namespace tallyman {
namespace {

/// A label has 6 letters at most: so a whole digest fits into 80 columns.
constexpr std::size_t k_explain_label = 7;

/// Lines of one screen.
class Page {
 public:
  Page(int width, Timestamp now) : m_width(width), m_now(now) {}

  void add(std::string_view label, std::string_view text) {
    m_text += labelled(label, text, m_width, k_explain_label);
  }
  void add_error(const Error& error) {
    add("error", error.message);
    if (!error.remedy.empty()) {
      add("fix", error.remedy);
    }
  }
  /// In one piece, however long it is: it is there to be copied.
  void add_command(std::string_view command) {
    m_text += fmt::format("{:<{}}{}\n", "", k_explain_label + 2, command);
  }
  void add_line(std::string_view line) { m_text += fmt::format("{}\n", line); }
  [[nodiscard]] std::string ago(Timestamp time) const {
    return humanize(std::max(m_now - time, std::chrono::milliseconds(0))) + " ago";
  }
  [[nodiscard]] std::string running_for(const std::optional<Timestamp>& since) const {
    return since ? " for " + humanize(std::max(m_now - *since, std::chrono::milliseconds(0))) : "";
  }
  [[nodiscard]] const std::string& text() const { return m_text; }

 private:
  int m_width;
  Timestamp m_now;
  std::string m_text = {};
};

std::string short_text(const std::string& digest) {
  const auto parsed = Digest::parse(digest);
  return parsed ? std::string(parsed->short_hex()) : digest;
}

std::string short_or(const std::optional<Digest>& digest, std::string_view otherwise) {
  return std::string(digest ? digest->short_hex() : otherwise);
}

std::string answer_text(const ImageStatus& status, const ExplainedImage& image) {
  if (image.question == Question::pinned) {
    return "not asked: runs by digest";
  }
  if (image.question == Question::no_origin) {
    return "not asked: no registry in its name, and nothing shows that it came from Docker Hub";
  }
  std::string text =
      status.remote_digest ? *status.remote_digest : fmt::format("no answer ({})", image.access);
  if (status.remote_digest && image.inside) {
    text += fmt::format("\nfor {}: manifest {}, config {}", image.platform.str(),
                        image.inside->manifest.short_hex(), image.inside->config.short_hex());
  }
  return text;
}

void add_registry(const ImageStatus& status, const ExplainedImage& image, Page& page) {
  page.add("offers", answer_text(status, image));
  if (status.remote_digest) {
    page.add("", fmt::format("asked {} ({})", status.checked_at ? page.ago(*status.checked_at) : "",
                             image.access));
  } else if (image.last_digest && status.last_success_at) {
    page.add("", fmt::format("{} when it answered last, {}", image.last_digest->short_hex(),
                             page.ago(*status.last_success_at)));
  }
}

std::string container_text(const ContainerStatusEntry& entry, const Page& page) {
  std::string text =
      fmt::format("{}, {}{}", entry.name, entry.status, page.running_for(entry.since));
  if (entry.health != to_string(Health::none)) {
    text += ", " + entry.health;
  }
  if (entry.restarts) {
    text += fmt::format(", {} restart{}", *entry.restarts, *entry.restarts == 1 ? "" : "s");
  }
  return text;
}

std::string_view match_words(const std::optional<Match>& match) {
  if (!match) {
    return "";
  }
  switch (*match) {
    case Match::same:
      return ": runs what the registry offers";
    case Match::same_content:
      return ": another digest, the same image for this platform";
    case Match::differs:
      return ": differs";
    case Match::unclear:
      break;
  }
  return ": not comparable";
}

/// What several containers can have in common.
std::string image_text(const ContainerStatusEntry& entry, const ExplainedContainer& container) {
  const auto created = ImageReference::parse(container.created_from);
  const bool renamed = !created || created->familiar() != entry.reference;
  const std::string digest =
      entry.digest ? *entry.digest
                   : std::string("no digest of its own: no registry is known to have it");
  return fmt::format("{}\n{}image {}{}{}", digest,
                     container.version ? printable_version(*container.version) + ", " : "",
                     short_text(container.image_id),
                     renamed ? ", created from " + printable(container.created_from) : "",
                     match_words(container.match));
}

void add_containers(const Explanation& explanation, const std::string& reference, Page& page) {
  std::vector<std::pair<std::string, std::string>> groups;  // by image: names and the rest
  for (std::size_t i = 0; i < explanation.containers.size(); ++i) {
    const ContainerStatusEntry& entry = explanation.service.containers[i];
    if (entry.reference != reference) {
      continue;
    }
    const std::string image = image_text(entry, explanation.containers[i]);
    const std::string line = container_text(entry, page);
    const auto group =
        std::ranges::find(groups, image, &std::pair<std::string, std::string>::first);
    if (group == groups.end()) {
      groups.emplace_back(image, line);
    } else {
      group->second += "\n" + line;
    }
  }
  for (const auto& [image, lines] : groups) {
    page.add("runs", lines + "\n" + image);
  }
}

void add_images(const Explanation& explanation, Page& page) {
  const bool several = explanation.images.size() > 1;
  for (std::size_t i = 0; i < explanation.images.size(); ++i) {
    const ImageStatus& status = explanation.service.images[i];
    const ExplainedImage& image = explanation.images[i];
    page.add("image",
             several && image.decision
                 ? fmt::format("{}: {} ({})", status.reference, to_string(image.decision->state),
                               to_string(image.decision->reason_code))
                 : status.reference);
    add_registry(status, image, page);
    add_containers(explanation, status.reference, page);
  }
  for (std::size_t i = 0; i < explanation.containers.size(); ++i) {
    const ContainerStatusEntry& entry = explanation.service.containers[i];
    const bool by_id =
        std::ranges::find(explanation.service.images, entry.reference, &ImageStatus::reference) ==
        explanation.service.images.end();
    if (by_id) {
      page.add("runs", entry.name + ", created from an image id: " + printable(entry.reference));
    }
  }
  for (const RegistryStatus& registry : explanation.registries) {
    std::string text = registry.name;
    if (registry.rate_limit) {
      text += fmt::format(", {} of {} pulls left", registry.rate_limit->remaining,
                          registry.rate_limit->limit);
    }
    if (registry.not_before) {
      text += ", not asked until " + local_text(*registry.not_before);
    }
    page.add("limit", text);
  }
}

/// What was good, where that is not simply what is offered and runs.
void add_good(const Explanation& explanation, Page& page) {
  const ServiceStatus& service = explanation.service;
  const std::string when =
      service.deployed_at ? ", deployed " + page.ago(*service.deployed_at) : "";
  for (const ImageStatus& image : service.images) {
    const auto reference = ImageReference::parse(image.reference);
    const std::string key = reference ? reference->str() : image.reference;
    const auto good = service.last_good.find(key);
    if (good != service.last_good.end()) {
      const bool runs = image.running_digest == good->second.str();
      page.add("good", (runs ? std::string("what runs") : good->second.str()) +
                           (runs || when.empty() ? when : "\n" + when.substr(2)));
    }
    const auto settled = explanation.memory.settled.find(key);
    const bool known = settled == explanation.memory.settled.end() ||
                       image.remote_digest == settled->second.str() ||
                       (good != service.last_good.end() && good->second == settled->second);
    if (!known) {
      page.add("agreed", fmt::format("the registry and this host last agreed on {}",
                                     settled->second.short_hex()));
    }
  }
}

void add_memory_lines(const Explanation& explanation, Page& page) {
  const ServiceStatus& service = explanation.service;
  const ServiceMemory& memory = explanation.memory;
  add_good(explanation, page);
  if (const auto& last = service.last_deployment) {
    page.add("last", fmt::format("deployment {} -> {}: {}, {}{}", short_or(last->from, "?"),
                                 short_or(last->to, "?"), last->result, page.ago(last->finished_at),
                                 last->log.empty() ? "" : "\n" + last->log));
  }
  if (service.pending_since) {
    page.add("waits", page.running_for(service.pending_since).substr(1));
  }
  if (service.consecutive_failures > 0) {
    page.add("failed", fmt::format("{} {} in a row", service.consecutive_failures,
                                   service.consecutive_failures == 1 ? "run" : "runs"));
  }
  if (memory.attempts.count > 0) {
    page.add("tried",
             fmt::format("{} {} {}, last {}", short_or(memory.attempts.digest, "?"),
                         memory.attempts.count, memory.attempts.count == 1 ? "time" : "times",
                         page.ago(memory.attempts.last)));
  }
  for (const auto& [reference, candidate] : memory.candidates) {
    page.add("seen",
             fmt::format("{} in {} of {} runs", candidate.digest.short_hex(), candidate.checks,
                         explanation.drop_in ? explanation.drop_in->stable_checks : 1));
  }
  for (const Quarantined& bad : memory.quarantined) {
    page.add("bad", fmt::format("{}, {}: {}", bad.digest.short_hex(), page.ago(bad.at),
                                printable(bad.reason)));
  }
  for (const KeptImage& kept : memory.kept) {
    page.add("kept",
             fmt::format("{}, ran until {}", short_or(kept.digest, short_text(kept.image_id)),
                         page.ago(kept.at)));
  }
}

void add_order(const Explanation& explanation, Page& page) {
  for (const Predecessor& before : explanation.after) {
    page.add("after", fmt::format("{}: {} ({}){}", before.name, to_string(before.state),
                                  to_string(before.reason_code),
                                  before.failed ? "; nothing is deployed after it" : ""));
  }
  if (!explanation.transaction.empty()) {
    page.add("with", fmt::format("{}: they share an image, so they are deployed together",
                                 fmt::join(explanation.transaction, ", ")));
  }
}

void add_next(const NextStep& next, Page& page) {
  page.add("next", next.text + (next.commands.empty() ? "" : ":"));
  for (const std::string& command : next.commands) {
    page.add_command(command);
  }
  if (next.obstacle) {
    page.add_error(*next.obstacle);
  }
  if (next.by_hand) {
    page.add("", "by hand: " + *next.by_hand);
  }
}

/// The hold, unless the reason tells it.
void add_hold(const ServiceStatus& service, Page& page) {
  if (service.hold && service.reason_code != ReasonCode::held) {
    // by is who() already.
    page.add("hold", service.hold->str());
  }
}

}  // namespace

std::string explanation_text(const Explanation& explanation, const Terminal& terminal) {
  const ServiceStatus& service = explanation.service;
  Page page(terminal.width(), explanation.at);
  page.add_line(fmt::format("{}: {} ({})", service.name,
                            terminal.styled(to_string(service.state), style_of(service.state)),
                            to_string(service.reason_code)));
  page.add("rule", explanation.rule);
  for (const std::string& problem : explanation.problems) {
    page.add("error", problem);
  }
  if (service.error && explanation.problems.empty()) {
    page.add_error(*service.error);
  } else if (!service.error && !service.reason.empty()) {
    page.add("why", service.reason);
  }
  if (const auto& drop_in = explanation.drop_in) {
    page.add("file", fmt::format("{}, mode {}{}", drop_in->file,
                                 drop_in->mode == Mode::notify ? "notify" : "auto",
                                 drop_in->stable_checks > 1
                                     ? fmt::format(", stable_checks {}", drop_in->stable_checks)
                                     : ""));
    page.add("picks", drop_in->selects);
  }
  add_images(explanation, page);
  add_memory_lines(explanation, page);
  if (service.drift) {
    page.add("drift", printable(service.drift->message));
  }
  add_hold(service, page);
  add_order(explanation, page);
  add_next(explanation.next, page);
  return page.text();
}

}  // namespace tallyman
