#pragma once

#include "tallyman/model/transaction.hpp"

#include <fmt/format.h>

#include <exception>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// The values of a journal as JSON. What is read throws BadValue, or an exception of the JSON
/// library, for a text that is no value of its type.
namespace tallyman::journal_values {

using Json = nlohmann::ordered_json;

/// The edge of the room turns it into an Error, as it does with those of the JSON library.
class BadValue : public std::exception {
 public:
  explicit BadValue(std::string message) : m_message(std::move(message)) {}
  [[nodiscard]] const char* what() const noexcept override { return m_message.c_str(); }

 private:
  std::string m_message;
};

template <class Value>
Value checked(Result<Value> value) {
  if (!value) {
    throw BadValue(value.error().message);
  }
  return std::move(*value);
}
template <class Value>
Value checked(std::optional<Value> value, const std::string& text) {
  if (!value) {
    throw BadValue(fmt::format("\"{}\" is not known", text));
  }
  return *std::move(value);
}

/// get<int>() would convert a number like 1e300 too, which is undefined.
template <class Whole>
Whole get_whole(const Json& json) {
  const std::int64_t whole = json.get_ref<const Json::number_integer_t&>();
  if (!std::in_range<Whole>(whole)) {
    throw BadValue(fmt::format("{} is too large", whole));
  }
  return static_cast<Whole>(whole);
}

// One pair of functions for each value: what it looks like, and back. What is read with a default
// came later than the rest: an upgrade must not lose a journal that was left open.

Json put(const Digest& digest);
Json put(const ImageReference& reference);
Json put(Timestamp time);
Json put(std::chrono::milliseconds span);
Json put(const Error& error);
Json put(const Step& step);
Json put(const PlannedContainer& container);
Json put(const ServicePlan& service);
Json put(const ProjectPlan& project);
Json put(const OldImage& image);
Json put(const ImagePlan& image);
Json put(const HealthSettings& health);
Json put(const HookSettings& hooks);
Json put(const DeploymentPart& part);
Json put(const Trigger& trigger);
Json put(const DeploymentPlan& plan);
Json put(const SavedCommand& command);
Json put(const ComposeModels& models);
Json put(const ImageProgress& image);

[[nodiscard]] Digest get_digest(const Json& json);
[[nodiscard]] ImageReference get_reference(const Json& json);
[[nodiscard]] Timestamp get_time(const Json& json);
[[nodiscard]] std::chrono::milliseconds get_span(const Json& json);
[[nodiscard]] Error get_error(const Json& json);
[[nodiscard]] Step get_step(const Json& json);
[[nodiscard]] PlannedContainer get_container(const Json& json);
[[nodiscard]] ServicePlan get_service(const Json& json);
[[nodiscard]] ProjectPlan get_project(const Json& json);
[[nodiscard]] OldImage get_old_image(const Json& json);
[[nodiscard]] ImagePlan get_image(const Json& json);
[[nodiscard]] HealthSettings get_health(const Json& json);
[[nodiscard]] HookSettings get_hooks(const Json& json);
[[nodiscard]] DeploymentPart get_part(const Json& json);
[[nodiscard]] Trigger get_trigger(const Json& json);
[[nodiscard]] DeploymentPlan get_plan(const Json& json);
[[nodiscard]] SavedCommand get_command(const Json& json);
[[nodiscard]] ComposeModels get_models(const Json& json);
[[nodiscard]] ImageProgress get_progress(const Json& json);

template <class Value>
Json put(const std::optional<Value>& value) {
  return value ? put(*value) : Json(nullptr);
}
template <class Get>
auto get_optional(const Json& json, Get get) -> std::optional<decltype(get(json))> {
  return json.is_null() ? std::nullopt : std::optional(get(json));
}

template <class Value>
Json put(const std::vector<Value>& values) {
  Json json = Json::array();
  for (const Value& value : values) {
    json.push_back(put(value));
  }
  return json;
}
template <class Get>
auto get_list(const Json& json, Get get) -> std::vector<decltype(get(json))> {
  std::vector<decltype(get(json))> values;
  for (const Json& element : json) {
    values.push_back(get(element));
  }
  return values;
}

/// Indented; what is no UTF-8 is replaced.
[[nodiscard]] std::string text_of(const Json& json);

/// The edge of the room. ErrorKind::protocol for a text that is no JSON, or no value of `get`.
template <class Get>
auto parse(std::string_view text, Get get) -> Result<decltype(get(Json()))> {
  try {
    return get(Json::parse(text));
  } catch (const Json::exception& exception) {
    return fail(ErrorKind::protocol, "{}", exception.what());
  } catch (const BadValue& bad) {
    return fail(ErrorKind::protocol, "{}", bad.what());
  }
}

}  // namespace tallyman::journal_values
