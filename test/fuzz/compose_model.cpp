#include <nlohmann/json.hpp>

#include "fuzz/fuzz.hpp"
#include "tallyman/deploy/compose_target.hpp"

namespace tallyman {

FUZZ_TARGET(compose_model) {
  const auto images = parse_compose_images(input);
  if (!images) {
    HOLDS(images.error().kind == ErrorKind::protocol);
    return;
  }
  // What it says, as another compose would print it.
  nlohmann::json document{{"services", nlohmann::json::object()}};
  for (const auto& [service, image] : *images) {
    document["services"][service]["image"] = image;
  }
  const std::string text = document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
  const auto again = parse_compose_images(text);
  HOLDS(again.has_value() && again->size() <= images->size());
}

}  // namespace tallyman
