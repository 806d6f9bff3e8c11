#pragma once

#include "config/table_reader.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>

namespace tallyman::config {

/// A variable that tallyman itself sets, or that would lead a child astray.
struct ReservedVariable {
  std::string_view name;
  std::string_view why;
};

/// `environment` of section `section`: variables for a child. Refused are those of `reserved`, and
/// those that no child of tallyman may be given (DOCKER_HOST, PATH, LD_…). Values may be secrets:
/// no message shows one.
[[nodiscard]] std::map<std::string, std::string> read_environment(
    TableReader& reader, std::string_view section, std::span<const ReservedVariable> reserved,
    ProblemList& problems);

}  // namespace tallyman::config
