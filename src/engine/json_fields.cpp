#include "engine/json_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "tallyman/model/json_depth.hpp"

namespace tallyman {

namespace {

using nlohmann::json;

constexpr int k_max_depth = 64;

}  // namespace

Result<json> parse_json(std::string_view text, std::string_view what) {
  if (nests_deeper_than(text, k_max_depth)) {
    return fail(ErrorKind::protocol, "the Docker Engine's answer, {}, is nested too deep", what);
  }
  json document = json::parse(text, nullptr, false);
  if (document.is_discarded()) {
    return fail(ErrorKind::protocol, "the Docker Engine's answer, {}, is not JSON", what);
  }
  return document;
}

void FieldProblem::note(std::string_view path, std::string_view trouble) {
  if (!error) {
    error = Error{ErrorKind::protocol,
                  fmt::format("the Docker Engine's answer, {}: field {} {}", what, path, trouble)};
  }
}

Fields::Fields(const json& value, std::string path, FieldProblem& problem)
    : m_value(&value), m_path(std::move(path)), m_problem(&problem) {
  if (!value.is_object() && !value.is_null()) {
    problem.note(m_path, fmt::format("is a JSON {} instead of an object", value.type_name()));
  }
}

const json* Fields::find(const char* key) const {
  if (m_value == nullptr || !m_value->is_object()) {
    return nullptr;
  }
  const auto found = m_value->find(key);
  return found == m_value->end() || found->is_null() ? nullptr : &*found;
}

std::string Fields::path_of(std::string_view key) const {
  return m_path.empty() ? std::string(key) : fmt::format("{}.{}", m_path, key);
}

void Fields::wrong(std::string_view key, const json& value, std::string_view expected) const {
  m_problem->note(path_of(key),
                  fmt::format("is a JSON {} instead of {}", value.type_name(), expected));
}

std::string Fields::text(const char* key) const {
  const json* value = find(key);
  if (value == nullptr) {
    return "";
  }
  if (!value->is_string()) {
    wrong(key, *value, "a text");
    return "";
  }
  return value->get<std::string>();
}

std::string Fields::required_text(const char* key) const {
  std::string value = text(key);
  if (value.empty()) {
    m_problem->note(path_of(key), "is missing");
  }
  return value;
}

std::optional<std::int64_t> Fields::number(const char* key) const {
  const json* value = find(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  const bool fits =
      !value->is_number_unsigned() ||
      value->get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<std::int64_t>::max()};
  if (!value->is_number_integer() || !fits) {
    wrong(key, *value, "an integer of 64 bits");
    return std::nullopt;
  }
  return value->get<std::int64_t>();
}

std::optional<int> Fields::small_number(const char* key) const {
  const auto value = number(key);
  if (!value) {
    return std::nullopt;
  }
  if (!std::in_range<int>(*value)) {
    m_problem->note(path_of(key), "is out of range");
    return std::nullopt;
  }
  return static_cast<int>(*value);
}

bool Fields::flag(const char* key, bool if_missing) const {
  const json* value = find(key);
  if (value == nullptr) {
    return if_missing;
  }
  if (!value->is_boolean()) {
    wrong(key, *value, "true or false");
    return if_missing;
  }
  return value->get<bool>();
}

std::vector<std::string> Fields::texts(const char* key) const {
  std::vector<std::string> texts;
  const json* value = find(key);
  if (value == nullptr) {
    return texts;
  }
  if (!value->is_array()) {
    wrong(key, *value, "an array of texts");
    return texts;
  }
  for (std::size_t i = 0; i < value->size(); ++i) {
    const json& element = (*value)[i];
    if (element.is_string()) {
      texts.push_back(element.get<std::string>());
    } else if (!element.is_null()) {
      wrong(fmt::format("{}[{}]", key, i), element, "a text");
    }
  }
  return texts;
}

Labels::Map Fields::text_map(const char* key) const {
  Labels::Map texts;
  const json* value = find(key);
  if (value == nullptr) {
    return texts;
  }
  if (!value->is_object()) {
    wrong(key, *value, "an object of texts");
    return texts;
  }
  for (const auto& [name, element] : value->items()) {
    if (element.is_string()) {
      texts.emplace(name, element.get<std::string>());
    } else if (element.is_null()) {
      texts.emplace(name, "");
    } else {
      wrong(fmt::format("{}.{}", key, name), element, "a text");
    }
  }
  return texts;
}

std::optional<Timestamp> Fields::time(const char* key) const {
  const json* value = find(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  std::optional<Timestamp> time;
  if (value->is_string()) {
    if (value->get_ref<const std::string&>().empty()) {
      return std::nullopt;
    }
    time = parse_rfc3339(value->get_ref<const std::string&>());
  } else if (const auto seconds = number(key); seconds) {
    constexpr std::int64_t k_last = 253'402'300'799;  // the end of the year 9999
    if (*seconds <= k_last) {
      time = Timestamp{std::chrono::seconds{std::max<std::int64_t>(*seconds, 0)}};
    }
  } else {
    return std::nullopt;
  }
  if (!time) {
    m_problem->note(path_of(key), "is no time");
    return std::nullopt;
  }
  return *time > Timestamp{} ? time : std::nullopt;
}

Fields Fields::object(const char* key) const {
  const json* value = find(key);
  return value == nullptr ? Fields(path_of(key), *m_problem)
                          : Fields(*value, path_of(key), *m_problem);
}

std::vector<std::pair<std::string, Fields>> Fields::objects(const char* key) const {
  std::vector<std::pair<std::string, Fields>> entries;
  const json* value = find(key);
  if (value == nullptr) {
    return entries;
  }
  if (!value->is_object()) {
    wrong(key, *value, "an object");
    return entries;
  }
  for (const auto& [name, element] : value->items()) {
    entries.emplace_back(name,
                         Fields(element, path_of(fmt::format("{}.{}", key, name)), *m_problem));
  }
  return entries;
}

std::vector<Fields> Fields::elements(const char* key) const {
  std::vector<Fields> elements;
  const json* value = find(key);
  if (value == nullptr) {
    return elements;
  }
  if (!value->is_array()) {
    wrong(key, *value, "an array of objects");
    return elements;
  }
  for (std::size_t i = 0; i < value->size(); ++i) {
    elements.emplace_back((*value)[i], path_of(fmt::format("{}[{}]", key, i)), *m_problem);
  }
  return elements;
}

bool Fields::has_object(const char* key) const {
  const json* value = find(key);
  return value != nullptr && value->is_object();
}

Result<void> each_object(std::string_view text, FieldProblem& problem,
                         const std::function<void(const Fields&)>& take) {
  if (nests_deeper_than(text, k_max_depth)) {
    return fail(ErrorKind::protocol, "the Docker Engine's answer, {}, is nested too deep",
                problem.what);
  }
  bool in_array = false;
  std::size_t index = 0;
  const auto on_event = [&](int depth, json::parse_event_t event, json& value) {
    if (depth == 0 && event == json::parse_event_t::array_start) {
      in_array = true;
    }
    const bool is_whole = event == json::parse_event_t::value ||
                          event == json::parse_event_t::object_end ||
                          event == json::parse_event_t::array_end;
    if (!in_array || depth != 1 || !is_whole) {
      return true;
    }
    take(Fields(value, fmt::format("[{}]", index++), problem));
    return false;  // a host with a thousand containers need not be in memory twice
  };
  const json rest = json::parse(text, on_event, false);
  if (rest.is_discarded()) {
    return fail(ErrorKind::protocol, "the Docker Engine's answer, {}, is not JSON", problem.what);
  }
  if (!rest.is_array() && !rest.is_null()) {
    problem.note("(all of it)", fmt::format("is a JSON {} instead of an array", rest.type_name()));
  }
  return {};
}

}  // namespace tallyman
