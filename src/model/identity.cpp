#include "model/identity.hpp"

#include <algorithm>

#include "tallyman/model/decision.hpp"

namespace tallyman {
namespace {

bool contains(const std::vector<Digest>& digests, const Digest& digest) {
  return std::ranges::find(digests, digest) != digests.end();
}

std::vector<Digest> repo_digests(const ImageReference& reference, const Replica& replica) {
  std::vector<Digest> digests;
  if (replica.image) {
    for (const std::string& text : replica.image->repo_digests) {
      if (auto digest = repo_digest_of(text, reference)) {
        digests.push_back(std::move(*digest));
      }
    }
  }
  return digests;
}

/// An engine with the classic store writes a RepoDigest when it pulls or pushes; with the
/// containerd store every named image has one that equals its id, and with Podman one that its name
/// alone gives it: these show nothing.
bool came_from_registry(const ImageReference& reference, const Replica& replica) {
  const std::vector<Digest> digests = repo_digests(reference, replica);
  return !replica.podman && std::ranges::any_of(digests, [&](const Digest& digest) {
    return digest.str() != replica.container.image_id;
  });
}

}  // namespace

bool any_came_from_registry(const WatchedImage& image) {
  return std::ranges::any_of(image.replicas, [&](const Replica& replica) {
    return came_from_registry(image.reference, replica);
  });
}

bool never_came_from_registry(const WatchedImage& image) {
  return std::ranges::all_of(image.replicas, [](const Replica& replica) {
    return replica.image && !replica.image->repo_tags.empty() &&
           replica.image->repo_digests.empty();
  });
}

bool is_podmans_localhost(const WatchedImage& image) {
  return image.reference.domain() == "localhost" &&
         std::ranges::any_of(image.replicas, &Replica::podman);
}

std::vector<Digest> own_digests(const ImageReference& reference, const Replica& replica) {
  std::vector<Digest> digests = repo_digests(reference, replica);
  if (auto id = Digest::parse(replica.container.image_id)) {
    digests.push_back(std::move(*id));
  }
  return digests;
}

std::optional<Digest> pullable_digest(const ImageReference& reference, const Replica& replica,
                                      const std::optional<Digest>& preferred) {
  const std::vector<Digest> own = own_digests(reference, replica);
  if (preferred && contains(own, *preferred)) {
    return preferred;
  }
  const bool only_config_digest = own.size() == 1 && !id_is_manifest_digest(replica);
  return own.empty() || only_config_digest ? std::nullopt : std::optional(own.front());
}

bool id_is_manifest_digest(const Replica& replica) {
  if (replica.podman) {
    return false;
  }
  if (!replica.image || replica.image->repo_digests.empty()) {
    // Without a name, which only the containerd store leaves without any RepoDigest; with one it
    // was never pulled, on the classic store.
    return !replica.image || replica.image->repo_tags.empty();
  }
  return std::ranges::any_of(replica.image->repo_digests, [&](const std::string& text) {
    return text.ends_with("@" + replica.container.image_id);
  });
}

Match match(const RemoteImage& remote, const Replica& replica, const Memory& memory) {
  const std::vector<Digest> own = own_digests(remote.reference, replica);
  if (contains(own, remote.digest)) {
    return Match::same;
  }
  if (memory.equivalent.contains({remote.digest, replica.container.image_id})) {
    return Match::same_content;
  }
  if (!remote.platform) {
    return Match::unclear;
  }
  const bool same_content = contains(own, remote.platform->manifest) ||
                            remote.platform->config.str() == replica.container.image_id;
  return same_content ? Match::same_content : Match::differs;
}

Question question_for(const Watch& watch, const WatchedImage& image) {
  if (image.reference.digest()) {
    return Question::pinned;
  }
  if (is_podmans_localhost(image)) {
    return Question::no_origin;
  }
  const bool podmans_guess = image.reference.domain() == "docker.io" &&
                             std::ranges::any_of(image.replicas, &Replica::podman);
  const bool named = (image.reference.has_explicit_domain() && !podmans_guess) ||
                     (watch.image && watch.image->has_explicit_domain());
  return named || any_came_from_registry(image) ? Question::ask : Question::no_origin;
}

}  // namespace tallyman
