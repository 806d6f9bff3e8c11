#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tallyman/model/error.hpp"
#include "tallyman/model/time.hpp"

namespace tallyman {

/// What compose's answer for a service depends on, as far as it can be seen without asking compose.
struct ModelInputs {
  std::string settings;  ///< a hash of the settings with which compose is called
  /// Compose files and env files by path, with what changes whenever they do; "": not there.
  std::map<std::string, std::string> files;
  friend bool operator==(const ModelInputs&, const ModelInputs&) = default;
};

/// What compose makes of one service of a project. Hashes only, since passwords are in it.
struct ComposeModel {
  std::string made_by;  ///< version of compose: another one prints the same thing otherwise
  std::string hash;     ///< of what a recreation applies besides the image
  ModelInputs inputs;
};
using ComposeModels = std::map<std::string, ComposeModel>;  ///< by compose's name of the service

/// What is remembered of a service of a compose project.
struct ServiceModels {
  struct Changed {
    ComposeModel model;
    Timestamp since = {};  ///< first noticed
  };
  ComposeModel applied;  ///< what its containers were created from, as far as is known
  /// com.docker.compose.config-hash of its containers when that was so; "": not looked at yet.
  std::string label = {};
  Timestamp at = {};                              ///< when that was known last
  std::optional<Changed> changed = std::nullopt;  ///< what compose would make of it instead

  [[nodiscard]] const ComposeModel& latest() const { return changed ? changed->model : applied; }
};
using ModelKey = std::pair<std::string, std::string>;  ///< compose project and service
using ModelMemory = std::map<ModelKey, ServiceModels>;

/// Compose would say what it said last; it need not be asked.
[[nodiscard]] bool is_known(const ServiceModels& models, const ModelInputs& inputs);

/// Compose was asked. What it says is what was applied where nothing else is known, or where the
/// containers carry another `label` than before: then somebody has recreated them. Answers of two
/// versions of compose cannot be compared; there the inputs tell whether anybody edited anything.
/// True where a difference is new. `label` may be "": not known.
bool learn_model(ServiceModels& models, ComposeModel now, const std::string& label, Timestamp at);

/// The containers have this label: another one than before says that somebody has applied what
/// compose said last.
void settle_models(ServiceModels& models, const std::string& label, Timestamp at);

/// What compose would apply to the services of a drop-in besides their images.
struct Drift {
  Timestamp since = {};               ///< first noticed
  std::vector<std::string> services;  ///< compose's names
  std::vector<std::string> files;     ///< paths of those that were edited, as far as that is known
  std::string message;  ///< "service web: /srv/web/compose.yaml was edited since 2026-11-22"
};
[[nodiscard]] std::optional<Drift> drift_of(const ModelMemory& models);

/// Why a run leaves a drop-in alone: on_drift = "refuse", and `what` changed.
[[nodiscard]] Error drift_error(std::string_view what, std::string_view drop_in);

}  // namespace tallyman
