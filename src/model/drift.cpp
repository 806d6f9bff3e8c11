#include "tallyman/model/drift.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace tallyman {
namespace {

bool is_same(const ComposeModel& before, const ComposeModel& now) {
  return before.made_by == now.made_by ? before.hash == now.hash : before.inputs == now.inputs;
}

std::set<std::string> edited_files(const ModelInputs& before, const ModelInputs& now) {
  std::set<std::string> edited;
  for (const auto& [path, stamp] : now.files) {
    const auto found = before.files.find(path);
    if (found == before.files.end() || found->second != stamp) {
      edited.insert(path);
    }
  }
  for (const auto& [path, stamp] : before.files) {
    if (!now.files.contains(path)) {
      edited.insert(path);
    }
  }
  return edited;
}

/// "/srv/web/compose.yaml was edited since 2026-11-22"
std::string what_changed(const ServiceModels& models, const std::set<std::string>& edited) {
  const std::string day = format_rfc3339(models.at).substr(0, 10);
  if (models.applied.inputs.settings != models.changed->model.inputs.settings) {
    // Other settings name other files, so these say nothing by themselves.
    return fmt::format("the settings of compose changed since {}", day);
  }
  if (edited.empty()) {
    return fmt::format("a file that compose includes, or a variable, changed since {}", day);
  }
  return fmt::format("{} {} edited since {}", fmt::join(edited, ", "),
                     edited.size() == 1 ? "was" : "were", day);
}

}  // namespace

bool is_known(const ServiceModels& models, const ModelInputs& inputs) {
  return models.latest().inputs == inputs;
}

bool learn_model(ServiceModels& models, ComposeModel now, const std::string& label, Timestamp at) {
  const bool recreated = !label.empty() && !models.label.empty() && label != models.label;
  if (models.applied.hash.empty() || recreated || is_same(models.applied, now)) {
    std::string known = label.empty() ? models.label : label;
    models = {.applied = std::move(now), .label = std::move(known), .at = at};
    return false;
  }
  const bool is_new = !models.changed;
  models.changed = {std::move(now), is_new ? at : models.changed->since};
  return is_new;
}

void settle_models(ServiceModels& models, const std::string& label, Timestamp at) {
  if (label.empty() || label == models.label) {
    return;
  }
  if (!models.label.empty()) {
    models = {.applied = models.latest(), .at = at};
  }
  models.label = label;
}

std::optional<Drift> drift_of(const ModelMemory& models) {
  std::map<std::string, std::vector<std::string>> services;  // by what changed
  std::set<std::string> files;
  std::optional<Drift> drift;
  for (const auto& [key, service] : models) {
    if (!service.changed) {
      continue;
    }
    const auto edited = edited_files(service.applied.inputs, service.changed->model.inputs);
    services[what_changed(service, edited)].push_back(key.second);
    files.insert(edited.begin(), edited.end());
    if (!drift) {
      drift.emplace(
          Drift{.since = service.changed->since, .services = {}, .files = {}, .message = {}});
    }
    drift->since = std::min(drift->since, service.changed->since);
    drift->services.push_back(key.second);
  }
  if (drift) {
    drift->files.assign(files.begin(), files.end());
    for (const auto& [what, names] : services) {
      drift->message += fmt::format("{}service{} {}: {}", drift->message.empty() ? "" : "; ",
                                    names.size() == 1 ? "" : "s", fmt::join(names, ", "), what);
    }
  }
  return drift;
}

Error drift_error(std::string_view what, std::string_view drop_in) {
  return {ErrorKind::denied, fmt::format("{}, and on_drift is refuse", what),
          fmt::format("to apply it: tallyman deploy {}; or put it back", drop_in)};
}

}  // namespace tallyman
