#pragma once

#include "tallyman/model/error.hpp"

#include <string>
#include <string_view>

namespace tallyman {

/// os/architecture[/variant], in Go's words (OCI image-spec, image-index.md "platform").
struct Platform {
  std::string os;
  std::string architecture;
  std::string variant = {};

  /// "linux/arm64/v8"; "linux/amd64". ErrorKind::config for anything else.
  [[nodiscard]] static Result<Platform> parse(std::string_view text);
  [[nodiscard]] std::string str() const;

  /// Lower case; aarch64 -> arm64, x86_64 -> amd64; arm64 with v8 -> no variant; arm without -> v7
  /// (github.com/containerd/platforms: database.go).
  [[nodiscard]] Platform normalised() const;

  friend bool operator==(const Platform&, const Platform&) = default;
};

/// Can an image for `offered` be taken where `wanted` runs? 0: no; higher is better; an exact match
/// is best. An amd64 or arm variant falls back to lower ones (amd64 v3 -> v2 -> v1/none; arm v7 ->
/// v6 -> v5). A `wanted` without amd64 variant takes none or v1 only.
[[nodiscard]] int platform_match(const Platform& wanted, const Platform& offered);

}  // namespace tallyman
