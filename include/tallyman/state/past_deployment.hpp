#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tallyman/model/deployment.hpp"
#include "tallyman/model/error.hpp"
#include "tallyman/model/time.hpp"
#include "tallyman/model/transaction.hpp"

namespace tallyman {

/// A deployment that has ended, as its record.json tells it.
struct PastDeployment {
  /// Digest and version of its first image; none where nobody knows.
  struct Service {
    ServiceName name;
    std::optional<Digest> from = std::nullopt;
    std::optional<Digest> to = std::nullopt;
    std::string from_version = {};
    std::string to_version = {};
  };
  struct DeployedImage {
    ImageReference reference;
    Digest digest;
    std::string image_id = {};       ///< "" if it never came here
    std::string version = {};        ///< Image::version
    std::vector<OldImage> old = {};  ///< what ran before, by project
  };

  std::string id;
  ServiceState result = ServiceState::failed;  ///< as state_after says
  ReasonCode reason_code = ReasonCode::deployed;
  Timestamp started_at = {};
  std::optional<Timestamp> finished_at = std::nullopt;
  std::optional<std::chrono::milliseconds> downtime = std::nullopt;  ///< of one that was committed
  int replicas = 0;                                                  ///< verified
  int recoveries = 0;               ///< how often a later run went on with it
  bool was_unhealthy = false;       ///< the old containers did not pass the gate before, either
  std::string trigger = "manual";   ///< as Trigger::name
  std::string by = {};              ///< as Trigger::by
  std::optional<Error> error = {};  ///< why it did not end as updated
  std::vector<std::string> suspects = {};  ///< references of the images that failed
  std::vector<Service> services = {};
  std::vector<DeployedImage> images = {};
  std::vector<Step> steps = {};

  // Where it was found:
  std::string folder = {};                ///< with record.json; "" if it was not read from there
  std::vector<std::string> outputs = {};  ///< names of the files beside it

  [[nodiscard]] bool is_of(const ServiceName& service) const;
};

/// What remains of a journal that has ended: without the commands, whose environment may hold what
/// is nobody's business afterwards.
[[nodiscard]] PastDeployment past_of(const Journal& journal);

/// The text of record.json, schema 1, and back. parse: ErrorKind::protocol for anything else.
[[nodiscard]] std::string record_to_json(const PastDeployment& past);
[[nodiscard]] Result<PastDeployment> parse_record(std::string_view text);

/// For programs: {"schema": 1, "deployments": […]}; each is what its record.json says, with its
/// folder and the names of the files in it.
[[nodiscard]] std::string history_to_json(const std::vector<PastDeployment>& history);

}  // namespace tallyman
