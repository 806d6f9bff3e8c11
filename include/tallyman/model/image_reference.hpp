#pragma once

#include "tallyman/model/digest.hpp"
#include "tallyman/model/error.hpp"

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace tallyman {

/// An image reference, normalised as Docker does (github.com/distribution/reference: reference.go,
/// regexp.go, normalize.go): `nginx` is docker.io/library/nginx:latest, `index.docker.io` is
/// docker.io, the domain is the part before the first `/` only if it is `localhost` or has a `.`, a
/// `:` or an upper-case letter. Without tag and digest the tag is `latest`. With tag and digest
/// both are kept and the digest rules. 64 hex characters and `sha256:<hex>` are image ids, not
/// references, and are refused with a message that says so. All failures are ErrorKind::config and
/// quote the text.
class ImageReference {
 public:
  [[nodiscard]] static Result<ImageReference> parse(std::string_view text);

  [[nodiscard]] const std::string& domain() const {
    return m_domain;
  }  ///< "ghcr.io", "harbor.lan:8443"; as written
  [[nodiscard]] const std::string& path() const { return m_path; }  ///< "acme/web", "library/nginx"
  [[nodiscard]] std::string repository() const;                     ///< "ghcr.io/acme/web"
  [[nodiscard]] const std::optional<std::string>& tag() const { return m_tag; }
  [[nodiscard]] const std::optional<Digest>& digest() const { return m_digest; }

  /// False for `nginx` and `acme/web`: nobody wrote docker.io, so a stranger may own that name
  /// there.
  [[nodiscard]] bool has_explicit_domain() const { return m_explicit_domain; }

  /// "docker.io/library/nginx:latest", "ghcr.io/acme/web:1@sha256:…"
  [[nodiscard]] std::string str() const;
  /// As docker prints it: "nginx:latest", "ghcr.io/acme/web:1"
  [[nodiscard]] std::string familiar() const;
  /// The same repository by digest, without a tag.
  [[nodiscard]] ImageReference at(const Digest& digest) const;

  /// By normalised content; whether the domain was written out does not count.
  friend bool operator==(const ImageReference& a, const ImageReference& b) {
    return a.m_domain == b.m_domain && a.m_path == b.m_path && a.m_tag == b.m_tag &&
           a.m_digest == b.m_digest;
  }
  friend std::strong_ordering operator<=>(const ImageReference& a, const ImageReference& b) {
    return a.str() <=> b.str();
  }

 private:
  ImageReference() = default;
  std::string m_domain;
  std::string m_path;
  std::optional<std::string> m_tag;
  std::optional<Digest> m_digest;
  bool m_explicit_domain = false;
};

/// What an engine lists under RepoDigests ("nginx@sha256:…"): the digest, if the normalised
/// repository is `reference`'s; otherwise, or for anything malformed ("<none>@<none>"), nothing.
[[nodiscard]] std::optional<Digest> repo_digest_of(std::string_view repo_digest,
                                                   const ImageReference& reference);

}  // namespace tallyman
