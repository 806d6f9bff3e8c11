#include "engine/engine_text.hpp"

#include "engine/json_fields.hpp"
#include "tallyman/io/encoding.hpp"
#include "tallyman/io/log.hpp"

#include <fmt/format.h>

#include <ranges>

namespace tallyman {

namespace {

constexpr std::size_t k_longest_text = 1000;

bool is_white(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

}  // namespace

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : cut_utf8(text, k_longest_text)) {
    if (!is_white(c)) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  if (text.size() > k_longest_text) {
    line += "…";
  }
  if (line.ends_with(' ')) {
    line.pop_back();
  }
  return printable(line);
}

std::string reason(std::string_view text) {
  const std::size_t end = text.find_last_not_of(" \r\n\t.");
  return one_line(text.substr(0, end == std::string_view::npos ? 0 : end + 1));
}

std::string message_of(const HttpResponse& answer) {
  std::string text;
  if (const auto document = parse_json(answer.body, "an error"); document) {
    FieldProblem ignored{"an error"};
    text = Fields(*document, "", ignored).text("message");
  }
  text = reason(text.empty() ? answer.body : text);
  return text.empty() ? fmt::format("HTTP status {} without a message", answer.status) : text;
}

std::optional<std::string> path_part(std::string_view name) {
  std::string path;
  for (const auto part : std::views::split(name, '/')) {
    const std::string_view segment(part.begin(), part.end());
    if (segment.empty() || segment == "." || segment == "..") {
      return std::nullopt;
    }
    path += path.empty() ? "" : "/";
    for (const char c : segment) {
      path += c == ':' || c == '@' || c == '+' ? std::string(1, c) : percent_encode({&c, 1});
    }
  }
  return path.empty() ? std::nullopt : std::optional(path);
}

}  // namespace tallyman
