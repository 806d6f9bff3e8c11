#include "tallyman/tick/order.hpp"

#include <fmt/ranges.h>
#include <algorithm>
#include <utility>

#include "tallyman/io/log.hpp"

namespace tallyman {
namespace {

/// Holds of other people are respected; that of an order before, by the next order that pins.
Result<void> check_holds(const Order& order, const Look& look, const Memory& memory,
                         Timestamp now) {
  for (const ServiceLook& service : look.services) {
    const ServiceName& name = service.watch.name;
    const auto found = memory.holds.find(name);
    if (found == memory.holds.end()) {
      continue;
    }
    const Result<Hold>& hold = found->second;
    if (!hold) {
      return std::unexpected(hold.error());
    }
    const bool is_pin = hold->command != Hold::k_by_hand;
    if (hold->is_over(now) || (is_pin && order.pins() && name == order.service)) {
      continue;
    }
    Error error{ErrorKind::denied, fmt::format("{} is {}", name, hold->str())};
    if (name != order.service) {
      error.message +=
          fmt::format("; {} shares an image with it, so they are one transaction", order.service);
    }
    error.remedy = fmt::format("if that is no reason any more: tallyman release {}", name);
    return std::unexpected(std::move(error));
  }
  return {};
}

/// Nothing of it differs from what is wanted.
bool runs_already(const ServiceLook& service) {
  return service.decision.state != ServiceState::failed && !service.decision.images.empty() &&
         std::ranges::all_of(service.decision.images, [](const ImageDecision& image) {
           return image.state == ServiceState::current;
         });
}

Error refusal(const ServiceLook& service) {
  const Decision& decision = service.decision;
  const std::string& name = service.watch.name;
  if (decision.state == ServiceState::failed) {
    Error error{
        ErrorKind::process,
        fmt::format("{} runs it already, and is not known to be good: {}", name, decision.reason)};
    error.remedy = fmt::format(
        "look after it; to have its containers recreated and verified: "
        "tallyman deploy {} --recreate",
        name);
    return error;
  }
  if (decision.error) {
    return *decision.error;
  }
  Error error{ErrorKind::denied, decision.reason};
  switch (decision.state) {
    case ServiceState::quarantined:
      error.message = fmt::format("quarantined: {}", decision.reason);
      error.remedy =
          fmt::format("to try it once more: tallyman deploy {} --retry-quarantined", name);
      break;
    case ServiceState::absent:
      error.message = fmt::format("nothing to deploy: {}", decision.reason);
      error.remedy = "start it with compose first: nothing is started that was stopped";
      break;
    case ServiceState::pinned:
      error.message = "its containers run by digest, so there is no tag to deploy";
      error.remedy = "change the digest in its compose file, and run compose";
      break;
    default:
      break;
  }
  error.message = fmt::format("{} is not deployed: {}", name, error.message);
  return error;
}

Result<Goal> deploy_goal(const Order& order, const ServiceLook& service, Registry& registry) {
  auto reference = only_reference(service);
  if (!reference) {
    return std::unexpected(reference.error());
  }
  if (auto digest = Digest::parse(order.to)) {
    return Goal{std::move(*reference), std::move(*digest)};
  }
  const std::string text = fmt::format("{}:{}", reference->repository(), order.to);
  const auto tagged = ImageReference::parse(text);
  if (!tagged || tagged->digest() || tagged->tag() != order.to ||
      tagged->repository() != reference->repository()) {
    Error error{ErrorKind::config, fmt::format("{} is neither a digest nor a tag of {}",
                                               printable(order.to), reference->repository())};
    error.remedy = "name a whole digest (sha256:...) or a tag";
    return std::unexpected(std::move(error));
  }
  const auto remote = registry.resolve({*tagged}).front();
  if (!remote) {
    return std::unexpected(remote.error());
  }
  return Goal{std::move(*reference), remote->digest};
}

Result<std::vector<Goal>> goals_of_order(const Order& order, const ServiceLook& service,
                                         const Look& look, const std::vector<PastDeployment>& past,
                                         Registry& registry, const Memory& memory) {
  if (order.kind == Order::Kind::rollback) {
    auto goals = rollback_goals(order, service, *look.host, memory, past);
    if (goals && goals->empty()) {
      return fail(ErrorKind::not_found, "nothing to roll back to");
    }
    return goals;
  }
  auto goal = deploy_goal(order, service, registry);
  if (!goal) {
    return std::unexpected(goal.error());
  }
  return std::vector<Goal>{std::move(*goal)};
}

/// The image, if this host has it.
const Image* find_local(const Goal& goal, const Host& host, const Memory& memory) {
  for (const auto& [id, image] : host.images) {
    if (id == goal.digest.str() ||
        std::ranges::any_of(image.repo_digests, [&](const std::string& text) {
          return repo_digest_of(text, goal.reference) == goal.digest;
        })) {
      return &image;
    }
  }
  for (const auto& [name, service] : memory.services) {
    for (const KeptImage& kept : service.kept) {
      const auto image = host.images.find(kept.image_id);
      if (kept.reference == goal.reference.str() && kept.digest == goal.digest &&
          image != host.images.end()) {
        return &image->second;
      }
    }
  }
  return nullptr;
}

/// "v1.2.0 9c1f22ab"
std::string shown(const Goal& goal, const Image* image) {
  constexpr std::size_t k_digits = 8;
  std::string digest(goal.digest.hex().substr(0, k_digits));
  if (image == nullptr || image->version().empty()) {
    return digest;
  }
  return fmt::format("{} {}", printable_version(image->version()), digest);
}

/// One reference as if its registry offered what is wanted.
Result<Comparison> aimed_at(const Goal& goal, Comparison comparison, const Image* local,
                            Registry& registry, Engine& engine, Timestamp now) {
  comparison.remote = RemoteImage{goal.reference, goal.digest, now};
  comparison.platform_error.reset();
  auto platform = platform_of(comparison.running.replicas.front().container.image_id, engine);
  if (!platform) {
    return std::unexpected(platform.error());
  }
  comparison.platform = std::move(*platform);
  const auto local_id =
      local != nullptr ? Digest::parse(local->id) : fail(ErrorKind::not_found, "not on this host");
  if (local_id) {
    (*comparison.remote)->platform = PlatformImage{goal.digest, *local_id};
    return comparison;
  }
  auto inside = registry.look_into({{goal.reference, goal.digest, comparison.platform}}).front();
  if (!inside) {
    return std::unexpected(with_context(
        inside.error(),
        inside.error().kind == ErrorKind::not_found
            ? "no such digest"
            : fmt::format("{} is not on this host", goal.reference.at(goal.digest).familiar())));
  }
  (*comparison.remote)->platform = std::move(*inside);
  return comparison;
}

/// A member of the transaction with only what the goals are about, and that aimed at them.
Result<ServiceLook> aimed_look(const ServiceLook& service, const std::vector<Goal>& goals,
                               const Look& look, Registry& registry, Engine& engine,
                               const Memory& memory, Timestamp now) {
  ServiceLook aimed{.watch = service.watch};
  for (const Comparison& comparison : service.comparisons) {
    const auto goal = std::ranges::find(goals, comparison.running.reference, &Goal::reference);
    if (goal == goals.end()) {
      continue;
    }
    auto one =
        aimed_at(*goal, comparison, find_local(*goal, *look.host, memory), registry, engine, now);
    if (!one) {
      return std::unexpected(one.error());
    }
    aimed.comparisons.push_back(std::move(*one));
  }
  return aimed;
}

/// All of it, aimed at what the registry offers: a look does not go into what is current, or has
/// failed here.
Result<ServiceLook> looked_into(ServiceLook service, const Look& look, Registry& registry,
                                Engine& engine, const Memory& memory, Timestamp now) {
  for (Comparison& comparison : service.comparisons) {
    if (!comparison.remote || !comparison.remote->has_value()) {
      continue;
    }
    const Goal goal{comparison.running.reference, (*comparison.remote)->digest};
    auto one =
        aimed_at(goal, comparison, find_local(goal, *look.host, memory), registry, engine, now);
    if (!one) {
      return std::unexpected(one.error());
    }
    comparison = std::move(*one);
  }
  return service;
}

/// Images that need not be pulled.
void add_local_ids(const ServiceLook& service, const Look& look, const Memory& memory,
                   Ordered& ordered) {
  for (const Comparison& comparison : service.comparisons) {
    if (comparison.remote && comparison.remote->has_value()) {
      const Goal goal{comparison.running.reference, (*comparison.remote)->digest};
      if (const Image* local = find_local(goal, *look.host, memory)) {
        ordered.local_ids.insert_or_assign(goal.reference, local->id);
      }
    }
  }
}

Result<void> check_look(const Order& order, const ServiceLook& service, const Look& look) {
  if (!look.host || service.decision.reason_code == ReasonCode::config_error ||
      service.decision.reason_code == ReasonCode::state_error) {
    return std::unexpected(
        service.decision.error.value_or(Error{ErrorKind::bug, "it could not be looked at"}));
  }
  if (service.comparisons.empty() && service.by_id.empty()) {
    return std::unexpected(
        refusal({.watch = service.watch,
                 .decision = {.state = ServiceState::absent, .reason = service.decision.reason}}));
  }
  if (service.comparisons.empty() && order.pins()) {
    return std::unexpected(refusal(service));
  }
  return {};
}

}  // namespace

Result<ImageReference> only_reference(const ServiceLook& service) {
  std::vector<std::string> names;
  for (const Comparison& comparison : service.comparisons) {
    names.push_back(comparison.running.reference.familiar());
  }
  if (names.size() == 1) {
    return service.comparisons.front().running.reference;
  }
  Error error{ErrorKind::config,
              fmt::format("{} runs {} images, and a digest is of one: {}", service.watch.name,
                          names.size(), fmt::join(names, ", "))};
  error.remedy = "give each a drop-in of its own, with image = and services = under [compose]";
  return std::unexpected(std::move(error));
}

std::string_view Order::command() const {
  if (kind == Kind::rollback) {
    return "rollback";
  }
  return to.empty() ? "deploy" : "deploy --to";
}

Result<Ordered> carry_out(const Order& order, const Look& look,
                          const std::vector<PastDeployment>& past, Registry& registry,
                          Engine& engine, const Memory& memory, Timestamp now) {
  const auto named = std::ranges::find_if(look.services, [&](const ServiceLook& service) {
    return service.watch.name == order.service;
  });
  if (named == look.services.end()) {
    return fail(ErrorKind::bug, "{} was not looked at", order.service);
  }
  if (auto checked = check_look(order, *named, look); !checked) {
    return std::unexpected(checked.error());
  }
  if (auto checked = check_holds(order, look, memory, now); !checked) {
    return std::unexpected(checked.error());
  }
  Ordered ordered{
      .recreate = order.recreate,
      .trigger = {.name = std::string(order.kind == Order::Kind::rollback ? "rollback" : "deploy"),
                  .by = order.by,
                  .service = order.service}};
  std::vector<Goal> goals;
  if (order.pins()) {
    auto found = goals_of_order(order, *named, look, past, registry, memory);
    if (!found) {
      return std::unexpected(found.error());
    }
    goals = std::move(*found);
    std::vector<std::string> texts;
    for (const Goal& goal : goals) {
      texts.push_back(shown(goal, find_local(goal, *look.host, memory)));
    }
    ordered.trigger.hold =
        Hold{.reason = fmt::format(
                 "{} {}", order.kind == Order::Kind::rollback ? "rolled back to" : "deployed",
                 fmt::join(texts, ", ")),
             .by = order.by,
             .at = now,
             .command = std::string(order.command())};
  }
  const Moment moment{
      .now = now,
      .wish = Wish{.retry_quarantined = order.retry_quarantined, .recreate = order.recreate}};
  for (const ServiceLook& service : look.services) {
    const bool is_named = service.watch.name == order.service;
    auto aimed = Result<ServiceLook>(service);
    if (order.pins()) {
      aimed = aimed_look(service, goals, look, registry, engine, memory, now);
    } else if (order.recreate || order.retry_quarantined) {
      aimed = looked_into(service, look, registry, engine, memory, now);
    }
    if (!aimed) {
      return std::unexpected(aimed.error());
    }
    aimed->decision = decide(aimed->watch, aimed->comparisons, aimed->by_id, memory, moment);
    if (aimed->decision.action == Decision::Action::deploy) {
      if (order.pins() || order.recreate) {
        add_local_ids(*aimed, look, memory, ordered);
      }
      ordered.services.insert(is_named ? ordered.services.begin() : ordered.services.end(),
                              std::move(*aimed));
    } else if (is_named && !runs_already(*aimed)) {
      return std::unexpected(refusal(*aimed));
    }
  }
  // What shares an image with it does not go without it.
  if (!ordered.services.empty() && ordered.services.front().watch.name != order.service) {
    ordered.services.clear();
  }
  return ordered;
}

}  // namespace tallyman
