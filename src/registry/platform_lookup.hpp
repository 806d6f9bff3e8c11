#pragma once

#include "registry/manifest_request.hpp"
#include "tallyman/model/remote_image.hpp"
#include "tallyman/registry/registry.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace tallyman {

/// Finds out what is behind digests on platforms; each manifest is fetched once, however many
/// questions lead to it.
class PlatformLookup {
 public:
  /// `fetch` asks for the manifest of a reference with a digest.
  using Fetch = std::function<void(const ImageReference&, ManifestRequest::Done)>;
  explicit PlatformLookup(Fetch fetch) : m_fetch(std::move(fetch)) {}
  PlatformLookup(const PlatformLookup&) = delete;
  PlatformLookup& operator=(const PlatformLookup&) = delete;

  using Done = std::function<void(Result<PlatformImage>)>;
  void ask(const Registry::PlatformQuestion& question, Done done);

 private:
  using Manifested = std::function<void(const Result<ManifestRequest::Answer>&)>;
  struct Fetched {
    std::optional<Result<ManifestRequest::Answer>> answer;
    std::vector<Manifested> waiting;
  };
  void manifest(const ImageReference& reference, Manifested done);
  void choose(const Registry::PlatformQuestion& question, const ImageIndex& index, Done done);

  Fetch m_fetch;
  std::map<std::string, Fetched> m_fetched;  // by reference
};

}  // namespace tallyman
