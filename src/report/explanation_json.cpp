#include "tallyman/report/explanation.hpp"

#include "report/status_values.hpp"

namespace tallyman {
namespace {

using nlohmann::ordered_json;

constexpr int k_explanation_schema = 1;

template <class Value>
ordered_json value_or_null(const std::optional<Value>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json time_or_null(const std::optional<Timestamp>& time) {
  return time ? ordered_json(format_rfc3339(*time)) : ordered_json(nullptr);
}

ordered_json digest_or_null(const std::optional<Digest>& digest) {
  return digest ? ordered_json(digest->str()) : ordered_json(nullptr);
}

ordered_json text_or_null(const std::string& text) {
  return text.empty() ? ordered_json(nullptr) : ordered_json(text);
}

ordered_json match_or_null(const std::optional<Match>& match) {
  if (!match) {
    return nullptr;
  }
  switch (*match) {
    case Match::same:
      return "same";
    case Match::same_content:
      return "same_content";
    case Match::differs:
      return "differs";
    case Match::unclear:
      break;
  }
  return "unclear";
}

void add_to_image(const ExplainedImage& image, ordered_json& json) {
  ordered_json& remote = json["remote"];
  remote["asked"] = image.question == Question::ask;
  remote["access"] = text_or_null(image.access);
  remote["last_digest"] = digest_or_null(image.last_digest);
  const bool looked_into = image.inside.has_value();
  remote["platform"] =
      image.platform.os.empty() ? ordered_json(nullptr) : ordered_json(image.platform.str());
  remote["manifest"] = looked_into ? ordered_json(image.inside->manifest.str()) : nullptr;
  remote["config"] = looked_into ? ordered_json(image.inside->config.str()) : nullptr;
  remote["error"] = error_to_json(image.error);
  json["decision"] = nullptr;
  if (image.decision) {
    json["decision"] = {{"state", to_string(image.decision->state)},
                        {"reason_code", to_string(image.decision->reason_code)},
                        {"reason", image.decision->reason},
                        {"update_available", value_or_null(image.decision->update_available)}};
  }
}

void add_to_container(const ExplainedContainer& container, ordered_json& json) {
  json["created_from"] = container.created_from;
  json["image_id"] = container.image_id;
  json["digests"] = ordered_json::array();
  for (const Digest& digest : container.digests) {
    json["digests"].push_back(digest.str());
  }
  json["version"] = value_or_null(container.version);
  json["revision"] = value_or_null(container.revision);
  json["started_at"] = time_or_null(container.started_at);
  json["match"] = match_or_null(container.match);
}

ordered_json drop_in_to_json(const std::optional<ExplainedDropIn>& drop_in) {
  if (!drop_in) {
    return nullptr;
  }
  return {{"file", drop_in->file},
          {"mode", drop_in->mode == Mode::notify ? "notify" : "auto"},
          {"stable_checks", drop_in->stable_checks},
          {"selects", drop_in->selects},
          {"selected_by", drop_in->selected_by}};
}

ordered_json attempts_to_json(const FailedAttempts& attempts,
                              const std::optional<Timestamp>& next) {
  if (attempts.count == 0) {
    return nullptr;
  }
  return {{"digest", digest_or_null(attempts.digest)},
          {"count", attempts.count},
          {"touched", attempts.touched},
          {"last_at", format_rfc3339(attempts.last)},
          {"next_at", time_or_null(next)},
          {"mirror_lags", attempts.mirror_lags}};
}

ordered_json quarantine_to_json(const std::vector<Quarantined>& quarantined) {
  ordered_json json = ordered_json::array();
  for (const Quarantined& entry : quarantined) {
    json.push_back({{"reference", entry.reference},
                    {"digest", entry.digest.str()},
                    {"manifest", digest_or_null(entry.manifest)},
                    {"reason", entry.reason},
                    {"since", format_rfc3339(entry.at)}});
  }
  return json;
}

ordered_json kept_to_json(const std::vector<KeptImage>& kept) {
  ordered_json json = ordered_json::array();
  for (const KeptImage& image : kept) {
    json.push_back({{"reference", image.reference},
                    {"image_id", image.image_id},
                    {"digest", digest_or_null(image.digest)},
                    {"tag", image.tag},
                    {"deployed", image.deployed},
                    {"since", format_rfc3339(image.at)}});
  }
  return json;
}

ordered_json memory_section(const Explanation& explanation) {
  const ServiceMemory& memory = explanation.memory;
  ordered_json settled = ordered_json::object();
  for (const auto& [reference, digest] : memory.settled) {
    settled[reference] = digest.str();
  }
  ordered_json candidates = ordered_json::object();
  for (const auto& [reference, candidate] : memory.candidates) {
    candidates[reference] = {{"digest", candidate.digest.str()}, {"checks", candidate.checks}};
  }
  return {{"settled", std::move(settled)},
          {"not_known_good", text_or_null(memory.broken)},
          {"attempts", attempts_to_json(memory.attempts, explanation.next_attempt)},
          {"candidates", std::move(candidates)},
          {"quarantine", quarantine_to_json(memory.quarantined)},
          {"kept", kept_to_json(memory.kept)}};
}

ordered_json after_to_json(const std::vector<Predecessor>& after) {
  ordered_json json = ordered_json::array();
  for (const Predecessor& one : after) {
    json.push_back({{"name", one.name},
                    {"state", to_string(one.state)},
                    {"reason_code", to_string(one.reason_code)},
                    {"failed", one.failed}});
  }
  return json;
}

ordered_json next_to_json(const NextStep& next) {
  return {{"action", next.deploys ? "deploy" : "none"},
          {"text", next.text},
          {"commands", next.commands},
          {"obstacle", error_to_json(next.obstacle)},
          {"by_hand", value_or_null(next.by_hand)}};
}

}  // namespace

std::string explanation_to_json(const Explanation& explanation) {
  ordered_json root = {{"schema", k_explanation_schema},
                       {"tallyman", explanation.version},
                       {"host", explanation.host},
                       {"checked_at", format_rfc3339(explanation.at)}};
  root.update(service_to_json(explanation.service));
  for (std::size_t i = 0; i < explanation.images.size(); ++i) {
    add_to_image(explanation.images[i], root["images"].at(i));
  }
  for (std::size_t i = 0; i < explanation.containers.size(); ++i) {
    add_to_container(explanation.containers[i], root["containers"].at(i));
  }
  root["rule"] = explanation.rule;
  root["drop_in"] = drop_in_to_json(explanation.drop_in);
  root["problems"] = explanation.problems;
  root["registries"] = ordered_json::array();
  for (const RegistryStatus& registry : explanation.registries) {
    root["registries"].push_back(registry_to_json(registry));
  }
  root["memory"] = memory_section(explanation);
  root["transaction"] = explanation.transaction;
  root["after"] = after_to_json(explanation.after);
  root["next"] = next_to_json(explanation.next);
  return root.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace tallyman
