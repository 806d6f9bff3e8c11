#include "tallyman/cli/terminal.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tallyman {
namespace {

constexpr std::size_t k_gap = 2;
constexpr std::size_t k_narrowest_last_column = 24;

std::string_view escape_of(Style style) {
  switch (style) {
    case Style::good:
      return "\x1b[32m";
    case Style::attention:
      return "\x1b[33m";
    case Style::bad:
      return "\x1b[31m";
    case Style::faint:
      return "\x1b[2m";
    case Style::plain:
      break;
  }
  return "";
}

/// Columns that UTF-8 text takes, one for each code point.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

/// Breaks at spaces; a word that is longer than a line (a digest, a path) stays whole, so that it
/// can be copied. All lines are indented as the text begins.
std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  const std::string indent(std::min(text.find_first_not_of(' '), text.size()), ' ');
  text.remove_prefix(indent.size());
  std::vector<std::string> lines = {indent};
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    std::string& line = lines.back();
    if (line == indent) {
      line += word;
    } else if (columns(line) + 1 + columns(word) <= width) {
      line += " ";
      line += word;
    } else {
      lines.push_back(indent + std::string(word));
    }
  }
  return lines;
}

std::string padded(const std::string& styled, std::size_t shown, std::size_t width) {
  return styled + std::string(width > shown ? width - shown : 0, ' ');
}

void append_trimmed(std::string& out, std::string line) {
  while (line.ends_with(' ')) {
    line.pop_back();
  }
  out += line + "\n";
}

}  // namespace

std::string_view cut_to(std::string_view text, std::size_t most) {
  std::size_t end = text.size();
  while (columns(text.substr(0, end)) > most) {
    --end;
  }
  return text.substr(0, end);
}

void Terminal::clear_passing() {
  if (m_passing) {
    std::fputs("\r\x1b[K", m_stream);
    m_passing = false;
  }
}

void Terminal::passing(std::string_view text) {
  if (!m_options.live) {
    return;
  }
  clear_passing();
  const std::string_view shown = cut_to(text, static_cast<std::size_t>(m_options.width - 1));
  [[maybe_unused]] const std::size_t written = std::fwrite(shown.data(), 1, shown.size(), m_stream);
  std::fflush(m_stream);
  m_passing = true;
}

void Terminal::print(std::string_view text) {
  clear_passing();
  // A reader that went away is found out by main, which checks the stream at the end.
  [[maybe_unused]] const std::size_t written = std::fwrite(text.data(), 1, text.size(), m_stream);
  std::fflush(m_stream);
}

void Terminal::line(std::string_view text) {
  print(fmt::format("{}\n", text));
}

std::string Terminal::styled(std::string_view text, Style style) const {
  const std::string_view escape = escape_of(style);
  if (!m_options.colour || escape.empty()) {
    return std::string(text);
  }
  return fmt::format("{}{}\x1b[0m", escape, text);
}

Style style_of(ServiceState state) {
  switch (state) {
    case ServiceState::failed:
    case ServiceState::unknown:
      return Style::bad;
    case ServiceState::rolled_back:
    case ServiceState::quarantined:
    case ServiceState::held:
    case ServiceState::pending:
    case ServiceState::absent:
      return Style::attention;
    case ServiceState::updated:
    case ServiceState::current:
      return Style::good;
    case ServiceState::pinned:
    case ServiceState::local:
      break;
  }
  return Style::plain;
}

Table::Table(std::vector<std::string> headers) {
  std::vector<Cell> row;
  for (std::string& header : headers) {
    row.push_back({std::move(header), Style::faint});
  }
  m_rows.push_back(std::move(row));
}

void Table::add(std::vector<Cell> row) {
  row.resize(m_rows.front().size());
  m_rows.push_back(std::move(row));
}

std::string Table::str(const Terminal& terminal) const {
  const std::size_t last = m_rows.front().size() - 1;
  std::vector<std::size_t> widths(last + 1, 0);
  for (const auto& row : m_rows) {
    for (std::size_t i = 0; i <= last; ++i) {
      widths[i] = std::max(widths[i], columns(row[i].text));
    }
  }
  std::size_t indent = 0;
  for (std::size_t i = 0; i < last; ++i) {
    indent += widths[i] + k_gap;
  }
  const auto total = static_cast<std::size_t>(terminal.width());
  const std::size_t room =
      std::max(k_narrowest_last_column, total > indent ? total - indent : std::size_t{0});

  std::string out;
  for (const auto& row : m_rows) {
    std::string line;
    for (std::size_t i = 0; i < last; ++i) {
      line += padded(terminal.styled(row[i].text, row[i].style), columns(row[i].text),
                     widths[i] + k_gap);
    }
    for (const std::string& part : wrapped(row[last].text, room)) {
      append_trimmed(out, line + (part.empty() ? "" : terminal.styled(part, row[last].style)));
      line.assign(indent, ' ');
    }
  }
  return out;
}

std::string hanging(std::string_view text, int width) {
  constexpr std::size_t k_indent = 4;
  const auto total = static_cast<std::size_t>(width);
  const std::string first = wrapped(text, total).front();
  std::string out;
  append_trimmed(out, first);
  if (first.size() < text.size()) {
    for (const std::string& part : wrapped(text.substr(first.size() + 1), total - k_indent)) {
      append_trimmed(out, std::string(k_indent, ' ') + part);
    }
  }
  return out;
}

std::string labelled(std::string_view label, std::string_view text, int width,
                     std::size_t label_width) {
  const std::size_t indent = k_gap + label_width;
  const auto total = static_cast<std::size_t>(width);
  std::string out;
  std::string line = fmt::format("  {:<{}}", label, label_width);
  if (columns(label) >= label_width) {
    append_trimmed(out, line);
    line.assign(indent, ' ');
  }
  while (true) {
    const std::size_t end = text.find('\n');
    for (const std::string& part :
         wrapped(text.substr(0, end), total > indent + 20 ? total - indent : 20)) {
      append_trimmed(out, line + part);
      line.assign(indent, ' ');
    }
    if (end == std::string_view::npos) {
      return out;
    }
    text.remove_prefix(end + 1);
  }
}

}  // namespace tallyman
