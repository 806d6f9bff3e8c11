#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tallyman/model/decision.hpp"
#include "tallyman/report/status.hpp"

namespace tallyman {

/// What `explain` says beyond ImageStatus of one reference.
struct ExplainedImage {
  Question question = Question::ask;
  std::string access = {};  ///< "https as robot$shop+pull from …"; empty where nobody was asked
  Platform platform = {};   ///< of the running image; empty where it was not looked into
  std::optional<PlatformImage> inside = std::nullopt;  ///< what the registry has for that platform
  std::optional<Digest> last_digest = std::nullopt;    ///< what it offered when it answered last
  std::optional<Error> error = std::nullopt;           ///< why its side is not known
  std::optional<ImageDecision> decision = std::nullopt;
};

/// What it says beyond ContainerStatusEntry of one container.
struct ExplainedContainer {
  std::string created_from = {};  ///< as it was written when the container was created
  std::string image_id = {};
  std::vector<Digest> digests = {};  ///< all under which the engine knows its image
  std::optional<std::string> version = std::nullopt;
  std::optional<std::string> revision = std::nullopt;
  std::optional<Timestamp> started_at = std::nullopt;
  std::optional<Match> match = std::nullopt;  ///< with what the registry offers
};

struct ExplainedDropIn {
  std::string file;
  Mode mode = Mode::automatic;
  int stable_checks = 1;
  std::string selects;      ///< for people: "running containers of harbor.lan/shop/web:1"
  std::string selected_by;  ///< "image", "compose_services", "image_and_compose_services"
};

/// One of `after`.
struct Predecessor {
  ServiceName name;
  ServiceState state = ServiceState::unknown;
  ReasonCode reason_code = ReasonCode::config_error;
  bool failed = false;  ///< what comes after it is not deployed
};

/// What comes of the decision.
struct NextStep {
  bool deploys = false;
  std::string text;                                   ///< "the next run …"
  std::vector<std::string> commands = {};             ///< that it would run, to be pasted
  std::optional<Error> obstacle = std::nullopt;       ///< why they could not be run
  std::optional<std::string> by_hand = std::nullopt;  ///< what a person can do
};

/// Everything there is to say about one service. Text and JSON are both made of this and of nothing
/// else.
struct Explanation {
  std::string version;  ///< of tallyman
  std::string host;
  Timestamp at = {};
  ServiceStatus service;
  std::string rule;                                       ///< reason_code, in words
  std::optional<ExplainedDropIn> drop_in = std::nullopt;  ///< nothing if it is broken
  std::vector<std::string> problems = {};                 ///< of one that is
  std::vector<ExplainedImage> images = {};                ///< in the order of service.images
  std::vector<ExplainedContainer> containers = {};        ///< in the order of service.containers
  std::vector<RegistryStatus> registries = {};            ///< of its images, those with limits
  ServiceMemory memory = {};
  std::optional<Timestamp> next_attempt = std::nullopt;  ///< the timer waits until then
  std::vector<ServiceName> transaction = {};             ///< what is deployed along with it
  std::vector<Predecessor> after = {};
  NextStep next = {};
};

/// One document, schema 1, with a newline at its end; what the status file has, too, is called as
/// it is there.
[[nodiscard]] std::string explanation_to_json(const Explanation& explanation);

}  // namespace tallyman
