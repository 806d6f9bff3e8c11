#include "report/status_values.hpp"

namespace tallyman {
namespace {

using Json = nlohmann::ordered_json;

constexpr int k_schema = 1;

template <class Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json or_null(const std::optional<Timestamp>& time) {
  return time ? Json(format_rfc3339(*time)) : Json(nullptr);
}

Json or_null(const std::optional<Digest>& digest) {
  return digest ? Json(digest->str()) : Json(nullptr);
}

Json to_json(const ImageStatus& image) {
  return {{"reference", image.reference},
          {"remote",
           {{"digest", or_null(image.remote_digest)},
            {"checked_at", or_null(image.checked_at)},
            {"last_success_at", or_null(image.last_success_at)}}},
          {"running",
           {{"digest", or_null(image.running_digest)},
            {"image_id", or_null(image.image_id)},
            {"version", or_null(image.version)},
            {"revision", or_null(image.revision)},
            {"created", or_null(image.created)}}}};
}

Json to_json(const ContainerStatusEntry& container) {
  return {{"id", container.id},
          {"name", container.name},
          {"project", container.project},
          {"service", container.service},
          {"reference", container.reference},
          {"digest", or_null(container.digest)},
          {"since", or_null(container.since)},
          {"status", container.status},
          {"health", container.health},
          {"restarts", or_null(container.restarts)}};
}

Json to_json(const std::optional<Error>& error) {
  if (!error) {
    return nullptr;
  }
  Json json = {{"kind", to_string(error->kind)}, {"message", error->message}};
  if (!error->remedy.empty()) {
    json["remedy"] = error->remedy;
  }
  return json;
}

Json last_good_to_json(const ServiceStatus& service) {
  if (service.last_good.empty()) {
    return nullptr;
  }
  Json digests = Json::object();
  for (const auto& [reference, digest] : service.last_good) {
    digests[reference] = digest.str();
  }
  return {{"digests", std::move(digests)}, {"deployed_at", or_null(service.deployed_at)}};
}

Json to_json(const std::optional<DeploymentRecord>& record) {
  if (!record) {
    return nullptr;
  }
  return {{"id", record->id},
          {"result", record->result},
          {"from", or_null(record->from)},
          {"to", or_null(record->to)},
          {"finished_at", format_rfc3339(record->finished_at)},
          {"log", record->log.empty() ? Json(nullptr) : Json(record->log)}};
}

Json to_json(const RegistryStatus& registry) {
  const auto& rate = registry.rate_limit;
  const bool has_window = rate && rate->window.count() > 0;
  return {{"name", registry.name},
          {"limit", rate ? Json(rate->limit) : Json(nullptr)},
          {"remaining", rate ? Json(rate->remaining) : Json(nullptr)},
          {"window_seconds", has_window ? Json(rate->window.count()) : Json(nullptr)},
          {"not_before", or_null(registry.not_before)}};
}

Json to_json(const std::optional<Hold>& hold) {
  if (!hold) {
    return nullptr;
  }
  return {{"reason", hold->reason},
          {"until", or_null(hold->until)},
          {"by", hold->who()},
          {"since", format_rfc3339(hold->at)}};
}

Json to_json(const std::optional<Drift>& drift) {
  if (!drift) {
    return nullptr;
  }
  return {{"since", format_rfc3339(drift->since)},
          {"services", drift->services},
          {"files", drift->files},
          {"message", drift->message}};
}

Json to_json(const ServiceStatus& service);

template <class Entry>
Json list(const std::vector<Entry>& entries) {
  Json json = Json::array();
  for (const Entry& entry : entries) {
    json.push_back(to_json(entry));
  }
  return json;
}

Json to_json(const ServiceStatus& service) {
  Json quarantined = Json::array();
  for (const Digest& digest : service.quarantined) {
    quarantined.push_back(digest.str());
  }
  return {{"name", service.name},
          {"state", to_string(service.state)},
          {"reason_code", to_string(service.reason_code)},
          {"reason", service.reason},
          {"update_available", or_null(service.update_available)},
          {"healthy", or_null(service.healthy)},
          {"images", list(service.images)},
          {"containers", list(service.containers)},
          {"last_good", last_good_to_json(service)},
          {"last_deployment", to_json(service.last_deployment)},
          {"pending_since", or_null(service.pending_since)},
          {"consecutive_failures", service.consecutive_failures},
          {"quarantined", std::move(quarantined)},
          {"hold", to_json(service.hold)},
          {"drift", to_json(service.drift)},
          {"error", to_json(service.error)}};
}

/// Reads what to_json wrote; whatever is missing or of another type is left empty.
class Reader {
 public:
  explicit Reader(const Json& json) : m_json(json) {}

