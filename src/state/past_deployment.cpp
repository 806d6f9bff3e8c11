#include "tallyman/state/past_deployment.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "tallyman/io/log.hpp"

namespace tallyman {
namespace {

using RecordJson = nlohmann::json;

std::optional<Digest> record_digest(const RecordJson& json, const char* key) {
  auto digest = json.contains(key) && json.at(key).is_string()
                    ? Digest::parse(json.at(key).get<std::string>())
                    : fail(ErrorKind::protocol, "none");
  return digest ? std::optional(std::move(*digest)) : std::nullopt;
}

std::optional<Error> record_error(const RecordJson& json) {
  if (json.is_null()) {
    return std::nullopt;
  }
  return Error{parse_error_kind(json.at("kind").get<std::string>()).value_or(ErrorKind::bug),
               printable(json.at("message").get<std::string>()),
               printable(json.at("remedy").get<std::string>())};
}

std::optional<PastDeployment::DeployedImage> record_image(const RecordJson& json) {
  const auto reference = ImageReference::parse(json.at("reference").get<std::string>());
  const auto digest = record_digest(json, "digest");
  if (!reference || !digest) {
    return std::nullopt;
  }
  PastDeployment::DeployedImage image{
      .reference = *reference, .digest = *digest, .image_id = json.at("image_id")};
  for (const RecordJson& old : json.at("old")) {
    image.old.push_back({old.at("project"), old.at("image_id"), record_digest(old, "digest")});
  }
  return image;
}

PastDeployment get_record(const RecordJson& json) {
  PastDeployment past{.id = json.at("id")};
  past.result = parse_phase(json.at("result").get<std::string>()).value_or(Phase::failed);
  past.started_at = parse_rfc3339(json.at("started_at").get<std::string>()).value_or(Timestamp{});
  past.finished_at = json.at("finished_at").is_string()
                         ? parse_rfc3339(json.at("finished_at").get<std::string>())
                         : std::nullopt;
  past.trigger = json.value("trigger", past.trigger);
  past.by = json.value("by", "");
  past.error = record_error(json.at("error"));
  for (const RecordJson& service : json.at("services")) {
    past.services.push_back(
        {service.at("service"), record_digest(service, "from"), record_digest(service, "to")});
  }
  for (const RecordJson& image : json.at("images")) {
    if (auto one = record_image(image)) {
      past.images.push_back(std::move(*one));
    }
  }
  return past;
}

}  // namespace

Result<PastDeployment> parse_record(std::string_view text) {
  try {
    const auto json = RecordJson::parse(text);
    if (json.at("schema") != 1) {
      return fail(ErrorKind::protocol, "not a record of schema 1");
    }
    return get_record(json);
  } catch (const RecordJson::exception& exception) {
    return fail(ErrorKind::protocol, "{}", exception.what());
  }
}

}  // namespace tallyman
