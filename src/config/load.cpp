#include "config/checks.hpp"
#include "config/order.hpp"
#include "config/settings.hpp"
#include "tallyman/config/config.hpp"
#include "tallyman/io/files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

namespace tallyman {

namespace config {

namespace {

namespace fs = std::filesystem;

/// A symbolic link counts as itself: one that leads nowhere is there, and a mistake.
bool is_there(const std::string& path) {
  std::error_code error;
  return fs::symlink_status(path, error).type() != fs::file_type::not_found;
}

std::string message_for(const Error& error, const std::string& path) {
  switch (error.kind) {
    case ErrorKind::denied:
      return fmt::format(
          "cannot be read: permission denied; run tallyman as root, or let its user "
          "read {}",
          path);
    case ErrorKind::not_found:
      return "a symbolic link to a file that is not there; mend or remove it";
    default:
      return message_of(error);
  }
}

/// Nothing, and no problem, if it is not there.
std::optional<std::string> read(const std::string& path, ProblemList& problems) {
  auto text = read_file(path, k_max_file_bytes);
  if (text) {
    return std::move(*text);
  }
  if (text.error().kind != ErrorKind::not_found || is_there(path)) {
    problems.add({}, "", message_for(text.error(), path));
  }
  return std::nullopt;
}

struct Listing {
  std::vector<std::string> names;  ///< sorted
  std::error_code error;
};

Listing list(const std::string& directory) {
  Listing listing;
  fs::directory_iterator entry(directory, listing.error);
  while (!listing.error && entry != fs::directory_iterator()) {
    listing.names.push_back(entry->path().filename().native());
    entry.increment(listing.error);
  }
  std::ranges::sort(listing.names);
  return listing;
}

bool is_drop_in_file(std::string_view name) {
  return name.ends_with(".toml") && !name.starts_with('.');
}

std::string message_for_directory(const std::error_code& error, const std::string& directory) {
  if (error == std::errc::no_such_file_or_directory) {
    return is_there(directory)
               ? "a symbolic link to a folder that is not there; mend or remove it"
               : fmt::format("no such folder; make it with: mkdir -p {}/conf.d", directory);
  }
  if (error == std::errc::permission_denied) {
    return "cannot be read: permission denied; run tallyman as root, or let its user list and "
           "enter this folder";
  }
  return fmt::format("cannot be read as a folder: {}", error.message());
}

void load_drop_in(const std::string& file, Config& config) {
  ProblemList unreadable(file);
  const auto text = read(file, unreadable);
  if (text) {
    auto watch = parse_drop_in(*text, file);
    if (watch) {
      config.watches.push_back(std::move(*watch));
    } else {
      config.broken.push_back({printable(stem_of(file)), std::move(watch.error())});
    }
  } else if (!unreadable.empty()) {
    config.broken.push_back({printable(stem_of(file)), unreadable.take()});
  }
}

void load_drop_ins(const std::string& directory, Config& config, ProblemList& problems) {
  const auto listing = list(directory);
  if (listing.error) {
    if (is_there(directory)) {
      problems.add({}, "", message_for_directory(listing.error, directory));
    }
    return;
  }
  for (const auto& name : listing.names) {
    if (is_drop_in_file(name)) {
      load_drop_in(fmt::format("{}/{}", directory, name), config);
    }
  }
  std::ranges::sort(config.watches, {}, &Watch::name);
  std::ranges::sort(config.broken, {}, &BrokenDropIn::name);
}

void move_problems(std::vector<Problem> from, std::vector<Problem>& to) {
  std::ranges::move(from, std::back_inserter(to));
}

}  // namespace

}  // namespace config

std::expected<Config, std::vector<Problem>> load_config(const std::string& directory) {
  std::string base = directory;
  while (base.size() > 1 && base.ends_with('/')) {
    base.pop_back();
  }
  if (const auto error = config::list(base).error) {
    config::ProblemList problems(base);
    problems.add({}, "", config::message_for_directory(error, base));
    return std::unexpected(problems.take());
  }
  Config result;
  config::ProblemList settings(base + "/tallyman.toml");
  if (const auto text = config::read(base + "/tallyman.toml", settings)) {
    config::read_settings(*text, result, settings);
  }
  config::ProblemList folder(base + "/conf.d");
  config::load_drop_ins(base + "/conf.d", result, folder);
  config::check_order(result);
  if (settings.empty() && folder.empty()) {
    return result;
  }
  std::vector<Problem> problems = settings.take();
  config::move_problems(folder.take(), problems);
  for (auto& broken : result.broken) {
    config::move_problems(std::move(broken.problems), problems);
  }
  return std::unexpected(std::move(problems));
}

}  // namespace tallyman