  [[nodiscard]] Reader in(const char* key) const { return Reader(at(key)); }
  [[nodiscard]] bool present() const { return m_json.is_object(); }
  [[nodiscard]] const Json& at(const char* key) const {
    static const Json k_null;
    if (!m_json.is_object()) {
      return k_null;
    }
    const auto found = m_json.find(key);
    return found != m_json.end() ? *found : k_null;
  }
  /// The elements of a list; of anything else none.
  [[nodiscard]] const Json& list(const char* key) const {
    static const Json k_none = Json::array();
    const Json& value = at(key);
    return value.is_array() ? value : k_none;
  }
  [[nodiscard]] std::optional<std::string> maybe_text(const char* key) const {
    const Json& value = at(key);
    return value.is_string() ? std::optional(value.get<std::string>()) : std::nullopt;
  }
  [[nodiscard]] std::string text(const char* key) const { return maybe_text(key).value_or(""); }
  [[nodiscard]] std::optional<bool> boolean(const char* key) const {
    const Json& value = at(key);
    return value.is_boolean() ? std::optional(value.get<bool>()) : std::nullopt;
  }
  [[nodiscard]] std::optional<int> number(const char* key) const {
    const Json& value = at(key);
    return value.is_number_integer() ? std::optional(value.get<int>()) : std::nullopt;
  }
  [[nodiscard]] std::optional<Timestamp> time(const char* key) const {
    return parse_rfc3339(text(key));
  }
  [[nodiscard]] std::optional<Digest> digest(const char* key) const {
    auto digest = Digest::parse(text(key));
    return digest ? std::optional(std::move(*digest)) : std::nullopt;
  }

