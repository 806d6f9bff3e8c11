#include "state/journal_values.hpp"
#include "tallyman/state/state_directory.hpp"

namespace tallyman {
namespace journal_values {
namespace {

constexpr int k_schema = 1;

/// What the journal and the record have in common.
Json common_fields(const Journal& journal) {
  return {{"schema", k_schema},
          {"id", journal.id},
          {"phase", to_string(journal.phase)},
          {"reason_code", to_string(journal.reason_code)},
          {"error", put(journal.error)},
          {"started_at", put(journal.started_at)},
          {"finished_at", put(journal.finished_at)},
          {"downtime_ms", put(journal.downtime)},
          {"recoveries", journal.recoveries},
          {"replicas", journal.replicas},
          {"was_unhealthy", journal.was_unhealthy},
          {"suspects", journal.suspects},
          {"has_evidence", journal.has_evidence},
          {"steps", put(journal.steps)}};
}

Journal get_journal(const Json& json) {
  if (json.at("schema") != k_schema) {
    throw BadValue(fmt::format("not of schema {}", k_schema));
  }
  const auto phase = json.at("phase").get<std::string>();
  const auto reason = json.at("reason_code").get<std::string>();
  Journal journal{.id = json.at("id"),
                  .folder = json.at("folder"),
                  .phase = checked(parse_phase(phase), phase),
                  .writes = get_whole<int>(json.at("writes")),
                  .recoveries = get_whole<int>(json.at("recoveries")),
                  .started_at = get_time(json.at("started_at")),
                  .finished_at = get_optional(json.at("finished_at"), get_time),
                  .plan = get_plan(json.at("plan")),
                  .commands = get_list(json.at("commands"), get_command),
                  .images = get_list(json.at("images"), get_progress),
                  .was_unhealthy = json.at("was_unhealthy"),
                  .error = get_optional(json.at("error"), get_error),
                  .reason_code = checked(parse_reason_code(reason), reason),
                  .judged = json.at("judged"),
                  .suspects = json.at("suspects").get<std::vector<std::string>>(),
                  .has_evidence = json.at("has_evidence"),
                  .steps = get_list(json.at("steps"), get_step),
                  .downtime = get_optional(json.at("downtime_ms"), get_span),
                  .replicas = get_whole<int>(json.at("replicas")),
                  .hooks_called = json.value("hooks_called", false)};
  if (journal.commands.size() != journal.plan.projects.size() ||
      journal.images.size() != journal.plan.images.size() || journal.plan.parts.empty()) {
    throw BadValue("its lists do not fit together");
  }
  return journal;
}

std::string text_of(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace
}  // namespace journal_values

std::string journal_to_json(const Journal& journal) {
  journal_values::Json json = journal_values::common_fields(journal);
  json["folder"] = journal.folder;
  json["writes"] = journal.writes;
  json["judged"] = journal.judged;
  json["hooks_called"] = journal.hooks_called;
  json["plan"] = journal_values::put(journal.plan);
  json["commands"] = journal_values::put(journal.commands);
  json["images"] = journal_values::put(journal.images);
  return journal_values::text_of(json);
}

Result<Journal> parse_journal(std::string_view text) {
  try {
    return journal_values::get_journal(journal_values::Json::parse(text));
  } catch (const journal_values::Json::exception& exception) {
    return fail(ErrorKind::protocol, "{}", exception.what());
  } catch (const journal_values::BadValue& bad) {
    return fail(ErrorKind::protocol, "{}", bad.what());
  }
}

/// Without the commands: their environment may hold what is nobody's business afterwards.
std::string record_to_json(const Journal& journal) {
  journal_values::Json json = journal_values::common_fields(journal);
  json["result"] = json["phase"];
  json.erase("phase");
  json["trigger"] = journal.plan.trigger.name;
  json["by"] = journal.plan.trigger.by;
  journal_values::Json services = journal_values::Json::array();
  for (const DeploymentPart& part : journal.plan.parts) {
    services.push_back({{"service", part.service},
                        {"from", journal_values::put(part.from)},
                        {"to", journal_values::put(part.to)}});
  }
  json["services"] = std::move(services);
  journal_values::Json images = journal_values::Json::array();
  for (std::size_t i = 0; i < journal.plan.images.size(); ++i) {
    const ImagePlan& image = journal.plan.images[i];
    images.push_back({{"reference", journal_values::put(image.reference)},
                      {"digest", journal_values::put(image.digest)},
                      {"image_id", journal.images.at(i).image_id},
                      {"old", journal_values::put(image.old)}});
  }
  json["images"] = std::move(images);
  return journal_values::text_of(json);
}

}  // namespace tallyman
