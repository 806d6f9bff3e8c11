#include "registry/json.hpp"

#include <utility>

#include "tallyman/model/json_depth.hpp"

namespace tallyman {
namespace {

constexpr int k_max_depth = 32;

}  // namespace

std::optional<nlohmann::json> parse_json(std::string_view text) {
  if (nests_deeper_than(text, k_max_depth)) {
    return std::nullopt;
  }
  nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  return json.is_discarded() ? std::nullopt : std::optional(std::move(json));
}

std::string string_member(const nlohmann::json& object, const char* name) {
  if (!object.is_object()) {
    return {};
  }
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace tallyman
