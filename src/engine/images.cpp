#include "engine/images.hpp"

#include "engine/image_ids.hpp"
#include "engine/json_fields.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace tallyman {

namespace {

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::ranges::find(names, name) == names.end()) {
    names.push_back(name);
  }
}

/// Sorts names into tags and digests: the containerd store lists "repo@sha256:…" among the tags,
/// and some digests twice. What begins with "<none>" is no name.
void add_names(Image& image, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (!name.starts_with("<none>")) {
      add_once(name.contains('@') ? image.repo_digests : image.repo_tags, name);
    }
  }
}

/// What list and inspect have in common.
Image common_image(const Fields& fields) {
  Image image;
  image.id = with_algorithm(fields.required_text("Id"));
  add_names(image, fields.texts("RepoTags"));
  add_names(image, fields.texts("RepoDigests"));
  image.created = fields.time("Created");
  image.size = std::max<std::int64_t>(fields.number("Size").value_or(0), 0);
  return image;
}

}  // namespace

Result<std::map<std::string, Image>> parse_image_list(std::string_view body) {
  FieldProblem problem{"the list of images"};
  std::map<std::string, Image> images;
  auto read = each_object(body, problem, [&images](const Fields& fields) {
    Image image = common_image(fields);
    image.labels = fields.text_map("Labels");
    if (const auto known = images.find(image.id); known != images.end()) {
      // an engine may list an image once for each of its names
      add_names(known->second, image.repo_tags);
      add_names(known->second, image.repo_digests);
    } else {
      images.emplace(image.id, std::move(image));
    }
  });
  if (!read) {
    return std::unexpected(std::move(read.error()));
  }
  if (problem.error) {
    return std::unexpected(std::move(*problem.error));
  }
  return images;
}

Result<ImageDetail> parse_image(std::string_view body) {
  FieldProblem problem{"the inspect of an image"};
  const auto document = parse_json(body, problem.what);
  if (!document) {
    return std::unexpected(document.error());
  }
  const Fields fields(*document, "", problem);
  ImageDetail detail;
  detail.image = common_image(fields);
  detail.image.labels = fields.object("Config").text_map("Labels");
  detail.platform =
      Platform{fields.text("Os"), fields.text("Architecture"), fields.text("Variant")};
  detail.has_container_config = fields.has_object("ContainerConfig");
  if (problem.error) {
    return std::unexpected(std::move(*problem.error));
  }
  return detail;
}

}  // namespace tallyman
