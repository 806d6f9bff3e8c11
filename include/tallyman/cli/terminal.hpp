#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "tallyman/model/service_state.hpp"

namespace tallyman {

enum class Style { plain, good, attention, bad, faint };

/// Where results go: stdout. Colour only on a terminal, and not with NO_COLOR or TERM=dumb.
class Terminal {
 public:
  struct Options {
    bool colour = false;
    bool live = false;  ///< a line may be written over
    int width = 80;     ///< columns; text wraps there
  };
  Terminal(std::FILE* stream, Options options) : m_stream(stream), m_options(options) {}

  void print(std::string_view text);  ///< as it is, and flushes
  void line(std::string_view text);   ///< with a newline
  /// On a terminal: a line that the next output writes over. Nothing elsewhere.
  void passing(std::string_view text);
  [[nodiscard]] std::string styled(std::string_view text, Style style) const;
  [[nodiscard]] int width() const { return m_options.width; }
  [[nodiscard]] bool colour() const { return m_options.colour; }

 private:
  void clear_passing();

  std::FILE* m_stream;
  Options m_options;
  bool m_passing = false;
};

[[nodiscard]] Style style_of(ServiceState state);

/// Aligned columns, two spaces apart; the last one wraps within the terminal's width.
class Table {
 public:
  struct Cell {
    std::string text;
    Style style = Style::plain;
  };
  explicit Table(std::vector<std::string> headers);
  void add(std::vector<Cell> row);
  [[nodiscard]] std::string str(const Terminal& terminal) const;

 private:
  std::vector<std::vector<Cell>> m_rows;
};

/// At most so many columns of UTF-8 text, cut between characters.
[[nodiscard]] std::string_view cut_to(std::string_view text, std::size_t columns);

/// One line, wrapped within the width; what follows is indented.
[[nodiscard]] std::string hanging(std::string_view text, int width);

/// "  label     text", the text wrapped within the width and aligned under itself. A label that is
/// too long for that has a line of its own.
[[nodiscard]] std::string labelled(std::string_view label, std::string_view text, int width,
                                   std::size_t label_width = 10);

}  // namespace tallyman
