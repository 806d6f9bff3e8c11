#include "tallyman/model/image_reference.hpp"

#include "model/ascii.hpp"

#include <cstddef>
#include <string>
#include <utility>

namespace tallyman {
namespace {

constexpr std::string_view k_hub = "docker.io";
constexpr std::string_view k_legacy_hub = "index.docker.io";
constexpr std::string_view k_official = "library/";
constexpr std::string_view k_default_tag = "latest";
constexpr std::size_t k_max_path = 255;
constexpr std::size_t k_max_tag = 128;
constexpr std::size_t k_id_length = 64;

bool is_image_id(std::string_view text) {
  return (text.size() == k_id_length && ascii::all(text, ascii::is_lower_hex)) ||
         Digest::parse(text).has_value();
}

bool is_domain_label(std::string_view label) {
  return !label.empty() && label.front() != '-' && label.back() != '-' &&
         ascii::all(label, [](char c) { return ascii::is_alnum(c) || c == '-'; });
}

bool is_host_name(std::string_view host) {
  for (;;) {
    const std::size_t dot = host.find('.');
    if (!is_domain_label(host.substr(0, dot))) {
      return false;
    }
    if (dot == std::string_view::npos) {
      return true;
    }
    host.remove_prefix(dot + 1);
  }
}

bool is_ipv6(std::string_view inner) {
  return !inner.empty() && ascii::all(inner, [](char c) {
    return ascii::is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':';
  });
}

/// A host name or an IPv6 address in brackets, perhaps with a port.
bool is_domain(std::string_view text) {
  const bool bracketed = text.starts_with('[');
  const std::size_t end = bracketed ? text.find(']') : text.find(':');
  if (bracketed && end == std::string_view::npos) {
    return false;
  }
  const std::string_view host = bracketed ? text.substr(1, end - 1) : text.substr(0, end);
  const std::string_view rest =
      end == std::string_view::npos ? "" : text.substr(bracketed ? end + 1 : end);
  const bool port_is_good = rest.empty() || (rest.size() > 1 && rest.front() == ':' &&
                                             ascii::all(rest.substr(1), ascii::is_digit));
  return port_is_good && (bracketed ? is_ipv6(host) : is_host_name(host));
}

/// Lower-case words with one of `.`, `_`, `__` or any number of `-` between them.
bool is_path_component(std::string_view text) {
  const auto is_word = [](char c) { return ascii::is_lower(c) || ascii::is_digit(c); };
  if (text.empty() || !is_word(text.front()) || !is_word(text.back())) {
    return false;
  }
  for (std::size_t i = 0; i < text.size();) {
    if (is_word(text[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (!is_word(text[end])) {  // ends: the last character is one of a word
      ++end;
    }
    const std::string_view separator = text.substr(i, end - i);
    if (separator != "." && separator != "_" && separator != "__" &&
        separator.find_first_not_of('-') != std::string_view::npos) {
      return false;
    }
    i = end;
  }
  return true;
}

bool is_path(std::string_view path) {
  for (;;) {
    const std::size_t slash = path.find('/');
    if (!is_path_component(path.substr(0, slash))) {
      return false;
    }
    if (slash == std::string_view::npos) {
      return true;
    }
    path.remove_prefix(slash + 1);
  }
}

bool is_tag(std::string_view tag) {
  return !tag.empty() && tag.size() <= k_max_tag && tag.front() != '.' && tag.front() != '-' &&
         ascii::all(tag,
                    [](char c) { return ascii::is_alnum(c) || c == '_' || c == '.' || c == '-'; });
}

struct Split {
  std::string domain;
  std::string remainder;
  bool explicit_domain = false;
};

Split split_domain(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view first = text.substr(0, slash);
  const bool is_explicit =
      slash != std::string_view::npos &&
      (first == "localhost" || first.find_first_of(".:") != std::string_view::npos ||
       !ascii::all(first, [](char c) { return !ascii::is_upper(c); }));
  Split split{std::string(is_explicit && first != k_legacy_hub ? first : k_hub),
              std::string(is_explicit ? text.substr(slash + 1) : text), is_explicit};
  if (split.domain == k_hub && split.remainder.find('/') == std::string::npos) {
    split.remainder.insert(0, k_official);
  }
  return split;
}

std::unexpected<Error> refuse_reference(std::string_view text, std::string_view why,
                                        std::string remedy = {}) {
  return std::unexpected(Error{
      ErrorKind::config, fmt::format("{} is not an image reference: {}", ascii::quoted(text), why),
      std::move(remedy)});
}

std::unexpected<Error> refuse_path(std::string_view text, std::string_view path) {
  if (path.empty()) {
    return refuse_reference(text, "it has no repository");
  }
  if (text.find("://") != std::string_view::npos) {
    return refuse_reference(text, "it is a URL", "leave out the scheme: host/repository:tag");
  }
  if (!ascii::all(path, [](char c) { return !ascii::is_upper(c); })) {
    return refuse_reference(
        text, fmt::format("the repository {} must be in lower case", ascii::quoted(path)));
  }
  return refuse_reference(text, fmt::format("the repository {} is malformed", ascii::quoted(path)));
}

}  // namespace

Result<ImageReference> ImageReference::parse(std::string_view text) {
  if (text.empty()) {
    return refuse_reference(text, "it is empty");
  }
  if (is_image_id(text)) {
    return refuse_reference(text, "it is an image id, which names no repository",
                            "write the repository and tag, as in ghcr.io/acme/web:latest");
  }
  const Split split = split_domain(text);
  std::string_view rest = split.remainder;
  ImageReference reference;
  if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
    auto digest = Digest::parse(rest.substr(at + 1));
    if (!digest) {
      return refuse_reference(text, digest.error().message);
    }
    reference.m_digest = std::move(*digest);
    rest = rest.substr(0, at);
  }
  if (const std::size_t colon = rest.find(':'); colon != std::string_view::npos) {
    const std::string_view tag = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
    if (!is_tag(tag) && is_path(rest)) {
      return refuse_reference(text, fmt::format("the tag {} is malformed", ascii::quoted(tag)));
    }
    reference.m_tag = tag;
  }
  if (!is_path(rest)) {
    return refuse_path(text, rest);
  }
  if (!is_domain(split.domain)) {
    return refuse_reference(
        text, fmt::format("{} is not a registry's host[:port]", ascii::quoted(split.domain)));
  }
  if (rest.size() > k_max_path) {
    return refuse_reference(text,
                            fmt::format("the repository is longer than {} characters", k_max_path));
  }
  reference.m_domain = split.domain;
  reference.m_path = rest;
  reference.m_explicit_domain = split.explicit_domain;
  if (!reference.m_tag && !reference.m_digest) {
    reference.m_tag = k_default_tag;
  }
  return reference;
}

std::string ImageReference::repository() const {
  return fmt::format("{}/{}", m_domain, m_path);
}

std::string ImageReference::str() const {
  std::string text = repository();
  if (m_tag) {
    text += ':' + *m_tag;
  }
  if (m_digest) {
    text += '@' + m_digest->str();
  }
  return text;
}

std::string ImageReference::familiar() const {
  std::string full = str();
  if (m_domain != k_hub) {
    return full;
  }
  std::string_view text = std::string_view(full).substr(k_hub.size() + 1);
  if (const std::size_t slash = m_path.rfind('/');
      slash + 1 == k_official.size() && m_path.starts_with(k_official)) {
    text.remove_prefix(k_official.size());
  }
  // docker.io/localhost/web would come out as localhost/web, which is another image.
  const auto back = parse(text);
  return back && *back == *this ? std::string(text) : full;
}

ImageReference ImageReference::at(const Digest& digest) const {
  ImageReference pinned = *this;
  pinned.m_tag.reset();
  pinned.m_digest = digest;
  return pinned;
}

std::optional<Digest> repo_digest_of(std::string_view repo_digest,
                                     const ImageReference& reference) {
  const auto parsed = ImageReference::parse(repo_digest);
  if (!parsed || parsed->domain() != reference.domain() || parsed->path() != reference.path()) {
    return std::nullopt;
  }
  return parsed->digest();
}

}  // namespace tallyman
