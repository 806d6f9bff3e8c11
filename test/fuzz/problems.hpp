#pragma once

#include <string>
#include <vector>

#include "fuzz/fuzz.hpp"
#include "tallyman/config/config.hpp"

namespace tallyman::fuzz {

/// What a file that cannot be used must say.
inline void check_problems(const std::vector<Problem>& problems, const std::string& file) {
  HOLDS(!problems.empty() && problems.size() <= 101);
  for (const Problem& problem : problems) {
    HOLDS(problem.file == file && problem.line >= 0 && problem.column >= 0);
    HOLDS(!problem.message.empty());
    HOLDS(is_one_printable_line(problem.str()));
  }
}

}  // namespace tallyman::fuzz
