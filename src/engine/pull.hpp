#pragma once

#include "engine/engine_api.hpp"
#include "tallyman/engine/engine.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace tallyman {

struct PullOrder {
  const ImageReference& reference;  ///< with a digest
  const Platform& wanted;           ///< for messages
  std::string platform;             ///< what the engine is told of it; empty: nothing
  const std::optional<Credential>& credential;
};

/// POST /images/create, read to its end.
[[nodiscard]] Result<std::int64_t> pull_image(
    EngineApi& api, const PullOrder& order,
    const std::function<void(const PullProgress&)>& progress);

}  // namespace tallyman
