#include "tallyman/state/past_deployment.hpp"

#include <algorithm>
#include <utility>

#include "state/journal_values.hpp"
#include "tallyman/io/log.hpp"

namespace tallyman {
namespace {

using journal_values::get_list;
using journal_values::get_optional;
using journal_values::Json;
using journal_values::put;

constexpr int k_schema = 1;

PastDeployment::DeployedImage deployed_image(const ImagePlan& image,
                                             const ImageProgress& progress) {
  return {.reference = image.reference,
          .digest = image.digest,
          .image_id = progress.image_id,
          .version = progress.version,
          .old = image.old};
}

PastDeployment::Service deployed_service(const DeploymentPart& part,
                                         const std::vector<PastDeployment::DeployedImage>& images) {
  PastDeployment::Service service{.name = part.service, .from = part.from, .to = part.to};
  const auto first = std::ranges::find_if(images, [&](const PastDeployment::DeployedImage& image) {
    return !part.references.empty() && image.reference == part.references.front();
  });
  if (first != images.end()) {
    service.to_version = first->version;
    service.from_version = first->old.empty() ? "" : first->old.front().version;
  }
  return service;
}

Json put_service(const PastDeployment::Service& service) {
  return {{"service", service.name},
          {"from", put(service.from)},
          {"from_version", service.from_version},
          {"to", put(service.to)},
          {"to_version", service.to_version}};
}

Json put_image(const PastDeployment::DeployedImage& image) {
  return {{"reference", put(image.reference)},
          {"digest", put(image.digest)},
          {"version", image.version},
          {"image_id", image.image_id},
          {"old", put(image.old)}};
}

Json put_record(const PastDeployment& past) {
  Json services = Json::array();
  for (const PastDeployment::Service& service : past.services) {
    services.push_back(put_service(service));
  }
  Json images = Json::array();
  for (const PastDeployment::DeployedImage& image : past.images) {
    images.push_back(put_image(image));
  }
  return {{"schema", k_schema},
          {"id", past.id},
          {"result", to_string(past.result)},
          {"reason_code", to_string(past.reason_code)},
          {"error", put(past.error)},
          {"trigger", past.trigger},
          {"by", past.by},
          {"started_at", put(past.started_at)},
          {"finished_at", put(past.finished_at)},
          {"downtime_ms", put(past.downtime)},
          {"recoveries", past.recoveries},
          {"replicas", past.replicas},
          {"was_unhealthy", past.was_unhealthy},
          {"suspects", past.suspects},
          {"services", std::move(services)},
          {"images", std::move(images)},
          {"steps", put(past.steps)}};
}

// What is read with a default came later than the rest.

PastDeployment::Service get_record_service(const Json& json) {
  return {.name = json.at("service"),
          .from = get_optional(json.at("from"), journal_values::get_digest),
          .to = get_optional(json.at("to"), journal_values::get_digest),
          .from_version = printable(json.value("from_version", "")),
          .to_version = printable(json.value("to_version", ""))};
}

PastDeployment::DeployedImage get_record_image(const Json& json) {
  return {.reference = journal_values::get_reference(json.at("reference")),
          .digest = journal_values::get_digest(json.at("digest")),
          .image_id = json.at("image_id"),
          .version = json.value("version", ""),
          .old = get_list(json.at("old"), journal_values::get_old_image)};
}

std::optional<Error> get_record_error(const Json& json) {
  auto error = get_optional(json, journal_values::get_error);
  if (error) {
    error->message = printable(error->message);
    error->remedy = printable(error->remedy);
  }
  return error;
}

PastDeployment get_record(const Json& json) {
  if (json.at("schema") != k_schema) {
    throw journal_values::BadValue(fmt::format("not a record of schema {}", k_schema));
  }
  const auto result = json.at("result").get<std::string>();
  const auto reason = json.at("reason_code").get<std::string>();
  return {.id = json.at("id"),
          .result = journal_values::checked(parse_service_state(result), result),
          .reason_code = journal_values::checked(parse_reason_code(reason), reason),
          .started_at = journal_values::get_time(json.at("started_at")),
          .finished_at = get_optional(json.at("finished_at"), journal_values::get_time),
          .downtime = get_optional(json.at("downtime_ms"), journal_values::get_span),
          .replicas = journal_values::get_whole<int>(json.at("replicas")),
          .recoveries = journal_values::get_whole<int>(json.at("recoveries")),
          .was_unhealthy = json.at("was_unhealthy"),
          .trigger = json.value("trigger", "manual"),
          .by = json.value("by", ""),
          .error = get_record_error(json.at("error")),
          .suspects = json.at("suspects").get<std::vector<std::string>>(),
          .services = get_list(json.at("services"), get_record_service),
          .images = get_list(json.at("images"), get_record_image),
          .steps = get_list(json.at("steps"), journal_values::get_step)};
}

}  // namespace

bool PastDeployment::is_of(const ServiceName& service) const {
  return std::ranges::find(services, service, &Service::name) != services.end();
}

PastDeployment past_of(const Journal& journal) {
  PastDeployment past{.id = journal.id,
                      .result = state_after(journal.phase),
                      .reason_code = journal.reason_code,
                      .started_at = journal.started_at,
                      .finished_at = journal.finished_at,
                      .downtime = journal.downtime,
                      .replicas = journal.replicas,
                      .recoveries = journal.recoveries,
                      .was_unhealthy = journal.was_unhealthy,
                      .trigger = journal.plan.trigger.name,
                      .by = journal.plan.trigger.by,
                      .error = journal.error,
                      .suspects = journal.suspects,
                      .steps = journal.steps};
  for (std::size_t i = 0; i < journal.plan.images.size(); ++i) {
    past.images.push_back(deployed_image(journal.plan.images[i], journal.images.at(i)));
  }
  for (const DeploymentPart& part : journal.plan.parts) {
    past.services.push_back(deployed_service(part, past.images));
  }
  return past;
}

std::string record_to_json(const PastDeployment& past) {
  return journal_values::text_of(put_record(past));
}

Result<PastDeployment> parse_record(std::string_view text) {
  return journal_values::parse(text, get_record);
}

std::string history_to_json(const std::vector<PastDeployment>& history) {
  Json deployments = Json::array();
  for (const PastDeployment& past : history) {
    Json record = put_record(past);
    record.erase("schema");
    record["folder"] = past.folder;
    record["files"] = past.outputs;
    deployments.push_back(std::move(record));
  }
  return journal_values::text_of(
      Json{{"schema", k_schema}, {"deployments", std::move(deployments)}});
}

}  // namespace tallyman
