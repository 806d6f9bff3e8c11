#include "state/history.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "tallyman/io/files.hpp"
#include "tallyman/state/state_directory.hpp"

namespace tallyman {
namespace {

/// Bytes of a regular file; none where it is no such file.
std::optional<std::uint64_t> size_of(const std::string& path) {
  struct stat status{};
  const bool is_file = ::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
  return is_file ? std::optional(static_cast<std::uint64_t>(status.st_size)) : std::nullopt;
}

/// What is beside the record: output and evidence.
std::vector<std::string> outputs_in(const std::string& folder) {
  std::vector<std::string> names = list_directory(folder).value_or(std::vector<std::string>{});
  std::erase_if(names, [&](const std::string& name) {
    return name == k_record_name || name == k_journal_name || name.starts_with('.') ||
           !size_of(folder + "/" + name);
  });
  return names;
}

bool is_open(const std::string& folder) {
  return size_of(folder + "/" + k_journal_name).has_value();
}

Result<PastDeployment> read_record(const std::string& folder) {
  const std::string path = folder + "/" + k_record_name;
  const auto text = read_file(path, k_largest_record);
  if (!text) {
    return std::unexpected(text.error());
  }
  auto past = parse_record(*text);
  if (!past) {
    return std::unexpected(with_context(past.error(), path));
  }
  past->folder = folder;
  past->outputs = outputs_in(folder);
  return past;
}

}  // namespace

Result<std::vector<std::string>> deployment_names(const std::string& folder) {
  auto names = list_directory(folder);
  if (!names && names.error().kind == ErrorKind::not_found) {
    return std::vector<std::string>{};
  }
  return names;
}

Result<void> rotate_history(const std::string& folder, const std::string& newest) {
  auto names = deployment_names(folder);
  if (!names) {
    return std::unexpected(names.error());
  }
  std::erase_if(*names, [&](const std::string& name) {
    return name == newest || is_open(fmt::format("{}/{}", folder, name));
  });
  std::uint64_t bytes = 0;
  for (const std::string& name : outputs_in(fmt::format("{}/{}", folder, newest))) {
    bytes += size_of(fmt::format("{}/{}/{}", folder, newest, name)).value_or(0);
  }
  std::size_t records = 1;
  for (auto name = names->rbegin(); name != names->rend(); ++name) {
    const std::string deployment = fmt::format("{}/{}", folder, *name);
    if (++records > StateDirectory::k_most_records) {
      // What is no deployment's folder is none of ours.
      [[maybe_unused]] const auto removed = remove_directory(deployment);
      continue;
    }
    for (const std::string& output : outputs_in(deployment)) {
      const std::string path = deployment + "/" + output;
      bytes += size_of(path).value_or(0);
      if (bytes > StateDirectory::k_most_output_bytes) {
        ::unlink(path.c_str());
      }
    }
  }
  return {};
}

Result<History> StateDirectory::history() const {
  const auto names = deployment_names(file("deployments"));
  if (!names) {
    return std::unexpected(names.error());
  }
  History history;
  for (auto name = names->rbegin(); name != names->rend(); ++name) {
    auto past = read_record(deployment_folder(*name));
    if (past) {
      history.deployments.push_back(std::move(*past));
    } else if (past.error().kind != ErrorKind::not_found) {
      history.unreadable.push_back(past.error());
    }
  }
  return history;
}

Result<std::vector<PastDeployment>> StateDirectory::past_deployments(
    const ServiceName& service) const {
  auto all = history();
  if (!all) {
    return std::unexpected(all.error());
  }
  std::erase_if(all->deployments, [&](const PastDeployment& past) { return !past.is_of(service); });
  return std::move(all->deployments);
}

}  // namespace tallyman
