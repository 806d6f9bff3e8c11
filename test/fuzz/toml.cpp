#include <algorithm>

#include "config/toml_document.hpp"
#include "fuzz/fuzz.hpp"
#include "tallyman/io/encoding.hpp"

namespace tallyman::config {
namespace {

void check_node(const TomlNode& node, int lines, int depth) {
  HOLDS(depth < 64);
  HOLDS(node.at.line >= 0 && node.at.line <= lines && node.at.column >= 0);
  HOLDS(is_utf8(node.text) && is_utf8(node.key));
  HOLDS(node.children.empty() || node.type == TomlType::array || node.type == TomlType::table);
  HOLDS(!describe(node).empty());
  for (const TomlNode& child : node.children) {
    check_node(child, lines, depth + 1);
  }
}

}  // namespace

FUZZ_TARGET(toml) {
  const int lines = 1 + static_cast<int>(std::ranges::count(input, '\n'));
  const auto document = parse_toml(input);
  if (document) {
    HOLDS(document->type == TomlType::table);
    HOLDS(is_utf8(input));
    check_node(*document, lines, 0);
    return;
  }
  HOLDS(!document.error().message.empty());
  HOLDS(document.error().at.line <= lines + 1 && document.error().at.line >= 0);
}

}  // namespace tallyman::config
