#include "config/settings.hpp"

#include "fuzz/fuzz.hpp"
#include "fuzz/problems.hpp"

namespace tallyman {

FUZZ_TARGET(settings) {
  const std::string file = "/etc/tallyman/tallyman.toml";
  Config config;
  config::ProblemList problems(file);
  config::read_settings(input, config, problems);
  if (!problems.empty()) {
    fuzz::check_problems(problems.take(), file);
    return;
  }
  HOLDS(config.watches.empty() && config.broken.empty());
  HOLDS(config.status_file.empty() || config.status_file.starts_with('/'));
  HOLDS(config.engine_host.empty() || config.engine_host.starts_with("unix:///"));
  for (const auto& [domain, registry] : config.registries) {
    HOLDS(!domain.empty() && fuzz::is_one_printable_line(domain));
    HOLDS(registry.password_file.empty() || registry.password_file.starts_with('/'));
  }
}

}  // namespace tallyman
