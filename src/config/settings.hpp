#pragma once

#include "config/problem_list.hpp"
#include "tallyman/config/config.hpp"

#include <string_view>

namespace tallyman::config {

/// tallyman.toml's text into `config`; what is wrong goes to `problems`.
void read_settings(std::string_view text, Config& config, ProblemList& problems);

}  // namespace tallyman::config
