#include "state/journal_values.hpp"

#include "tallyman/state/hold_store.hpp"

namespace tallyman::journal_values {

Json put(const Digest& digest) {
  return digest.str();
}
Digest get_digest(const Json& json) {
  return checked(Digest::parse(json.get<std::string>()));
}

Json put(const ImageReference& reference) {
  return reference.str();
}
ImageReference get_reference(const Json& json) {
  return checked(ImageReference::parse(json.get<std::string>()));
}

Json put(Timestamp time) {
  return format_rfc3339(time);
}
Timestamp get_time(const Json& json) {
  const auto text = json.get<std::string>();
  return checked(parse_rfc3339(text), text);
}

Json put(std::chrono::milliseconds span) {
  return span.count();
}
std::chrono::milliseconds get_span(const Json& json) {
  return std::chrono::milliseconds(get_whole<std::int64_t>(json));
}

Json put(const Error& error) {
  return {{"kind", to_string(error.kind)}, {"message", error.message}, {"remedy", error.remedy}};
}
Error get_error(const Json& json) {
  const auto kind = json.at("kind").get<std::string>();
  return {checked(parse_error_kind(kind), kind), json.at("message"), json.at("remedy")};
}

Json put(const Step& step) {
  return {{"name", step.name}, {"text", step.text}, {"ms", put(step.took)}, {"at", put(step.at)}};
}
Step get_step(const Json& json) {
  return {json.at("name"), json.at("text"), get_span(json.at("ms")),
          json.contains("at") ? get_time(json.at("at")) : Timestamp{}};
}

Json put(const PlannedContainer& container) {
  return {{"id", container.id},
          {"name", container.name},
          {"number", container.number},
          {"image_id", container.image_id}};
}
PlannedContainer get_container(const Json& json) {
  return {json.at("id"), json.at("name"), get_whole<int>(json.at("number")), json.at("image_id")};
}

Json put(const ServicePlan& service) {
  return {{"name", service.name},
          {"reference", put(service.reference)},
          {"containers", put(service.containers)},
          {"bystanders", service.bystanders}};
}
ServicePlan get_service(const Json& json) {
  return {.name = json.at("name"),
          .reference = get_reference(json.at("reference")),
          .containers = get_list(json.at("containers"), get_container),
          .bystanders = json.at("bystanders").get<std::vector<std::string>>()};
}

/// Of compose's settings, or a script's, only the project's name is needed again: the command is
/// there as a whole.
Json put(const ProjectPlan& project) {
  return {{"drop_in", project.drop_in},        {"project", project.compose.project},
          {"by_script", project.by_script},    {"created_by_v1", project.created_by_v1},
          {"services", put(project.services)}, {"followers", put(project.followers)}};
}
ProjectPlan get_project(const Json& json) {
  return {.drop_in = json.value("drop_in", ""),
          .compose = {.project = json.at("project")},
          .by_script = json.value("by_script", false),
          .created_by_v1 = json.at("created_by_v1"),
          .services = get_list(json.at("services"), get_service),
          .followers = get_list(json.at("followers"), get_service)};
}

Json put(const OldImage& image) {
  return {{"project", image.project},
          {"image_id", image.image_id},
          {"digest", put(image.digest)},
          {"version", image.version}};
}
OldImage get_old_image(const Json& json) {
  return {json.at("project"), json.at("image_id"), get_optional(json.at("digest"), get_digest),
          json.value("version", "")};
}

Json put(const ImagePlan& image) {
  return {{"reference", put(image.reference)}, {"digest", put(image.digest)},
          {"platform", image.platform.str()},  {"manifest", put(image.manifest)},
          {"local_id", image.local_id},        {"old", put(image.old)}};
}
ImagePlan get_image(const Json& json) {
  const auto platform = json.at("platform").get<std::string>();
  return {.reference = get_reference(json.at("reference")),
          .digest = get_digest(json.at("digest")),
          .platform = Platform::parse(platform).value_or(Platform{}),
          .manifest = get_optional(json.at("manifest"), get_digest),
          .old = get_list(json.at("old"), get_old_image),
          .local_id = json.value("local_id", "")};
}

Json put(const HealthSettings& health) {
  return {{"timeout_ms", put(health.timeout)},
          {"settle_ms", put(health.settle)},
          {"http", health.http},
          {"http_status", health.http_status ? Json(*health.http_status) : Json(nullptr)},
          {"tcp", health.tcp},
          {"command", health.command}};
}
HealthSettings get_health(const Json& json) {
  return {.timeout = get_span(json.at("timeout_ms")),
          .settle = get_span(json.at("settle_ms")),
          .http = json.at("http").get<std::vector<std::string>>(),
          .http_status = get_optional(json.at("http_status"), get_whole<int>),
          .tcp = json.at("tcp").get<std::vector<std::string>>(),
          .command = json.at("command").get<std::vector<std::string>>()};
}

Json put(const HookSettings& hooks) {
  return {{"before", hooks.before},
          {"after", hooks.after},
          {"on_failure", hooks.on_failure},
          {"directory", hooks.directory},
          {"timeout_ms", put(hooks.timeout)}};
}
HookSettings get_hooks(const Json& json) {
  return {.before = json.at("before").get<std::vector<std::string>>(),
          .after = json.at("after").get<std::vector<std::string>>(),
          .on_failure = json.at("on_failure").get<std::vector<std::string>>(),
          .directory = json.at("directory"),
          .timeout = get_span(json.at("timeout_ms"))};
}

Json put(const DeploymentPart& part) {
  return {{"service", part.service},
          {"references", put(part.references)},
          {"from", put(part.from)},
          {"to", put(part.to)},
          {"rollback", part.rollback.enabled},
          {"keep", part.rollback.keep},
          {"health", put(part.health)},
          {"hooks", put(part.hooks)}};
}
DeploymentPart get_part(const Json& json) {
  return {.service = json.at("service"),
          .references = get_list(json.at("references"), get_reference),
          .from = get_optional(json.at("from"), get_digest),
          .to = get_digest(json.at("to")),
          .rollback = {json.at("rollback"), get_whole<int>(json.at("keep"))},
          .health = get_health(json.at("health")),
          .hooks = json.contains("hooks") ? get_hooks(json["hooks"]) : HookSettings{}};
}

Json put(const Trigger& trigger) {
  return {{"name", trigger.name},
          {"by", trigger.by},
          {"service", trigger.service},
          {"hold", trigger.hold ? Json::parse(hold_to_json(trigger.service, *trigger.hold))
                                : Json(nullptr)}};
}
/// A journal that was begun before this was known has none.
Trigger get_trigger(const Json& json) {
  if (!json.contains("trigger")) {
    return {};
  }
  const Json& trigger = json.at("trigger");
  return {.name = trigger.at("name"),
          .by = trigger.at("by"),
          .hold = get_optional(trigger.at("hold"),
                               [](const Json& hold) { return checked(parse_hold(hold.dump())); }),
          .service = trigger.at("service")};
}

Json put(const DeploymentPlan& plan) {
  return {{"parts", put(plan.parts)},
          {"images", put(plan.images)},
          {"projects", put(plan.projects)},
          {"trigger", put(plan.trigger)}};
}
DeploymentPlan get_plan(const Json& json) {
  return {.parts = get_list(json.at("parts"), get_part),
          .images = get_list(json.at("images"), get_image),
          .projects = get_list(json.at("projects"), get_project),
          .trigger = get_trigger(json)};
}

Json put(const SavedCommand& command) {
  return {{"argv", command.argv},
          {"directory", command.directory},
          {"environment", command.environment},
          {"timeout_ms", put(command.timeout)}};
}
SavedCommand get_command(const Json& json) {
  return {json.at("argv").get<std::vector<std::string>>(), json.at("directory"),
          json.at("environment").get<std::map<std::string, std::string>>(),
          get_span(json.at("timeout_ms"))};
}

Json put(const ComposeModels& models) {
  Json json = Json::object();
  for (const auto& [service, model] : models) {
    json[service] = {{"made_by", model.made_by},
                     {"hash", model.hash},
                     {"settings", model.inputs.settings},
                     {"files", model.inputs.files}};
  }
  return json;
}
ComposeModels get_models(const Json& json) {
  ComposeModels models;
  for (const auto& [service, model] : json.items()) {
    models[service] = {
        .made_by = model.at("made_by"),
        .hash = model.at("hash"),
        .inputs = {.settings = model.at("settings"),
                   .files = model.at("files").get<std::map<std::string, std::string>>()}};
  }
  return models;
}

Json put(const ImageProgress& image) {
  return {{"image_id", image.image_id},
          {"was_here", image.was_here},
          {"tag_before", image.tag_before},
          {"version", image.version}};
}
ImageProgress get_progress(const Json& json) {
  return {json.at("image_id"), json.at("was_here"), json.at("tag_before"),
          json.value("version", "")};
}

std::string text_of(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tallyman::journal_values
