#include "registry/platform_lookup.hpp"

#include <utility>
#include <variant>

namespace tallyman {
namespace {

/// "linux/amd64, linux/arm64"
std::string platforms_of(const ImageIndex& index) {
  std::string text;
  for (const ImageIndex::Entry& entry : index.entries) {
    if (!entry.attestation && entry.platform) {
      text += (text.empty() ? "" : ", ") + entry.platform->str();
    }
  }
  return text.empty() ? "no platform at all" : text;
}

PlatformImage image_of(const Digest& digest, const ImageManifest& manifest) {
  PlatformImage image{digest, manifest.config.digest};
  for (const Descriptor& layer : manifest.layers) {
    image.layers.emplace(layer.digest, layer.size);
  }
  return image;
}

}  // namespace

void PlatformLookup::ask(const Registry::PlatformQuestion& question, Done done) {
  manifest(
      question.reference.at(question.digest),
      [this, question, done = std::move(done)](const Result<ManifestRequest::Answer>& answer) {
        if (!answer) {
          done(std::unexpected(answer.error()));
        } else if (const auto* image = std::get_if<ImageManifest>(&answer->manifest->content)) {
          done(image_of(answer->digest, *image));
        } else {
          choose(question, std::get<ImageIndex>(answer->manifest->content), done);
        }
      });
}

void PlatformLookup::choose(const Registry::PlatformQuestion& question, const ImageIndex& index,
                            Done done) {
  const ImageIndex::Entry* entry = select_platform(index, question.platform);
  if (entry == nullptr) {
    done(fail(ErrorKind::not_found, "{}: nothing for {} in {}, which has {}",
              question.reference.familiar(), question.platform.str(), question.digest.str(),
              platforms_of(index)));
    return;
  }
  const ImageReference child = question.reference.at(entry->descriptor.digest);
  manifest(child, [child, done = std::move(done)](const Result<ManifestRequest::Answer>& answer) {
    if (!answer) {
      done(std::unexpected(answer.error()));
    } else if (const auto* image = std::get_if<ImageManifest>(&answer->manifest->content)) {
      done(image_of(answer->digest, *image));
    } else {
      done(fail(ErrorKind::protocol, "{} is an index within an index", child.familiar()));
    }
  });
}

void PlatformLookup::manifest(const ImageReference& reference, Manifested done) {
  Fetched& fetched = m_fetched[reference.str()];
  if (fetched.answer) {
    done(*fetched.answer);
    return;
  }
  fetched.waiting.push_back(std::move(done));
  if (fetched.waiting.size() > 1) {
    return;
  }
  m_fetch(reference, [&fetched](Result<ManifestRequest::Answer> answer) {
    fetched.answer = std::move(answer);
    for (const Manifested& waiting : std::exchange(fetched.waiting, {})) {
      waiting(*fetched.answer);
    }
  });
}

}  // namespace tallyman
