#include <charconv>

#include "tallyman/deploy/compose_target.hpp"

namespace tallyman {
namespace {

bool read_number(std::string_view& text, int& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) {
    return false;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_@%+=:,./-").find(c) != std::string_view::npos;
}

/// For a POSIX shell.
std::string quoted(std::string_view text) {
  bool plain = !text.empty();
  std::string result = "'";
  for (const char c : text) {
    plain = plain && is_plain(c);
    result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return plain ? std::string(text) : result + "'";
}

}  // namespace

bool ComposeTool::at_least(int wanted_major, int wanted_minor) const {
  return major > wanted_major || (major == wanted_major && minor >= wanted_minor);
}

std::string ComposeTool::version() const {
  return fmt::format("{}.{}.{}", major, minor, patch);
}

std::string ComposeTool::str() const {
  return fmt::format("{} {}", fmt::join(argv, " "), version());
}

std::optional<ComposeTool> parse_compose_version(std::string_view text) {
  ComposeTool tool;
  if (text.starts_with('v')) {
    text.remove_prefix(1);
  }
  if (!read_number(text, tool.major) || !text.starts_with('.')) {
    return std::nullopt;
  }
  text.remove_prefix(1);
  if (!read_number(text, tool.minor)) {
    return std::nullopt;
  }
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!read_number(text, tool.patch)) {
      return std::nullopt;
    }
  }
  return tool;
}

std::string shell_line(const Command& command,
                       const std::map<std::string, std::string>& shown_environment) {
  std::string line = fmt::format("cd {} &&", quoted(command.directory));
  for (const auto& [name, value] : shown_environment) {
    line += fmt::format(" {}={}", name, quoted(value));
  }
  for (const std::string& argument : command.argv) {
    line += " " + quoted(argument);
  }
  return line;
}

}  // namespace tallyman
