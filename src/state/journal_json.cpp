#include "state/journal_values.hpp"
#include "tallyman/state/state_directory.hpp"

namespace tallyman {
namespace journal_values {
namespace {

constexpr int k_schema = 1;

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
                  .models = get_list(json.value("models", Json::array()), get_models),
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
  journal.models.resize(journal.plan.projects.size());
  if (journal.commands.size() != journal.plan.projects.size() ||
      journal.images.size() != journal.plan.images.size() || journal.plan.parts.empty()) {
    throw BadValue("its lists do not fit together");
  }
  return journal;
}

}  // namespace
}  // namespace journal_values

std::string journal_to_json(const Journal& journal) {
  using journal_values::put;
  return journal_values::text_of({{"schema", journal_values::k_schema},
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
                                  {"steps", put(journal.steps)},
                                  {"folder", journal.folder},
                                  {"writes", journal.writes},
                                  {"judged", journal.judged},
                                  {"hooks_called", journal.hooks_called},
                                  {"plan", put(journal.plan)},
                                  {"commands", put(journal.commands)},
                                  {"models", put(journal.models)},
                                  {"images", put(journal.images)}});
}

Result<Journal> parse_journal(std::string_view text) {
  return journal_values::parse(text, journal_values::get_journal);
}

}  // namespace tallyman
