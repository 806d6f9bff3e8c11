#pragma once

#include "tallyman/model/digest.hpp"
#include "tallyman/model/image_reference.hpp"
#include "tallyman/model/time.hpp"

#include <cstdint>
#include <map>
#include <optional>

namespace tallyman {

/// What a registry has for one platform behind a digest.
struct PlatformImage {
  Digest manifest;  ///< of the platform's own manifest; the digest asked for if that is no index
  Digest config;    ///< the image id on an engine with the classic store
  std::map<Digest, std::int64_t> layers = {};  ///< compressed size of each, in bytes
  [[nodiscard]] std::int64_t layer_bytes() const {
    std::int64_t sum = 0;
    for (const auto& [digest, size] : layers) {
      sum += size;
    }
    return sum;
  }
};

/// What a registry has for a tag.
struct RemoteImage {
  ImageReference reference;
  Digest digest;  ///< of the index, or of the manifest where there is no index
  Timestamp checked_at = {};
  std::optional<PlatformImage> platform = std::nullopt;  ///< only where it was looked into
};

}  // namespace tallyman
