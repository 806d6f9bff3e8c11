#pragma once

#include "tallyman/model/error.hpp"
#include "tallyman/model/labels.hpp"
#include "tallyman/model/time.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tallyman {

/// Parses an answer of the engine. ErrorKind::protocol for what is no JSON or is nested too deep;
/// `what` names the answer: "the container list".
[[nodiscard]] Result<nlohmann::json> parse_json(std::string_view text, std::string_view what);

/// Where the first field that is not what it should be is noted, so that a reader of many fields
/// need not check each one.
struct FieldProblem {
  std::string what;  ///< the answer: "the container list"
  std::optional<Error> error = std::nullopt;

  void note(std::string_view path, std::string_view trouble);
};

/// Reads the fields of one JSON object as Go writes them: a field that is missing or null is empty,
/// unknown fields do not matter. A field of another type is noted in `problem` and reads as empty.
/// Refers to `value` and `problem`.
class Fields {
 public:
  Fields(const nlohmann::json& value, std::string path, FieldProblem& problem);

  [[nodiscard]] std::string text(const char* key) const;
  [[nodiscard]] std::string required_text(const char* key) const;  ///< empty is a problem too
  [[nodiscard]] std::optional<std::int64_t> number(const char* key) const;
  [[nodiscard]] std::optional<int> small_number(const char* key) const;
  [[nodiscard]] bool flag(const char* key, bool if_missing) const;
  [[nodiscard]] std::vector<std::string> texts(const char* key) const;  ///< null elements left out
  [[nodiscard]] Labels::Map text_map(const char* key) const;
  /// Seconds since 1970 or an RFC 3339 text; Go's zero time and 0 are "not known".
  [[nodiscard]] std::optional<Timestamp> time(const char* key) const;

  [[nodiscard]] Fields object(const char* key) const;  ///< without fields if missing
  [[nodiscard]] std::vector<std::pair<std::string, Fields>> objects(const char* key) const;
  [[nodiscard]] std::vector<Fields> elements(const char* key) const;  ///< of an array of objects
  [[nodiscard]] bool has_object(const char* key) const;

 private:
  Fields(std::string path, FieldProblem& problem)
      : m_path(std::move(path)), m_problem(&problem) {}  ///< of an object that is not there
  [[nodiscard]] const nlohmann::json* find(const char* key) const;
  [[nodiscard]] std::string path_of(std::string_view key) const;
  void wrong(std::string_view key, const nlohmann::json& value, std::string_view expected) const;

  const nlohmann::json* m_value = nullptr;
  std::string m_path;
  FieldProblem* m_problem;
};

/// Reads an answer that is an array (null: an empty one) element by element; `take` gets each, as
/// long as it lasts.
[[nodiscard]] Result<void> each_object(std::string_view text, FieldProblem& problem,
                                       const std::function<void(const Fields&)>& take);

}  // namespace tallyman
