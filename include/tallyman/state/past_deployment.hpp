#pragma once

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
  struct Service {
    ServiceName name;
    std::optional<Digest> from = std::nullopt;  ///< of its first image; none where nobody knows
    std::optional<Digest> to = std::nullopt;
  };
  struct DeployedImage {
    ImageReference reference;
    Digest digest;
    std::string image_id = {};       ///< "" if it never came here
    std::vector<OldImage> old = {};  ///< what ran before, by project
  };

  std::string id;
  Phase result = Phase::failed;  ///< one in which a deployment has ended
  Timestamp started_at = {};
  std::optional<Timestamp> finished_at = std::nullopt;
  std::string trigger = "manual";  ///< as Trigger::name
  std::string by = {};
  std::optional<Error> error = std::nullopt;  ///< why it did not end as updated
  std::vector<Service> services = {};
  std::vector<DeployedImage> images = {};
};

/// The text of record.json. ErrorKind::protocol for anything that is not schema 1.
[[nodiscard]] Result<PastDeployment> parse_record(std::string_view text);

}  // namespace tallyman
