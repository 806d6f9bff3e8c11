#include "tallyman/model/manifest.hpp"

#include <algorithm>

#include "fuzz/fuzz.hpp"

namespace tallyman {
namespace {

void check_selection(const ImageIndex& index, const Platform& wanted) {
  const ImageIndex::Entry* entry = select_platform(index, wanted);
  if (entry == nullptr) {
    return;
  }
  HOLDS(std::ranges::any_of(index.entries, [entry](const auto& one) { return &one == entry; }));
  HOLDS(!entry->attestation);
  HOLDS(!entry->platform || platform_match(wanted, *entry->platform) > 0);
  for (const ImageIndex::Entry& other : index.entries) {
    HOLDS(other.attestation || !other.platform || !entry->platform ||
          platform_match(wanted, *other.platform) <= platform_match(wanted, *entry->platform));
  }
}

}  // namespace

// The Content-Type on the first line, then the body.
FUZZ_TARGET(manifest) {
  const std::string_view content_type = fuzz::take_line(input);
  const auto manifest = parse_manifest(input, content_type);
  if (!manifest) {
    HOLDS(manifest.error().kind == ErrorKind::protocol);
    HOLDS(fuzz::is_one_printable_line(manifest.error().message));
    return;
  }
  HOLDS(manifest_accept_header().find(manifest->media_type) != std::string::npos);
  if (const auto* image = std::get_if<ImageManifest>(&manifest->content)) {
    HOLDS(image->layers.size() <= 1000);
    HOLDS(image->layer_bytes() >= 0);
    return;
  }
  const auto& index = std::get<ImageIndex>(manifest->content);
  HOLDS(index.entries.size() <= 1000);
  for (const char* text : {"linux/amd64", "linux/amd64/v3", "linux/arm64", "linux/arm/v7",
                           "linux/arm/v5", "linux/riscv64", "windows/amd64"}) {
    check_selection(index, *Platform::parse(text));
  }
  for (const ImageIndex::Entry& entry : index.entries) {
    if (entry.platform) {
      HOLDS(entry.platform->normalised().normalised() == entry.platform->normalised());
      check_selection(index, *entry.platform);
    }
  }
}

}  // namespace tallyman
