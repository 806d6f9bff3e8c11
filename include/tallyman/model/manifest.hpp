#pragma once

#include "tallyman/model/digest.hpp"
#include "tallyman/model/error.hpp"
#include "tallyman/model/platform.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tallyman {

inline constexpr std::string_view k_media_oci_index = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view k_media_docker_list =
    "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view k_media_oci_manifest =
    "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view k_media_docker_manifest =
    "application/vnd.docker.distribution.manifest.v2+json";

/// The one Accept header for every manifest request: all four types, comma-separated. Without one
/// of them a registry answers 404 or, worse, another digest (distribution-spec,
/// content-negotiation.md).
[[nodiscard]] const std::string& manifest_accept_header();

/// A reference to a blob or manifest (OCI image-spec, descriptor.md).
struct Descriptor {
  std::string media_type;
  Digest digest;
  std::int64_t size = 0;  ///< bytes
};

/// One image for one platform (OCI manifest.md; Docker "Image Manifest Version 2, Schema 2").
struct ImageManifest {
  Descriptor config;
  std::vector<Descriptor> layers;
  [[nodiscard]] std::int64_t layer_bytes() const;  ///< compressed, as transferred
};

/// Several images for several platforms (OCI image-index.md; Docker "Manifest List").
struct ImageIndex {
  struct Entry {
    Descriptor descriptor;
    std::optional<Platform> platform;
    bool attestation =
        false;  ///< platform unknown/unknown or vnd.docker.reference.type: attestation-manifest
  };
  std::vector<Entry> entries;
};

struct Manifest {
  std::string media_type;
  std::variant<ImageManifest, ImageIndex> content;
};

/// `content_type` is the response header; its parameters and case are ignored. The type is the
/// body's mediaType, else content_type's; where both are there they must agree. Bounded: at most
/// 1000 entries or layers, sizes are not negative. Everything unexpected is ErrorKind::protocol:
/// not JSON, schema 1, wrong field types, digests that are none.
[[nodiscard]] Result<Manifest> parse_manifest(std::string_view body, std::string_view content_type);

/// The entry to run where `wanted` runs: the best platform_match, the first of equals; attestations
/// never. An index with a single non-attestation entry that has no platform gives that entry.
[[nodiscard]] const ImageIndex::Entry* select_platform(const ImageIndex& index,
                                                       const Platform& wanted);

}  // namespace tallyman
