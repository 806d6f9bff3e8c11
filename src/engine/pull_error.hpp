#pragma once

#include "engine/pull_stream.hpp"
#include "tallyman/model/error.hpp"
#include "tallyman/model/image_reference.hpp"
#include "tallyman/model/platform.hpp"
#include "tallyman/model/secret.hpp"

#include <optional>

namespace tallyman {

/// Why the engine could not pull `reference` for `platform` with `credential`. The engine gives
/// most reasons as text only, so kind and remedy are read from that, the status code is the last
/// resort. The remedies name the files of Docker's or of Podman's service.
[[nodiscard]] Error pull_error(const PullFailure& failure, const ImageReference& reference,
                               const Platform& platform,
                               const std::optional<Credential>& credential, bool podman);

}  // namespace tallyman
