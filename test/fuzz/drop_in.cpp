#include "fuzz/fuzz.hpp"
#include "fuzz/problems.hpp"

namespace tallyman {

FUZZ_TARGET(drop_in) {
  const std::string file = "/etc/tallyman/conf.d/web.toml";
  const auto watch = parse_drop_in(input, file);
  if (!watch) {
    fuzz::check_problems(watch.error(), file);
    return;
  }
  HOLDS(watch->name == "web" && watch->file == file);
  HOLDS(watch->image || !watch->compose.services.empty());
  HOLDS(watch->compose.timeout.count() > 0);
  HOLDS(watch->health.timeout.count() > 0 && watch->health.settle.count() >= 0);
  HOLDS(watch->rollback.keep >= 0);
  HOLDS(watch->compose.directory.empty() || watch->compose.directory.starts_with('/'));
  if (watch->image) {
    HOLDS(ImageReference::parse(watch->image->str()) == *watch->image);
  }
}

}  // namespace tallyman
