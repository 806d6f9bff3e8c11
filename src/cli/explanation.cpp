#include "cli/explanation.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "tallyman/deploy/compose_target.hpp"
#include "tallyman/tick/deployment_order.hpp"
#include "tallyman/tick/service_status.hpp"
#include "tallyman/tick/transactions.hpp"

namespace tallyman {
namespace {

const Watch* find_watch(const Config& config, const ServiceName& name) {
  const auto found = std::ranges::find(config.watches, name, &Watch::name);
  return found != config.watches.end() ? &*found : nullptr;
}

/// What the decision can hang on: the transaction, and all that it is deployed after.
std::vector<ServiceName> concerned(const Config& config, std::vector<ServiceName> names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Watch* watch = find_watch(config, names[i]);
    for (const ServiceName& name : watch != nullptr ? watch->after : std::vector<ServiceName>{}) {
      if (std::ranges::find(names, name) == names.end()) {
        names.push_back(name);
      }
    }
  }
  return names;
}

/// How the deployments of a tick would go that deploys these, all of them well.
struct Outlook {
  std::vector<const ServiceLook*> group = {};  ///< with which the service is deployed
  std::string obstacle = {};
};

Outlook outlook_of(const ServiceName& name, const Look& look,
                   std::map<ServiceName, Standing>& standings) {
  std::vector<const ServiceLook*> due;
  std::vector<DeploymentRequest> requests;
  for (const ServiceLook& service : look.services) {
    standings[service.watch.name] = {service.decision.state, service.decision.reason_code};
    if (service.decision.action == Decision::Action::deploy) {
      due.push_back(&service);
      requests.push_back({service.watch, service.comparisons, service.decision});
    }
  }
  DeploymentOrder order(requests, group_by_reference(requests));
  while (!order.empty()) {
    const DeploymentOrder::Next next = order.take(standings);
    Outlook outlook{.obstacle = next.obstacle};
    for (const std::size_t index : next.group) {
      outlook.group.push_back(due.at(index));
      if (!next.obstacle.empty()) {
        standings[due.at(index)->watch.name] = {ServiceState::pending, ReasonCode::predecessor};
      }
    }
    if (std::ranges::any_of(outlook.group,
                            [&](const ServiceLook* one) { return one->watch.name == name; })) {
      return outlook;
    }
  }
  return {};
}

NextStep deployment_step(const Outlook& outlook, const Host& host, Deployer& deployer) {
  std::vector<DeploymentRequest> requests;
  for (const ServiceLook* service : outlook.group) {
    requests.push_back({service->watch, service->comparisons, service->decision});
  }
  const auto plan = make_plan(requests, host);
  const auto prepared = plan ? deployer.prepare(*plan)
                             : Result<std::vector<PreparedProject>>(std::unexpected(plan.error()));
  if (!prepared) {
    return {.text = "a run would deploy it, but for an obstacle", .obstacle = prepared.error()};
  }
  NextStep step{.deploys = true, .text = "the next run deploys it, and would run"};
  for (const PreparedProject& project : *prepared) {
    step.commands.push_back(shell_line(project.recreate, project.plan.shown_environment()));
  }
  return step;
}

/// What a look leaves out where it does not matter to the decision: what is behind the digest.
void look_inside(ServiceLook& service, Registry& registry, Engine& engine) {
  std::vector<Comparison*> open;
  std::vector<Registry::PlatformQuestion> questions;
  for (Comparison& comparison : service.comparisons) {
    const bool answered = comparison.remote && comparison.remote->has_value();
    if (!answered || (*comparison.remote)->platform || comparison.platform_error) {
      continue;
    }
    const RemoteImage& remote = **comparison.remote;
    auto platform = platform_of(comparison.running.replicas.front().container.image_id, engine);
    if (platform) {
      comparison.platform = std::move(*platform);
      open.push_back(&comparison);
      questions.push_back({remote.reference, remote.digest, comparison.platform});
    }
  }
  const auto answers = registry.look_into(questions);
  for (std::size_t i = 0; i < open.size(); ++i) {
    if (answers.at(i)) {
      (*open[i]->remote)->platform = *answers[i];
    }
  }
}

ExplainedImage explained_image(const Comparison& comparison, const ImageDecision* decision,
                               Registry& registry, const Memory& memory) {
  ExplainedImage image{.question = comparison.question, .platform = comparison.platform};
  const ImageReference& reference = comparison.running.reference;
  if (comparison.question == Question::ask) {
    image.access = registry.describe_access(reference);
  }
  if (const auto seen = memory.seen.find(reference.str()); seen != memory.seen.end()) {
    image.last_digest = seen->second.digest;
  }
  if (comparison.remote && comparison.remote->has_value()) {
    image.inside = (*comparison.remote)->platform;
    image.error = comparison.platform_error;
  } else if (comparison.remote) {
    image.error = comparison.remote->error();
  }
  if (decision != nullptr) {
    image.decision = *decision;
  }
  return image;
}

ExplainedContainer explained_replica(const Comparison& comparison, const Replica& replica,
                                     const Memory& memory) {
  ExplainedContainer container{.created_from = replica.container.image,
                               .image_id = replica.container.image_id,
                               .digests = own_digests(comparison.running.reference, replica),
                               .version = label_of(replica.image, k_label_version),
                               .revision = label_of(replica.image, k_label_revision)};
  if (comparison.remote && comparison.remote->has_value()) {
    container.match = match(**comparison.remote, replica, memory);
  }
  return container;
}

/// Both sides, image by image and container by container, as service_status() lists them.
void add_sides(const ServiceLook& seen, Registry& registry, Engine& engine, const Memory& memory,
               Explanation& explanation) {
  const auto& decisions = seen.decision.images;
  for (std::size_t i = 0; i < seen.comparisons.size(); ++i) {
    const Comparison& comparison = seen.comparisons[i];
    explanation.images.push_back(explained_image(
        comparison, i < decisions.size() ? &decisions[i] : nullptr, registry, memory));
    for (const Replica& replica : comparison.running.replicas) {
      explanation.containers.push_back(explained_replica(comparison, replica, memory));
    }
  }
  for (const Container& container : seen.by_id) {
    explanation.containers.push_back(
        {.created_from = container.image, .image_id = container.image_id});
  }
  for (std::size_t i = 0; i < explanation.containers.size(); ++i) {
    ContainerStatusEntry& entry = explanation.service.containers.at(i);
    if (const auto inspected = engine.inspect_container(entry.id)) {
      entry.restarts = inspected->restarts;
      explanation.containers[i].started_at = inspected->started;
    }
  }
}

/// Memory as it is, without what this look would add to it.
void add_memory(const Memory& memory, Timestamp now, Explanation& explanation) {
  const auto found = memory.services.find(explanation.service.name);
  if (found != memory.services.end()) {
    explanation.memory = found->second;
  }
  explanation.service.pending_since = explanation.memory.pending_since;
  explanation.service.consecutive_failures = explanation.memory.consecutive_failures;
  const FailedAttempts& attempts = explanation.memory.attempts;
  const Timestamp next = attempts.last + backoff(attempts.count);
  if (attempts.count > 0 && attempts.last <= now && next > now) {
    explanation.next_attempt = next;
  }
}

void add_registries(const ServiceLook& seen, const Memory& memory, Timestamp now,
                    Explanation& explanation) {
  std::set<std::string> domains;
  for (const Comparison& comparison : seen.comparisons) {
    domains.insert(comparison.running.reference.domain());
  }
  for (RegistryStatus& registry : registry_statuses(memory, now)) {
    if (domains.contains(registry.name)) {
      explanation.registries.push_back(std::move(registry));
    }
  }
}

void add_drop_in(const Config& config, const Watch& watch, Explanation& explanation) {
  const auto broken = std::ranges::find(config.broken, watch.name, &BrokenDropIn::name);
  if (broken != config.broken.end()) {
    for (const Problem& problem : broken->problems) {
      explanation.problems.push_back(problem.str());
    }
    return;
  }
  const bool services = !watch.compose.services.empty();
  const std::string_view by = !services     ? "image"
                              : watch.image ? "image_and_compose_services"
                                            : "compose_services";
  explanation.drop_in = ExplainedDropIn{.file = watch.file,
                                        .mode = watch.mode,
                                        .stable_checks = watch.stable_checks,
                                        .selects = selection_text(watch),
                                        .selected_by = std::string(by)};
}

std::vector<ServiceName> holders_of(const std::vector<ServiceName>& transaction,
                                    const Memory& memory, Timestamp now) {
  std::vector<ServiceName> holders;
  for (const ServiceName& name : transaction) {
    const auto hold = memory.holds.find(name);
    if (hold != memory.holds.end() && hold->second && !hold->second->is_over(now)) {
      holders.push_back(name);
    }
  }
  return holders;
}

}  // namespace

