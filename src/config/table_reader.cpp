#include "config/table_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tallyman::config {

namespace {

bool is_bare_key(std::string_view key) {
  return !key.empty() && std::ranges::all_of(key, is_bare_key_character);
}

/// `docker compose` -> `["docker", "compose"]`, `web` -> `["web"]`
std::string as_array(std::string_view key, std::string_view text) {
  constexpr std::string_view k_commands[] = {"command", "before", "after", "on_failure"};
  const bool is_command = std::ranges::find(k_commands, key) != std::end(k_commands);
  std::string result = "[";
  while (!text.empty()) {
    const auto end = is_command ? std::min(text.find(' '), text.size()) : text.size();
    if (end > 0) {
      result += fmt::format("{}{}", result.size() > 1 ? ", " : "", quoted(text.substr(0, end)));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result + "]";
}

}  // namespace

std::string key_path(std::string_view path, std::string_view key) {
  std::string shown = quoted(key);
  if (is_bare_key(key)) {
    shown = shown.substr(1, shown.size() - 2);
  }
  return path.empty() ? shown : fmt::format("{}.{}", path, shown);
}

const TomlNode* TableReader::child(std::string_view key) const {
  const auto found = std::ranges::find(m_table.children, key, &TomlNode::key);
  return found == m_table.children.end() ? nullptr : &*found;
}

const TomlNode* TableReader::ask(std::string_view key) {
  m_known.push_back(key);
  return child(key);
}

void TableReader::report(TextPosition at, std::string_view key, std::string_view message) {
  m_problems.add(at, key_path(m_section.path, key), message);
}

void TableReader::report_type(const TomlNode& node, std::string_view wanted,
                              std::string_view remedy) {
  report(node.at, node.key,
         fmt::format("expected {}, found {}{}{}", wanted, describe(node),
                     remedy.empty() ? "" : "; ", remedy));
}

std::optional<TextValue> TableReader::text(std::string_view key, std::string_view example) {
  const TomlNode* node = ask(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  if (node->type != TomlType::text) {
    report_type(*node, "a string", fmt::format("write {} = \"{}\"", key, example));
    return std::nullopt;
  }
  return TextValue{node->text, node->at};
}

std::optional<bool> TableReader::boolean(std::string_view key) {
  const TomlNode* node = ask(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  if (node->type != TomlType::boolean) {
    report_type(*node, "a boolean", "write true or false, without quotes");
    return std::nullopt;
  }
  return node->truth;
}

std::optional<int> TableReader::integer(std::string_view key, std::string_view example, int lowest,
                                        int highest) {
  const TomlNode* node = ask(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  if (node->type != TomlType::integer) {
    report_type(*node, "an integer", fmt::format("write {} = {}", key, example));
    return std::nullopt;
  }
  if (node->integer < lowest || node->integer > highest) {
    report(node->at, key,
           fmt::format("{} is out of bounds: from {} to {}", node->integer, lowest, highest));
    return std::nullopt;
  }
  return static_cast<int>(node->integer);
}

std::vector<TextValue> TableReader::texts(std::string_view key) {
  std::vector<TextValue> result;
  const TomlNode* node = ask(key);
  if (node == nullptr) {
    return result;
  }
  if (node->type != TomlType::array) {
    report_type(*node, "an array of strings",
                node->type == TomlType::text && !node->text.empty()
                    ? fmt::format("write {}", as_array(key, node->text))
                    : R"(write ["…"])");
    return result;
  }
  if (node->children.empty()) {
    report(node->at, key, "an empty array says nothing; name at least one, or leave the key out");
  }
  for (const TomlNode& item : node->children) {
    if (item.type == TomlType::text) {
      result.push_back({item.text, item.at});
    } else {
      report(item.at, key, fmt::format("expected only strings in here, found {}", describe(item)));
    }
  }
  return result;
}

const TomlNode* TableReader::table(std::string_view key) {
  const TomlNode* node = ask(key);
  if (node != nullptr && node->type != TomlType::table) {
    const bool tables = describe(*node) == "an array of tables";
    report_type(*node, "a table",
                tables ? fmt::format("write [{}] in single brackets", key_path(m_section.path, key))
                       : fmt::format("write it as a section, [{}]", key_path(m_section.path, key)));
    return nullptr;
  }
  return node;
}

void TableReader::finish() {
  for (const TomlNode& node : m_table.children) {
    if (std::ranges::find(m_known, node.key) == m_known.end()) {
      report(node.key_at, node.key, unknown_key_message(m_section, node.key, m_known));
    }
  }
}

}  // namespace tallyman::config
