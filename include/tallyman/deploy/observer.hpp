#pragma once

#include <string_view>

#include "tallyman/model/transaction.hpp"

namespace tallyman {

/// Who follows a deployment while it works.
class DeploymentObserver {
 public:
  DeploymentObserver() = default;
  DeploymentObserver(const DeploymentObserver&) = delete;
  DeploymentObserver& operator=(const DeploymentObserver&) = delete;
  virtual ~DeploymentObserver() = default;
  /// What step `name` is at; comes often, and is of no use afterwards.
  virtual void progress(std::string_view name, std::string_view text) = 0;
  virtual void step(const Step& step) = 0;
};

}  // namespace tallyman
