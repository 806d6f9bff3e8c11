#include <algorithm>

#include "engine/images.hpp"
#include "fuzz/fuzz.hpp"

namespace tallyman {
namespace {

void check_image(const Image& image) {
  HOLDS(!image.id.empty() && image.size >= 0);
  HOLDS(!image.created || *image.created > Timestamp{});
  for (const std::string& tag : image.repo_tags) {
    HOLDS(!tag.contains('@') && !tag.starts_with("<none>"));
    HOLDS(std::ranges::count(image.repo_tags, tag) == 1);
  }
  for (const std::string& digest : image.repo_digests) {
    HOLDS(digest.contains('@') && !digest.starts_with("<none>"));
    HOLDS(std::ranges::count(image.repo_digests, digest) == 1);
  }
}

void check_image_list(std::string_view input) {
  const auto images = parse_image_list(input);
  if (!images) {
    HOLDS(images.error().kind == ErrorKind::protocol);
    return;
  }
  for (const auto& [id, image] : *images) {
    HOLDS(id == image.id);
    check_image(image);
  }
}

void check_image_inspect(std::string_view input) {
  const auto detail = parse_image(input);
  if (!detail) {
    HOLDS(detail.error().kind == ErrorKind::protocol);
    return;
  }
  check_image(detail->image);
  HOLDS(detail->platform.normalised() == detail->platform.normalised().normalised());
}

}  // namespace

// The list of images, or the inspect of one.
FUZZ_TARGET(images) {
  check_image_list(input);
  check_image_inspect(input);
}

}  // namespace tallyman
