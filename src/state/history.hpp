#pragma once

#include <string>
#include <vector>

#include "tallyman/model/error.hpp"

namespace tallyman {

inline constexpr const char* k_journal_name = "journal.json";
inline constexpr const char* k_record_name = "record.json";
inline constexpr std::size_t k_largest_record = std::size_t{16} * 1024 * 1024;

/// The names in the folder of all deployments, oldest first; none where there is no folder yet.
[[nodiscard]] Result<std::vector<std::string>> deployment_names(const std::string& folder);

/// Takes away what is old: whole deployments beyond StateDirectory::k_most_records, and beyond
/// k_most_output_bytes the output of those that stay. Never the record of `newest`, nor anything of
/// a deployment that is open. A kill at any point leaves every other record whole: each is a file
/// of its own, removed in one step.
[[nodiscard]] Result<void> rotate_history(const std::string& folder, const std::string& newest);

}  // namespace tallyman
