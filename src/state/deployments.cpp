#include <algorithm>
#include <utility>

#include "state/history.hpp"
#include "tallyman/io/files.hpp"
#include "tallyman/io/log.hpp"
#include "tallyman/state/state_directory.hpp"

namespace tallyman {
namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

/// "20261122T194514Z": sorts by time.
std::string compact(Timestamp time) {
  std::string text = format_rfc3339(std::chrono::floor<std::chrono::seconds>(time));
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

}  // namespace

std::string StateDirectory::new_deployment_id(Timestamp now, const ServiceName& service) const {
  const std::string wanted = fmt::format("{}-{}", compact(now), service);
  const auto taken = deployment_names(file("deployments"));
  std::string id = wanted;
  // Two in one second, or a clock that was set back.
  for (int i = 2; taken && std::ranges::find(*taken, id) != taken->end(); ++i) {
    id = fmt::format("{}.{}", wanted, i);
  }
  return id;
}

Result<void> StateDirectory::save_journal(const Journal& journal) const {
  const std::string folder = deployment_folder(journal.id);
  if (auto made = ensure_directory(folder, 0700); !made) {
    return made;
  }
  return write_file_durably(folder + "/" + k_journal_name, journal_to_json(journal), 0600);
}

Result<std::vector<Journal>> StateDirectory::open_journals() const {
  const auto names = deployment_names(file("deployments"));
  if (!names) {
    return std::unexpected(names.error());
  }
  std::vector<Journal> journals;
  for (const std::string& name : *names) {
    const std::string path = deployment_folder(name) + "/" + k_journal_name;
    const auto text = read_file(path, k_largest_record);
    if (!text && text.error().kind == ErrorKind::not_found) {
      continue;
    }
    if (!text) {
      return std::unexpected(text.error());
    }
    auto journal = parse_journal(*text);
    if (!journal) {
      Error error = with_context(journal.error(), path);
      error.remedy =
          "a deployment was cut off and cannot be finished or undone without this file; look after "
          "its services by hand, then move the file away";
      return std::unexpected(std::move(error));
    }
    journals.push_back(std::move(*journal));
  }
  return journals;
}

Result<void> StateDirectory::close_journal(const Journal& journal) const {
  const std::string folder = deployment_folder(journal.id);
  const std::string record = record_to_json(past_of(journal));
  if (auto written = write_file_durably(folder + "/" + k_record_name, record, 0600); !written) {
    return written;
  }
  if (auto removed = remove_file_durably(folder + "/" + k_journal_name); !removed) {
    return removed;
  }
  // What is kept too long is no harm, and goes with the next one.
  [[maybe_unused]] const auto rotated = rotate_history(file("deployments"), journal.id);
  return {};
}

Result<void> StateDirectory::save_evidence(const std::string& id, std::string_view name,
                                           std::string_view text) const {
  std::string file_name(name);
  std::ranges::replace_if(file_name, [](char c) { return !is_plain(c); }, '_');
  const std::string folder = deployment_folder(id);
  if (auto made = ensure_directory(folder, 0700); !made) {
    return made;
  }
  return write_file_durably(folder + "/" + file_name + ".txt", text, 0600);
}

}  // namespace tallyman
