#include <algorithm>

#include <nlohmann/json.hpp>

#include "tallyman/state/state_directory.hpp"

namespace tallyman {
namespace {

using Json = nlohmann::ordered_json;

constexpr int k_schema = 1;

Json digest_or_null(const std::optional<Digest>& digest) {
  return digest ? Json(digest->str()) : Json(nullptr);
}

Json time_or_null(const std::optional<Timestamp>& time) {
  return time ? Json(format_rfc3339(*time)) : Json(nullptr);
}

std::string text_member(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

std::optional<Digest> digest_of(const Json& json, const char* key) {
  auto digest = Digest::parse(text_member(json, key));
  return digest ? std::optional(std::move(*digest)) : std::nullopt;
}

std::optional<Timestamp> time_of(const Json& json, const char* key) {
  return parse_rfc3339(text_member(json, key));
}

/// The member if it has the type that belongs there, else an empty one.
const Json& member(const Json& json, const char* key, Json::value_t type) {
  static const Json k_empty_object = Json::object();
  static const Json k_empty_array = Json::array();
  const auto found = json.find(key);
  if (found != json.end() && found->type() == type) {
    return *found;
  }
  return type == Json::value_t::object ? k_empty_object : k_empty_array;
}

int number_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_integer() ? found->get<int>() : 0;
}

bool flag_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_boolean() && found->get<bool>();
}

Json digests_to_json(const std::map<std::string, Digest>& digests) {
  Json json = Json::object();
  for (const auto& [reference, digest] : digests) {
    json[reference] = digest.str();
  }
  return json;
}

std::map<std::string, Digest> digests_of(const Json& json) {
  std::map<std::string, Digest> digests;
  for (const auto& [reference, value] : json.items()) {
    if (auto digest = Digest::parse(value.is_string() ? value.get<std::string>() : "")) {
      digests.emplace(reference, std::move(*digest));
    }
  }
  return digests;
}

Json candidates_to_json(const std::map<std::string, Candidate>& candidates) {
  Json json = Json::object();
  for (const auto& [reference, candidate] : candidates) {
    json[reference] = {{"digest", candidate.digest.str()}, {"checks", candidate.checks}};
  }
  return json;
}

std::map<std::string, Candidate> candidates_of(const Json& json) {
  std::map<std::string, Candidate> candidates;
  for (const auto& [reference, value] : json.items()) {
    const int checks = value.is_object() ? number_of(value, "checks") : 0;
    if (checks < 1) {
      continue;
    }
    if (auto digest = digest_of(value, "digest")) {
      candidates.emplace(reference,
                         Candidate{std::move(*digest), std::min(checks, k_most_stable_checks)});
    }
  }
  return candidates;
}

Json quarantined_to_json(const std::vector<Quarantined>& entries) {
  Json json = Json::array();
  for (const Quarantined& entry : entries) {
    json.push_back({{"reference", entry.reference},
                    {"digest", entry.digest.str()},
                    {"manifest", digest_or_null(entry.manifest)},
                    {"reason", entry.reason},
                    {"at", format_rfc3339(entry.at)}});
  }
  return json;
}

std::vector<Quarantined> quarantined_of(const Json& json) {
  std::vector<Quarantined> entries;
  for (const Json& entry : json) {
    if (auto digest = digest_of(entry, "digest")) {
      entries.push_back({text_member(entry, "reference"), std::move(*digest),
                         digest_of(entry, "manifest"), text_member(entry, "reason"),
                         time_of(entry, "at").value_or(Timestamp{})});
    }
  }
  return entries;
}

Json kept_to_json(const std::vector<KeptImage>& images) {
  Json json = Json::array();
  for (const KeptImage& image : images) {
    json.push_back({{"reference", image.reference},
                    {"image_id", image.image_id},
                    {"digest", digest_or_null(image.digest)},
                    {"tag", image.tag},
                    {"deployed", image.deployed},
                    {"at", format_rfc3339(image.at)}});
  }
  return json;
}

std::vector<KeptImage> kept_of(const Json& json) {
  std::vector<KeptImage> images;
  for (const Json& image : json) {
    images.push_back({text_member(image, "reference"), text_member(image, "image_id"),
                      digest_of(image, "digest"), text_member(image, "tag"),
                      flag_of(image, "deployed"), time_of(image, "at").value_or(Timestamp{})});
  }
  return images;
}

Json model_to_json(const ComposeModel& model) {
  return {{"made_by", model.made_by},
          {"hash", model.hash},
          {"settings", model.inputs.settings},
          {"files", model.inputs.files}};
}

ComposeModel model_of(const Json& json) {
  ComposeModel model{.made_by = text_member(json, "made_by"),
                     .hash = text_member(json, "hash"),
                     .inputs = {.settings = text_member(json, "settings"), .files = {}}};
  for (const auto& [path, stamp] : member(json, "files", Json::value_t::object).items()) {
    model.inputs.files.emplace(path, stamp.is_string() ? stamp.get<std::string>() : "");
  }
  return model;
}

Json models_to_json(const ModelMemory& models) {
  Json json = Json::array();
  for (const auto& [key, service] : models) {
    json.push_back({{"project", key.first},
                    {"service", key.second},
                    {"applied", model_to_json(service.applied)},
                    {"label", service.label},
                    {"at", format_rfc3339(service.at)},
                    {"changed", nullptr}});
    if (const auto& changed = service.changed) {
      json.back()["changed"] = model_to_json(changed->model);
      json.back()["changed"]["since"] = format_rfc3339(changed->since);
    }
  }
  return json;
}

ModelMemory models_of(const Json& json) {
  ModelMemory models;
  for (const Json& entry : json) {
    const Json& changed = member(entry, "changed", Json::value_t::object);
    ServiceModels service{.applied = model_of(member(entry, "applied", Json::value_t::object)),
                          .label = text_member(entry, "label"),
                          .at = time_of(entry, "at").value_or(Timestamp{})};
    if (!changed.empty()) {
      service.changed = {model_of(changed), time_of(changed, "since").value_or(Timestamp{})};
    }
    models.insert_or_assign({text_member(entry, "project"), text_member(entry, "service")},
                            std::move(service));
  }
  return models;
}

Json service_to_json(const ServiceMemory& service) {
  Json json = {{"last_good", digests_to_json(service.last_good)},
               {"settled", digests_to_json(service.settled)},
               {"deployed_at", time_or_null(service.deployed_at)},
               {"pending_since", time_or_null(service.pending_since)},
               {"consecutive_failures", service.consecutive_failures},
               {"attempts",
                {{"digest", digest_or_null(service.attempts.digest)},
                 {"count", service.attempts.count},
                 {"touched", service.attempts.touched},
                 {"mirror_lags", service.attempts.mirror_lags},
                 {"last", format_rfc3339(service.attempts.last)}}},
               {"candidates", candidates_to_json(service.candidates)},
               {"broken", service.broken},
               {"quarantined", quarantined_to_json(service.quarantined)},
               {"kept", kept_to_json(service.kept)},
               {"models", models_to_json(service.models)},
               {"last_deployment", nullptr}};
  if (service.last_deployment) {
    const DeploymentRecord& record = *service.last_deployment;
    json["last_deployment"] = {{"id", record.id},
                               {"result", record.result},
                               {"from", digest_or_null(record.from)},
                               {"to", digest_or_null(record.to)},
                               {"finished_at", format_rfc3339(record.finished_at)},
                               {"log", record.log}};
  }
  return json;
}

ServiceMemory service_of(const Json& json) {
  ServiceMemory service;
  service.last_good = digests_of(member(json, "last_good", Json::value_t::object));
  service.settled = digests_of(member(json, "settled", Json::value_t::object));
  service.deployed_at = time_of(json, "deployed_at");
  service.pending_since = time_of(json, "pending_since");
  service.consecutive_failures = number_of(json, "consecutive_failures");
  const Json& attempts = member(json, "attempts", Json::value_t::object);
  service.attempts = {
      digest_of(attempts, "digest"), number_of(attempts, "count"), number_of(attempts, "touched"),
      time_of(attempts, "last").value_or(Timestamp{}), flag_of(attempts, "mirror_lags")};
  service.candidates = candidates_of(member(json, "candidates", Json::value_t::object));
  service.broken = text_member(json, "broken");
  service.quarantined = quarantined_of(member(json, "quarantined", Json::value_t::array));
  service.kept = kept_of(member(json, "kept", Json::value_t::array));
  service.models = models_of(member(json, "models", Json::value_t::array));
  const Json& record = member(json, "last_deployment", Json::value_t::object);
  if (!record.empty()) {
    service.last_deployment = DeploymentRecord{text_member(record, "id"),
                                               text_member(record, "result"),
                                               digest_of(record, "from"),
                                               digest_of(record, "to"),
                                               time_of(record, "finished_at").value_or(Timestamp{}),
                                               text_member(record, "log")};
  }
  return service;
}

Json registry_to_json(const RegistryMemory& registry) {
  Json json = {{"token_service", nullptr},
               {"single_tokens_since", time_or_null(registry.single_tokens_since)},
               {"rate_limit", nullptr},
               {"not_before", time_or_null(registry.not_before)}};
  if (const auto& service = registry.token_service) {
    json["token_service"] = {{"realm", service->realm},
                             {"service", service->service},
                             {"at", format_rfc3339(service->at)}};
  }
  if (const auto& rate = registry.rate_limit) {
    json["rate_limit"] = {{"limit", rate->limit},
                          {"remaining", rate->remaining},
                          {"window_seconds", rate->window.count()}};
  }
  return json;
}

RegistryMemory registry_of(const Json& json) {
  RegistryMemory registry;
  registry.not_before = time_of(json, "not_before");
  registry.single_tokens_since = time_of(json, "single_tokens_since");
  const Json& service = member(json, "token_service", Json::value_t::object);
  if (const auto at = time_of(service, "at")) {
    registry.token_service = {text_member(service, "realm"), text_member(service, "service"), *at};
  }
  const Json& rate = member(json, "rate_limit", Json::value_t::object);
  if (!rate.empty()) {
    registry.rate_limit = {number_of(rate, "limit"), number_of(rate, "remaining"),
                           std::chrono::seconds(number_of(rate, "window_seconds"))};
  }
  return registry;
}

}  // namespace

