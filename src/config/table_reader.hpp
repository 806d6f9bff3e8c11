#pragma once

#include "config/problem_list.hpp"
#include "config/toml_document.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tallyman::config {

enum class ConfigFile { settings, drop_in };

/// A table as the files define it, and how messages call it.
struct TomlSection {
  ConfigFile file;
  std::string_view name;  ///< "" for the top, "compose", "registry.*"
  std::string path;       ///< "compose", `registry."harbor.lan"`
};

/// A string, and where it stands.
struct TextValue {
  std::string text;
  TextPosition at;
};

/// Hands out the typed values of one table. Each key that is asked for is a key that this table
/// knows; finish() reports all others. A wrong type is reported and gives nothing.
class TableReader {
 public:
  /// All three outlive the reader.
  TableReader(const TomlNode& table, const TomlSection& section, ProblemList& problems)
      : m_table(table), m_section(section), m_problems(problems) {}

  /// `example` of a value is for the message.
  [[nodiscard]] std::optional<TextValue> text(std::string_view key, std::string_view example);
  [[nodiscard]] std::optional<bool> boolean(std::string_view key);
  /// One that is out of bounds is reported, too.
  [[nodiscard]] std::optional<int> integer(std::string_view key, std::string_view example,
                                           int lowest, int highest);
  /// Empty if the key is not there; an empty array is reported.
  [[nodiscard]] std::vector<TextValue> texts(std::string_view key);
  [[nodiscard]] const TomlNode* table(std::string_view key);

  [[nodiscard]] bool has(std::string_view key) const { return child(key) != nullptr; }
  [[nodiscard]] TextPosition position() const { return m_table.at; }
  void report(TextPosition at, std::string_view key, std::string_view message);
  void finish();

 private:
  [[nodiscard]] const TomlNode* child(std::string_view key) const;
  [[nodiscard]] const TomlNode* ask(std::string_view key);
  void report_type(const TomlNode& node, std::string_view wanted, std::string_view remedy);

  const TomlNode& m_table;
  const TomlSection& m_section;
  ProblemList& m_problems;
  std::vector<std::string_view> m_known;
};

/// `compose`, "services" -> `compose.services`; what is no bare key is quoted.
[[nodiscard]] std::string key_path(std::string_view path, std::string_view key);

/// What to say of a key that the section does not know.
[[nodiscard]] std::string unknown_key_message(const TomlSection& section, std::string_view key,
                                              const std::vector<std::string_view>& known);

}  // namespace tallyman::config
