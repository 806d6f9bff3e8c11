#include "tallyman/model/manifest.hpp"

#include "model/ascii.hpp"
#include "tallyman/model/json_depth.hpp"

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cstddef>
#include <limits>
#include <utility>

namespace tallyman {
namespace {

using nlohmann::json;

constexpr std::array k_media_types = {k_media_oci_index, k_media_docker_list, k_media_oci_manifest,
                                      k_media_docker_manifest};
constexpr std::size_t k_max_entries = 1000;
constexpr int k_max_depth = 32;  // a manifest has five levels; annotations and extensions some more
constexpr std::string_view k_reference_type = "vnd.docker.reference.type";

template <class... Args>
std::unexpected<Error> refuse_manifest(fmt::format_string<Args...> format, Args&&... args) {
  return fail(ErrorKind::protocol, "the manifest is malformed: {}",
              fmt::format(format, std::forward<Args>(args)...));
}

/// Null counts as missing: Go programs write it for what they leave out.
const json* find(const json& object, std::string_view key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

/// "" where it is missing.
Result<std::string> optional_text(const json& object, std::string_view key,
                                  std::string_view where) {
  const json* value = find(object, key);
  if (value == nullptr) {
    return std::string();
  }
  if (!value->is_string()) {
    return refuse_manifest("{}{} is no text", where, key);
  }
  return value->get_ref<const std::string&>();
}

Result<std::string> text(const json& object, std::string_view key, std::string_view where) {
  if (find(object, key) == nullptr) {
    return refuse_manifest("{}{} is missing", where, key);
  }
  return optional_text(object, key, where);
}

Result<std::int64_t> byte_count(const json& object, std::string_view where) {
  const json* value = find(object, "size");
  if (value == nullptr || !value->is_number_integer()) {
    return refuse_manifest("{}size is no whole number", where);
  }
  if (value->is_number_unsigned()) {
    const auto count = value->get<std::uint64_t>();
    if (count > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return refuse_manifest("{}size {} is too big", where, count);
    }
    return static_cast<std::int64_t>(count);
  }
  return refuse_manifest("{}size {} is negative", where, value->get<std::int64_t>());
}

Result<Descriptor> descriptor(const json& value, std::string_view name) {
  if (!value.is_object()) {
    return refuse_manifest("{} is no object", name);
  }
  const std::string where = fmt::format("{}.", name);
  auto media_type = text(value, "mediaType", where);
  if (!media_type) {
    return std::unexpected(media_type.error());
  }
  const auto digest_text = text(value, "digest", where);
  if (!digest_text) {
    return std::unexpected(digest_text.error());
  }
  auto digest = Digest::parse(*digest_text);
  if (!digest) {
    return refuse_manifest("{}digest: {}", where, digest.error().message);
  }
  const auto size = byte_count(value, where);
  if (!size) {
    return std::unexpected(size.error());
  }
  return Descriptor{std::move(*media_type), std::move(*digest), *size};
}

/// The list under `key`, of objects or not, but not too long.
Result<const json*> bounded_list(const json& document, std::string_view key) {
  const json* list = find(document, key);
  if (list == nullptr || !list->is_array()) {
    return refuse_manifest("{} is no list", key);
  }
  if (list->size() > k_max_entries) {
    return refuse_manifest("{} has {} entries, more than {}", key, list->size(), k_max_entries);
  }
  return list;
}

Result<std::optional<Platform>> read_platform(const json& entry, std::string_view name) {
  const json* value = find(entry, "platform");
  if (value == nullptr) {
    return std::optional<Platform>();
  }
  if (!value->is_object()) {
    return refuse_manifest("{}.platform is no object", name);
  }
  const std::string where = fmt::format("{}.platform.", name);
  Platform platform;
  for (const auto& [key, member] :
       {std::pair{std::string_view("os"), &Platform::os},
        std::pair{std::string_view("architecture"), &Platform::architecture},
        std::pair{std::string_view("variant"), &Platform::variant}}) {
    auto part = optional_text(*value, key, where);
    if (!part) {
      return std::unexpected(part.error());
    }
    platform.*member = std::move(*part);
  }
  // Go programs write an empty platform where they mean none.
  return platform == Platform{} ? std::optional<Platform>() : std::optional(std::move(platform));
}

Result<bool> is_attestation(const json& entry, const std::optional<Platform>& platform,
                            std::string_view name) {
  std::string reference_type;
  if (const json* annotations = find(entry, "annotations")) {
    if (!annotations->is_object()) {
      return refuse_manifest("{}.annotations is no object", name);
    }
    auto found =
        optional_text(*annotations, k_reference_type, fmt::format("{}.annotations.", name));
    if (!found) {
      return std::unexpected(found.error());
    }
    reference_type = std::move(*found);
  }
  return reference_type == "attestation-manifest" ||
         (platform && platform->os == "unknown" && platform->architecture == "unknown");
}

Result<ImageIndex::Entry> read_entry(const json& value, std::string_view name) {
  auto described = descriptor(value, name);
  if (!described) {
    return std::unexpected(described.error());
  }
  auto platform = read_platform(value, name);
  if (!platform) {
    return std::unexpected(platform.error());
  }
  const auto attestation = is_attestation(value, *platform, name);
  if (!attestation) {
    return std::unexpected(attestation.error());
  }
  return ImageIndex::Entry{std::move(*described), std::move(*platform), *attestation};
}

Result<ImageIndex> read_index(const json& document) {
  // A document that can be read as both is an attack (CVE-2021-41190).
  if (find(document, "layers") != nullptr || find(document, "config") != nullptr) {
    return refuse_manifest("it is an index, but has the config or layers of an image");
  }
  const auto list = bounded_list(document, "manifests");
  if (!list) {
    return std::unexpected(list.error());
  }
  ImageIndex index;
  for (const json& value : **list) {
    auto entry = read_entry(value, fmt::format("manifests[{}]", index.entries.size()));
    if (!entry) {
      return std::unexpected(entry.error());
    }
    index.entries.push_back(std::move(*entry));
  }
  return index;
}

Result<ImageManifest> read_image(const json& document) {
  if (find(document, "manifests") != nullptr) {
    return refuse_manifest("it is an image, but has the manifests of an index");
  }
  const json* config_value = find(document, "config");
  if (config_value == nullptr) {
    return refuse_manifest("config is missing");
  }
  auto config = descriptor(*config_value, "config");
  if (!config) {
    return std::unexpected(config.error());
  }
  const auto list = bounded_list(document, "layers");
  if (!list) {
    return std::unexpected(list.error());
  }
  ImageManifest image{std::move(*config), {}};
  for (const json& value : **list) {
    auto layer = descriptor(value, fmt::format("layers[{}]", image.layers.size()));
    if (!layer) {
      return std::unexpected(layer.error());
    }
    image.layers.push_back(std::move(*layer));
  }
  return image;
}

Result<json> read_document(std::string_view body) {
  if (nests_deeper_than(body, k_max_depth)) {
    return refuse_manifest("it is nested deeper than {} levels", k_max_depth);
  }
  json document = json::parse(body, nullptr, false);
  if (document.is_discarded()) {
    return refuse_manifest("it is not JSON");
  }
  if (!document.is_object()) {
    return refuse_manifest("it is no JSON object");
  }
  return document;
}

Result<void> check_schema_version(const json& document) {
  const json* version = find(document, "schemaVersion");
  if (version == nullptr || !version->is_number_integer()) {
    return refuse_manifest("schemaVersion is no whole number");
  }
  if (*version == 1) {
    return std::unexpected(Error{
        ErrorKind::protocol, "the manifest has schema 1, which carries no digest to compare with",
        "push the image again with a current client: registries and engines have dropped schema "
        "1"});
  }
  if (*version != 2) {
    return refuse_manifest("schemaVersion is {}, not 2", version->dump());
  }
  return {};
}

Result<std::string> read_media_type(const json& document, std::string_view content_type) {
  const std::string header =
      ascii::lower(ascii::trim(content_type.substr(0, content_type.find(';'))));
  auto inner = optional_text(document, "mediaType", "");
  if (!inner) {
    return inner;
  }
  if (!inner->empty() && !header.empty() && *inner != header) {
    return refuse_manifest("its mediaType is {}, its Content-Type {}", ascii::quoted(*inner),
                           ascii::quoted(header));
  }
  std::string media_type = inner->empty() ? header : *inner;
  for (const std::string_view known : k_media_types) {
    if (media_type == known) {
      return media_type;
    }
  }
  return fail(ErrorKind::protocol, "{} is not a media type of an image or index",
              ascii::quoted(media_type));
}

}  // namespace

const std::string& manifest_accept_header() {
  static const std::string k_header = fmt::format("{}", fmt::join(k_media_types, ", "));
  return k_header;
}

std::int64_t ImageManifest::layer_bytes() const {
  std::int64_t total = 0;
  for (const Descriptor& layer : layers) {
    if (layer.size > std::numeric_limits<std::int64_t>::max() - total) {
      return std::numeric_limits<std::int64_t>::max();
    }
    total += layer.size;
  }
  return total;
}

Result<Manifest> parse_manifest(std::string_view body, std::string_view content_type) {
  const auto document = read_document(body);
  if (!document) {
    return std::unexpected(document.error());
  }
  if (const auto version = check_schema_version(*document); !version) {
    return std::unexpected(version.error());
  }
  auto media_type = read_media_type(*document, content_type);
  if (!media_type) {
    return std::unexpected(media_type.error());
  }
  if (*media_type == k_media_oci_index || *media_type == k_media_docker_list) {
    auto index = read_index(*document);
    if (!index) {
      return std::unexpected(index.error());
    }
    return Manifest{std::move(*media_type), std::move(*index)};
  }
  auto image = read_image(*document);
  if (!image) {
    return std::unexpected(image.error());
  }
  return Manifest{std::move(*media_type), std::move(*image)};
}

const ImageIndex::Entry* select_platform(const ImageIndex& index, const Platform& wanted) {
  const ImageIndex::Entry* best = nullptr;
  const ImageIndex::Entry* last = nullptr;
  int best_match = 0;
  std::size_t candidates = 0;
  for (const ImageIndex::Entry& entry : index.entries) {
    if (entry.attestation) {
      continue;
    }
    ++candidates;
    last = &entry;
    const int match = entry.platform ? platform_match(wanted, *entry.platform) : 0;
    if (match > best_match) {
      best = &entry;
      best_match = match;
    }
  }
  return candidates == 1 && !last->platform ? last : best;
}

}  // namespace tallyman
