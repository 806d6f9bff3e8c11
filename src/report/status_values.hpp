#pragma once

#include <nlohmann/json.hpp>

#include "tallyman/report/status.hpp"

namespace tallyman {

// Parts of the status file that other documents have as well.

[[nodiscard]] nlohmann::ordered_json service_to_json(const ServiceStatus& service);
[[nodiscard]] nlohmann::ordered_json registry_to_json(const RegistryStatus& registry);
[[nodiscard]] nlohmann::ordered_json error_to_json(const std::optional<Error>& error);

}  // namespace tallyman