std::string memory_to_json(const Memory& memory) {
  Json seen = Json::object();
  for (const auto& [reference, entry] : memory.seen) {
    seen[reference] = {{"digest", entry.digest.str()}, {"at", format_rfc3339(entry.at)}};
  }
  Json equivalent = Json::array();
  for (const auto& [digest, image_id] : memory.equivalent) {
    equivalent.push_back({{"digest", digest.str()}, {"image_id", image_id}});
  }
  Json services = Json::object();
  for (const auto& [name, service] : memory.services) {
    services[name] = service_to_json(service);
  }
  Json registries = Json::object();
  for (const auto& [domain, registry] : memory.registries) {
    registries[domain] = registry_to_json(registry);
  }
  const Json root = {{"schema", k_schema},
                     {"seen", std::move(seen)},
                     {"equivalent", std::move(equivalent)},
                     {"services", std::move(services)},
                     {"registries", std::move(registries)},
                     {"asked", memory.asked}};
  return root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Memory> parse_memory(std::string_view text) {
  const Json root = Json::parse(text, nullptr, false);
  if (!root.is_object()) {
    return fail(ErrorKind::protocol, "no JSON object");
  }
  const auto schema = root.find("schema");
  if (schema == root.end() || !schema->is_number_integer() || *schema != k_schema) {
    return fail(ErrorKind::protocol, "not of schema {}", k_schema);
  }
  Memory memory;
  for (const auto& [reference, entry] : member(root, "seen", Json::value_t::object).items()) {
    if (auto digest = digest_of(entry, "digest")) {
      memory.seen.emplace(
          reference, Memory::Seen{std::move(*digest), time_of(entry, "at").value_or(Timestamp{})});
    }
  }
  for (const Json& entry : member(root, "equivalent", Json::value_t::array)) {
    if (auto digest = digest_of(entry, "digest")) {
      memory.equivalent.emplace(std::move(*digest), text_member(entry, "image_id"));
    }
  }
  for (const auto& [name, service] : member(root, "services", Json::value_t::object).items()) {
    memory.services.emplace(name, service_of(service));
  }
  for (const auto& [domain, registry] : member(root, "registries", Json::value_t::object).items()) {
    if (registry.is_object()) {
      memory.registries.emplace(domain, registry_of(registry));
    }
  }
  for (const Json& reference : member(root, "asked", Json::value_t::array)) {
    if (reference.is_string()) {
      memory.asked.insert(reference.get<std::string>());
    }
  }
  return memory;
}

}  // namespace tallyman
