#include <nlohmann/json.hpp>

#include "fuzz/fuzz.hpp"
#include "tallyman/deploy/compose_target.hpp"

namespace tallyman {

FUZZ_TARGET(compose_model) {
  const auto model = parse_compose_model(input);
  if (!model) {
    HOLDS(model.error().kind == ErrorKind::protocol);
    return;
  }
  // What it says, as another compose would print it.
  nlohmann::json document{{"services", nlohmann::json::object()}};
  for (const auto& [service, answer] : *model) {
    HOLDS(answer.hash.size() == 64);
    document["services"][service]["image"] = answer.image;
  }
  const std::string text = document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
  const auto again = parse_compose_model(text);
  HOLDS(again.has_value() && again->size() <= model->size());
}

}  // namespace tallyman