Explanation make_explanation(const Config& config, const ExplainOptions& options,
                             Registry& registry, Engine& engine, Deployer& deployer, Memory memory,
                             Timestamp now) {
  const ServiceName& name = options.service;
  std::vector<ServiceName> transaction = {name};
  if (find_watch(config, name) != nullptr) {
    if (const auto host = engine.observe()) {
      transaction = transaction_of(name, config, *host);
    }
  }
  Look look = look_at(config, concerned(config, transaction), registry, engine, memory,
                      {.now = now, .patient = true});
  ServiceLook& seen = *std::ranges::find_if(
      look.services, [&](const ServiceLook& one) { return one.watch.name == name; });
  std::map<ServiceName, Standing> standings;
  const Outlook outlook = outlook_of(name, look, standings);
  const std::vector<ServiceName> holders = holders_of(transaction, memory, now);
  NextStep deployment;
  if (!outlook.obstacle.empty()) {
    seen.decision.action = Decision::Action::none;
    seen.decision.reason_code = ReasonCode::predecessor;
    seen.decision.reason = outlook.obstacle;
  } else if (!outlook.group.empty()) {
    deployment = deployment_step(outlook, *look.host, deployer);
  }
  look_inside(seen, registry, engine);

  std::optional<Selector> running;
  if (look.host) {
    running.emplace(*look.host);
  }
  Memory scratch = memory;
  Explanation explanation{
      .version = options.version,
      .host = options.host_name,
      .at = now,
      .service = service_status(seen, running ? &*running : nullptr, nullptr, now, scratch),
      .rule = std::string(rule_of(seen.decision.reason_code))};
  add_drop_in(config, seen.watch, explanation);
  add_sides(seen, registry, engine, memory, explanation);
  add_registries(seen, memory, now, explanation);
  add_memory(memory, now, explanation);
  std::erase(transaction, name);
  explanation.transaction = std::move(transaction);
  for (const ServiceName& before : seen.watch.after) {
    const Standing& standing = standings[before];
    explanation.after.push_back(
        {before, standing.state, standing.reason_code, has_failed(standing)});
  }
  explanation.next = deployment.text.empty() ? step_without_deployment(explanation, holders)
                                             : std::move(deployment);
  return explanation;
}

}  // namespace tallyman
