#pragma once

#include "tallyman/config/config.hpp"

namespace tallyman::config {

/// Drop-ins whose `after` names one that is not there, or that wait for each other in a circle,
/// become broken ones: each says so of itself.
void check_order(Config& config);

}  // namespace tallyman::config
