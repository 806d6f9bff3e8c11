#include "tallyman/model/image_reference.hpp"

#include "fuzz/fuzz.hpp"

namespace tallyman {

FUZZ_TARGET(image_reference) {
  const auto reference = ImageReference::parse(input);
  if (!reference) {
    HOLDS(reference.error().kind == ErrorKind::config);
    HOLDS(fuzz::is_one_printable_line(reference.error().message));
    return;
  }
  std::string rejoined = reference->domain() + "/" + reference->path();
  HOLDS(rejoined == reference->repository());
  HOLDS(reference->tag() || reference->digest());
  rejoined += reference->tag() ? ":" + *reference->tag() : "";
  rejoined += reference->digest() ? "@" + reference->digest()->str() : "";
  HOLDS(rejoined == reference->str());
  for (const std::string& text : {reference->str(), reference->familiar()}) {
    const auto again = ImageReference::parse(text);
    HOLDS(again && *again == *reference && again->str() == reference->str());
  }
  HOLDS(reference->path().size() <= 255);
  HOLDS(repo_digest_of(reference->str(), *reference) == reference->digest());
  if (reference->digest()) {
    const ImageReference pinned = reference->at(*reference->digest());
    HOLDS(!pinned.tag() && pinned.digest() == reference->digest());
    HOLDS(pinned.repository() == reference->repository());
  }
}

}  // namespace tallyman
