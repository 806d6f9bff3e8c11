#include "tallyman/deploy/project_settings.hpp"

#include <unistd.h>

#include <algorithm>
#include <span>
#include <utility>

#include "tallyman/io/encoding.hpp"
#include "tallyman/io/files.hpp"

namespace tallyman {
namespace {

bool exists(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

std::vector<std::string_view> split_at_commas(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    parts.push_back(text.substr(0, comma));
    text = comma == std::string_view::npos ? "" : text.substr(comma + 1);
  }
  return parts;
}

/// Compose joins the paths of a label with commas, and a path may hold one: the longest join that
/// exists is the path.
std::vector<std::string> paths_of_label(std::string_view label, const std::string& base) {
  const std::vector<std::string_view> parts = split_at_commas(label);
  std::vector<std::string> paths;
  for (std::size_t first = 0; first < parts.size();) {
    std::string path(parts[first]);
    std::size_t taken = 1;
    for (std::size_t count = parts.size() - first; count > 1; --count) {
      const std::span joined(parts.data() + first, count);
      if (std::string whole = fmt::format("{}", fmt::join(joined, ","));
          exists(absolute_path(whole, base))) {
        path = std::move(whole);
        taken = count;
        break;
      }
    }
    paths.push_back(absolute_path(path, base));
    first += taken;
  }
  return paths;
}

std::vector<std::string> absolute_paths(const std::vector<std::string>& paths,
                                        const std::string& base) {
  std::vector<std::string> result;
  for (const std::string& path : paths) {
    result.push_back(absolute_path(path, base));
  }
  return result;
}

Result<void> check_files(const std::vector<std::string>& paths, bool from_label,
                         std::string_view what, const Watch& watch, const Container& container) {
  for (const std::string& path : paths) {
    if (!exists(path)) {
      const std::string source =
          from_label ? fmt::format("which container {} was started with", container.name)
                     : fmt::format("which {} names", watch.file);
      Error error{ErrorKind::config, fmt::format("{} {}, {}, is not there", what, path, source)};
      error.remedy =
          fmt::format("set directory, files and env_files under [compose] in {}", watch.file);
      return std::unexpected(std::move(error));
    }
  }
  return {};
}

}  // namespace

Result<ComposeSettings> project_settings(const Watch& watch, const Container& container) {
  ComposeSettings compose = watch.compose;
  compose.project = container.label(k_label_project);
  if (compose.directory.empty()) {
    compose.directory = container.label(k_label_working_dir);
  }
  if (compose.directory.empty() || !compose.directory.starts_with('/')) {
    Error error{ErrorKind::config,
                fmt::format("container {} does not say in which folder its compose project {} is",
                            container.name, compose.project)};
    error.remedy = fmt::format("set directory under [compose] in {}", watch.file);
    return std::unexpected(std::move(error));
  }
  if (auto checked = check_files({compose.directory}, watch.compose.directory.empty(),
                                 "project directory", watch, container);
      !checked) {
    return std::unexpected(checked.error());
  }

  const bool files_from_label = compose.files.empty();
  compose.files = files_from_label
                      ? paths_of_label(container.label(k_label_config_files), compose.directory)
                      : absolute_paths(compose.files, compose.directory);
  const bool env_from_label = compose.env_files.empty();
  compose.env_files =
      env_from_label ? paths_of_label(container.label(k_label_environment_file), compose.directory)
                     : absolute_paths(compose.env_files, compose.directory);
  if (auto checked = check_files(compose.files, files_from_label, "compose file", watch, container);
      !checked) {
    return std::unexpected(checked.error());
  }
  if (auto checked = check_files(compose.env_files, env_from_label, "env file", watch, container);
      !checked) {
    return std::unexpected(checked.error());
  }
  return compose;
}

ModelInputs inputs_of(const ComposeSettings& compose) {
  std::string settings = fmt::format("{}\n{}\n", compose.project, compose.directory);
  for (const auto* list : {&compose.files, &compose.env_files, &compose.profiles}) {
    settings += fmt::format("{}\n{}\n", list->size(), fmt::join(*list, "\n"));
  }
  for (const auto& [name, value] : compose.environment) {
    settings += fmt::format("{} {}={}\n", value.size(), name, value);
  }
  ModelInputs inputs{.settings = sha256_hex(settings), .files = {}};
  const auto add = [&](const std::string& path) { inputs.files[path] = file_stamp(path); };
  std::ranges::for_each(compose.files, add);
  std::ranges::for_each(compose.env_files, add);
  if (compose.files.empty()) {
    for (const char* name : {"compose", "docker-compose"}) {
      for (const char* end : {".yaml", ".yml", ".override.yaml", ".override.yml"}) {
        add(absolute_path(fmt::format("{}{}", name, end), compose.directory));
      }
    }
  }
  if (compose.env_files.empty()) {
    add(absolute_path(".env", compose.directory));
  }
  return inputs;
}

}  // namespace tallyman
