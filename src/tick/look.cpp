#include "tallyman/tick/look.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "tallyman/tick/transactions.hpp"

namespace tallyman {
namespace {

bool wanted(const ServiceName& name, const std::vector<ServiceName>& only) {
  return only.empty() || std::ranges::find(only, name) != only.end();
}

Error conflict_error(const Conflict& conflict, const Config& config) {
  const auto file_of = [&](const ServiceName& name) {
    const auto watch = std::ranges::find(config.watches, name, &Watch::name);
    return watch != config.watches.end() ? watch->file : name;
  };
  Error error{ErrorKind::config,
              fmt::format("container {} is claimed by two drop-ins: {} and {}", conflict.container,
                          file_of(conflict.first), file_of(conflict.second))};
  error.remedy = "narrow one of them with directory and services under [compose]";
  return error;
}

/// Fills in what every watch is about. A container that two of them claim makes both unknown.
std::map<ServiceName, Error> select_all(const Config& config, const Host& host, Look& look) {
  const Selector selector(host);
  std::vector<std::pair<ServiceName, Selection>> selections;
  std::map<ServiceName, std::size_t> places;
  for (const Watch& watch : config.watches) {
    places.emplace(watch.name, selections.size());
    selections.emplace_back(watch.name, selector.select(watch));
  }
  std::map<ServiceName, Error> errors;
  for (const Conflict& conflict : find_conflicts(selections)) {
    errors.emplace(conflict.first, conflict_error(conflict, config));
    errors.emplace(conflict.second, conflict_error(conflict, config));
  }
  for (ServiceLook& service : look.services) {
    const auto found = places.find(service.watch.name);
    if (found == places.end()) {
      continue;
    }
    Selection& selection = selections[found->second].second;
    for (WatchedImage& image : selection.images) {
      const Question question = question_for(service.watch, image);
      service.comparisons.push_back({.running = std::move(image), .question = question});
    }
    service.by_id = std::move(selection.by_id);
  }
  return errors;
}

/// What the last look asked for and the configuration still names: these questions need not wait
/// until the engine has said what runs.
std::vector<ImageReference> likely_questions(const Config& config,
                                             const std::vector<ServiceName>& only,
                                             const Memory& memory) {
  std::set<std::string> named;
  bool any = false;  // by labels that only the engine knows
  for (const Watch& watch : config.watches) {
    if (!wanted(watch.name, only)) {
      continue;
    }
    any = any || (!watch.image && only.empty());
    if (watch.image) {
      named.insert(watch.image->str());
    }
  }
  std::vector<ImageReference> references;
  for (const std::string& text : memory.asked) {
    if (any || named.contains(text)) {
      if (auto reference = ImageReference::parse(text); reference && !reference->digest()) {
        references.push_back(std::move(*reference));
      }
    }
  }
  return references;
}

/// One question per distinct reference, whatever the number of services.
void ask_registries(Look& look, bool all, Registry& registry, Memory& memory) {
  std::map<ImageReference, std::vector<Comparison*>> askers;
  for (ServiceLook& service : look.services) {
    for (Comparison& comparison : service.comparisons) {
      if (comparison.question == Question::ask) {
        askers[comparison.running.reference].push_back(&comparison);
      }
    }
  }
  std::vector<ImageReference> references;
  for (const auto& [reference, comparisons] : askers) {
    references.push_back(reference);
  }
  const auto answers = registry.resolve(references);
  if (all) {
    memory.asked.clear();
  }
  for (std::size_t i = 0; i < references.size(); ++i) {
    memory.asked.insert(references[i].str());
    for (Comparison* comparison : askers.at(references[i])) {
      comparison->remote = answers.at(i);
    }
    if (answers[i]) {
      memory.seen.insert_or_assign(references[i].str(),
                                   Memory::Seen{answers[i]->digest, answers[i]->checked_at});
    }
  }
}

/// A comparison whose digest says nothing yet, and what to ask to find out.
struct Unclear {
  Comparison* comparison;
  const Replica* replica;
  Platform platform;
};

bool is_unclear(const ServiceLook& service, const Comparison& comparison, const Replica& replica,
                const Memory& memory) {
  if (!comparison.remote || !comparison.remote->has_value()) {
    return false;
  }
  const RemoteImage& remote = **comparison.remote;
  const auto remembered = memory.services.find(service.watch.name);
  // What is behind a digest that failed here need not be asked again and again.
  const bool quarantined = remembered != memory.services.end() &&
                           find_quarantined(remembered->second, remote) != nullptr;
  return !quarantined && match(remote, replica, memory) == Match::unclear;
}

std::vector<Unclear> find_unclear(Look& look, Engine& engine, const Memory& memory) {
  std::vector<Unclear> unclear;
  std::map<std::string, Result<Platform>> platforms;
  for (ServiceLook& service : look.services) {
    for (Comparison& comparison : service.comparisons) {
      for (const Replica& replica : comparison.running.replicas) {
        if (!is_unclear(service, comparison, replica, memory)) {
          continue;
        }
        const std::string& id = replica.container.image_id;
        auto known = platforms.find(id);
        if (known == platforms.end()) {
          known = platforms.emplace(id, platform_of(id, engine)).first;
        }
        if (!known->second) {
          comparison.platform_error = known->second.error();
          continue;
        }
        comparison.platform = *known->second;
        unclear.push_back({&comparison, &replica, *known->second});
      }
    }
  }
  return unclear;
}

/// On the containerd store an image's id is the digest of its index, and says nothing of the
/// platform's manifest in it: what the running index holds is asked of the registry, too. That it
/// is gone there is no error, then the two differ.
void compare_with_running_index(const std::vector<Unclear>& unclear, Registry& registry,
                                Memory& memory) {
  std::vector<const Unclear*> open;
  std::vector<Registry::PlatformQuestion> questions;
  for (const Unclear& one : unclear) {
    const RemoteImage& remote = **one.comparison->remote;
    const auto id = Digest::parse(one.replica->container.image_id);
    if (remote.platform && id && id_is_manifest_digest(*one.replica) &&
        match(remote, *one.replica, memory) == Match::differs) {
      open.push_back(&one);
      questions.push_back({remote.reference, *id, one.platform});
    }
  }
  const auto answers = registry.look_into(questions);
  for (std::size_t i = 0; i < open.size(); ++i) {
    const RemoteImage& remote = **open[i]->comparison->remote;
    if (answers[i] && answers[i]->config == remote.platform->config) {
      memory.equivalent.emplace(remote.digest, open[i]->replica->container.image_id);
    }
  }
}

/// Looks behind the digests that are not the running image's own, and remembers those with the same
/// content: the next tick is one HEAD again.
void look_into_unclear(Look& look, Registry& registry, Engine& engine, Memory& memory) {
  const std::vector<Unclear> unclear = find_unclear(look, engine, memory);
  std::vector<Registry::PlatformQuestion> questions;
  for (const Unclear& one : unclear) {
    const RemoteImage& remote = **one.comparison->remote;
    questions.push_back({remote.reference, remote.digest, one.platform});
  }
  const auto answers = registry.look_into(questions);
  for (std::size_t i = 0; i < unclear.size(); ++i) {
    Comparison& comparison = *unclear[i].comparison;
    if (answers[i]) {
      (*comparison.remote)->platform = *answers[i];
    } else {
      comparison.platform_error = answers[i].error();
    }
  }
  for (const Unclear& one : unclear) {
    const RemoteImage& remote = **one.comparison->remote;
    if (match(remote, *one.replica, memory) == Match::same_content) {
      memory.equivalent.emplace(remote.digest, one.replica->container.image_id);
    }
  }
  compare_with_running_index(unclear, registry, memory);
}

/// Only where a drop-in asks for more than one check, and only for what it watches now. A registry
/// that did not answer has shown no other digest.
void count_checks(const Look& look, Memory& memory) {
  for (const ServiceLook& look_of_one : look.services) {
    ServiceMemory& service = memory.services[look_of_one.watch.name];
    std::map<std::string, Candidate> before = std::exchange(service.candidates, {});
    if (look_of_one.watch.stable_checks <= 1) {
      continue;
    }
    for (const Comparison& comparison : look_of_one.comparisons) {
      if (auto known = before.extract(comparison.running.reference.str())) {
        service.candidates.insert(std::move(known));
      }
      if (comparison.remote && comparison.remote->has_value()) {
        count_check(service, **comparison.remote);
      }
    }
  }
}

void release_quarantined(const Look& look, Memory& memory) {
  for (const ServiceLook& service : look.services) {
    const auto remembered = memory.services.find(service.watch.name);
    for (const Comparison& comparison : service.comparisons) {
      if (remembered != memory.services.end() && comparison.remote &&
          comparison.remote->has_value() && !comparison.platform_error) {
        release_moved(remembered->second, **comparison.remote);
      }
    }
  }
}

/// Has this container run for a while, as it should?
bool runs_well(const Container& listed, Engine& engine, std::chrono::milliseconds settle,
               Timestamp now) {
  const auto container = engine.inspect_container(listed.id);
  return container && container->status == ContainerStatus::running &&
         container->health != Health::unhealthy && container->health != Health::starting &&
         container->started && (now < *container->started || *container->started + settle <= now);
}

/// A deployment left it in an unknown state; somebody may have repaired it since.
void forget_what_was_mended(const Look& look, Engine& engine, Timestamp now, Memory& memory) {
  for (const ServiceLook& service : look.services) {
    const auto remembered = memory.services.find(service.watch.name);
    if (remembered == memory.services.end() || remembered->second.broken.empty()) {
      continue;
    }
    bool well = !service.comparisons.empty();
    for (const Comparison& comparison : service.comparisons) {
      for (const Replica& replica : comparison.running.replicas) {
        well = well && runs_well(replica.container, engine, service.watch.health.settle, now);
      }
    }
    if (well) {
      remembered->second.broken.clear();
    }
  }
}

std::vector<ServiceLook> services_of(const Config& config, const std::vector<ServiceName>& only) {
  std::vector<ServiceLook> services;
  for (const Watch& watch : config.watches) {
    if (wanted(watch.name, only)) {
      services.push_back({.watch = watch});
    }
  }
  return services;
}

ServiceLook broken_look(const BrokenDropIn& broken) {
  std::string message;
  for (const Problem& problem : broken.problems) {
    message += (message.empty() ? "" : "; ") + problem.str();
  }
  ServiceLook look{.watch = {.name = broken.name, .file = {}, .image = std::nullopt}};
  look.decision = undecided({ErrorKind::config, std::move(message), "see: tallyman validate"},
                            ReasonCode::config_error);
  if (broken.problems.size() > 1) {
    // A table has no room for all of them; the error has.
    look.decision.reason =
        fmt::format("{} (and {} more)", broken.problems.front().str(), broken.problems.size() - 1);
  }
  return look;
}

}  // namespace

/// A running image can be gone: the containerd store forgets one whose last name moved on. The
/// engine's own platform is the best guess then.
Result<Platform> platform_of(const std::string& image_id, Engine& engine) {
  const auto image = engine.inspect_image(image_id);
  if (image) {
    return image->platform;
  }
  if (image.error().kind == ErrorKind::not_found) {
    if (const auto info = engine.info(); info && !info->platform.architecture.empty()) {
      return info->platform;
    }
  }
  // Not "not found": that would read as if the registry had nothing for this platform.
  return fail(ErrorKind::transient, "{}", image.error().message);
}

Look look_at(const Config& config, const std::vector<ServiceName>& only, Registry& registry,
             Engine& engine, Memory& memory, const Moment& moment) {
  Look look{.host = std::nullopt, .services = services_of(config, only)};
  if (!look.services.empty()) {
    registry.recall(memory.registries);
    registry.begin(likely_questions(config, only, memory));
    if (auto host = engine.observe()) {
      look.host = std::move(*host);
      const auto errors = select_all(config, *look.host, look);
      ask_registries(look, only.empty(), registry, memory);
      if (moment.counts) {
        count_checks(look, memory);
      }
      look_into_unclear(look, registry, engine, memory);
      memory.registries = registry.known();
      release_quarantined(look, memory);
      forget_what_was_mended(look, engine, moment.now, memory);
      for (ServiceLook& service : look.services) {
        const auto conflict = errors.find(service.watch.name);
        service.decision =
            conflict != errors.end()
                ? undecided(conflict->second, ReasonCode::config_error)
                : decide(service.watch, service.comparisons, service.by_id, memory, moment);
      }
      if (!moment.wish) {
        hold_transactions(config, memory, moment.now, look);
      }
    } else {
      for (ServiceLook& service : look.services) {
        service.decision = undecided(host.error(), ReasonCode::engine_error);
      }
    }
  }
  for (const BrokenDropIn& broken : config.broken) {
    if (wanted(broken.name, only)) {
      look.services.push_back(broken_look(broken));
    }
  }
  std::ranges::sort(look.services, {}, [](const ServiceLook& s) { return s.watch.name; });
  return look;
}

}  // namespace tallyman