 private:
  const Json& m_json;
};

ImageStatus image_of(const Reader& reader) {
  const Reader remote = reader.in("remote");
  const Reader running = reader.in("running");
  return {.reference = reader.text("reference"),
          .remote_digest = remote.maybe_text("digest"),
          .checked_at = remote.time("checked_at"),
          .last_success_at = remote.time("last_success_at"),
          .running_digest = running.maybe_text("digest"),
          .image_id = running.maybe_text("image_id"),
          .version = running.maybe_text("version"),
          .revision = running.maybe_text("revision"),
          .created = running.time("created")};
}

ContainerStatusEntry container_of(const Reader& reader) {
  return {.id = reader.text("id"),
          .name = reader.text("name"),
          .project = reader.text("project"),
          .service = reader.text("service"),
          .reference = reader.text("reference"),
          .digest = reader.maybe_text("digest"),
          .since = reader.time("since"),
          .status = reader.text("status"),
          .health = reader.text("health"),
          .restarts = reader.number("restarts")};
}

std::optional<Error> error_of(const Reader& reader) {
  if (!reader.present()) {
    return std::nullopt;
  }
  return Error{parse_error_kind(reader.text("kind")).value_or(ErrorKind::bug),
               reader.text("message"), reader.text("remedy")};
}

std::optional<DeploymentRecord> record_of(const Reader& reader) {
  if (!reader.present()) {
    return std::nullopt;
  }
  return DeploymentRecord{reader.text("id"),
                          reader.text("result"),
                          reader.digest("from"),
                          reader.digest("to"),
                          reader.time("finished_at").value_or(Timestamp{}),
                          reader.text("log")};
}

std::optional<Hold> hold_of(const Reader& reader) {
  if (!reader.present()) {
    return std::nullopt;
  }
  return Hold{.reason = reader.text("reason"),
              .until = reader.time("until"),
              .by = reader.text("by"),
              .at = reader.time("since").value_or(Timestamp{})};
}

std::vector<std::string> texts_of(const Json& list) {
  std::vector<std::string> texts;
  for (const Json& value : list) {
    if (value.is_string()) {
      texts.push_back(value.get<std::string>());
    }
  }
  return texts;
}

std::optional<Drift> drift_of(const Reader& reader) {
  if (!reader.present()) {
    return std::nullopt;
  }
  return Drift{.since = reader.time("since").value_or(Timestamp{}),
               .services = texts_of(reader.list("services")),
               .files = texts_of(reader.list("files")),
               .message = reader.text("message")};
}

ServiceStatus service_of(const Reader& reader) {
  ServiceStatus service{
      .name = reader.text("name"),
      .state = parse_service_state(reader.text("state")).value_or(ServiceState::unknown),
      .reason_code =
          parse_reason_code(reader.text("reason_code")).value_or(ReasonCode::config_error),
      .reason = reader.text("reason"),
      .update_available = reader.boolean("update_available"),
      .healthy = reader.boolean("healthy"),
      .deployed_at = reader.in("last_good").time("deployed_at"),
      .last_deployment = record_of(reader.in("last_deployment")),
      .pending_since = reader.time("pending_since"),
      .consecutive_failures = reader.number("consecutive_failures").value_or(0),
      .hold = hold_of(reader.in("hold")),
      .drift = drift_of(reader.in("drift")),
      .error = error_of(reader.in("error"))};
  for (const Json& image : reader.list("images")) {
    service.images.push_back(image_of(Reader(image)));
  }
  for (const Json& container : reader.list("containers")) {
    service.containers.push_back(container_of(Reader(container)));
  }
  for (const Json& value : reader.list("quarantined")) {
    if (auto digest = Digest::parse(value.is_string() ? value.get<std::string>() : "")) {
      service.quarantined.push_back(std::move(*digest));
    }
  }
  for (const auto& [reference, value] : reader.in("last_good").at("digests").items()) {
    if (auto digest = Digest::parse(value.is_string() ? value.get<std::string>() : "")) {
      service.last_good.emplace(reference, std::move(*digest));
    }
  }
  return service;
}

RegistryStatus registry_of(const Reader& reader) {
  RegistryStatus registry{.name = reader.text("name"), .not_before = reader.time("not_before")};
  const auto limit = reader.number("limit");
  const auto remaining = reader.number("remaining");
  if (limit && remaining) {
    registry.rate_limit = {*limit, *remaining,
                           std::chrono::seconds(reader.number("window_seconds").value_or(0))};
  }
  return registry;
}

}  // namespace

Json service_to_json(const ServiceStatus& service) {
  return to_json(service);
}

Json registry_to_json(const RegistryStatus& registry) {
  return to_json(registry);
}

Json error_to_json(const std::optional<Error>& error) {
  return to_json(error);
}

std::string status_to_json(const StatusDocument& status) {
  Json summary = {{"services", status.services.size()}};
  for (const ServiceState state : k_all_states) {
    summary[std::string(to_string(state))] = status.count(state);
  }
  const Json root = {{"schema", k_schema},
                     {"tallyman", status.version},
                     {"host", status.host},
                     {"run",
                      {{"id", status.run_id},
                       {"trigger", status.trigger},
                       {"started_at", format_rfc3339(status.started_at)},
                       {"finished_at", format_rfc3339(status.finished_at)},
                       {"duration_ms", status.duration.count()},
                       {"result", status.result()}}},
                     {"summary", std::move(summary)},
                     {"services", list(status.services)},
                     {"registries", list(status.registries)}};
  return root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<StatusDocument> parse_status(std::string_view text) {
  const Json root = Json::parse(text, nullptr, false);
  const Reader reader(root);
  if (reader.number("schema") != k_schema) {
    return fail(ErrorKind::protocol, "not a status file of schema {}", k_schema);
  }
  const Reader run = reader.in("run");
  StatusDocument status{
      .version = reader.text("tallyman"),
      .host = reader.text("host"),
      .run_id = run.text("id"),
      .trigger = run.text("trigger"),
      .started_at = run.time("started_at").value_or(Timestamp{}),
      .finished_at = run.time("finished_at").value_or(Timestamp{}),
      .duration = std::chrono::milliseconds(run.number("duration_ms").value_or(0))};
  for (const Json& service : reader.list("services")) {
    status.services.push_back(service_of(Reader(service)));
  }
  for (const Json& registry : reader.list("registries")) {
    status.registries.push_back(registry_of(Reader(registry)));
  }
  return status;
}

}  // namespace tallyman
