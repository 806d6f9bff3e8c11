#pragma once

#include "config/text_scan.hpp"

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace tallyman::config {

enum class TomlType { text, integer, floating, boolean, date_time, array, table };

/// A value of a TOML file, without toml++'s types: those stay in toml_document.cpp.
struct TomlNode {
  TomlType type = TomlType::table;
  TextPosition at;                      ///< of the value; of a [table]: its header
  std::string key = {};                 ///< a table's child only
  TextPosition key_at = {};             ///< a table's child only
  std::string text = {};                ///< TomlType::text only
  bool truth = false;                   ///< TomlType::boolean only
  std::int64_t integer = 0;             ///< TomlType::integer only
  std::vector<TomlNode> children = {};  ///< of an array, in order; of a table, by key
};

/// The root table. Any bytes may come in; a byte order mark is skipped, depth is bounded.
[[nodiscard]] std::expected<TomlNode, TextFlaw> parse_toml(std::string_view text);

/// "a string", "an array of tables", …
[[nodiscard]] std::string_view describe(const TomlNode& node);

}  // namespace tallyman::config
