#include "tallyman/cli/terminal.hpp"

#include <doctest/doctest.h>

#include "support/values.hpp"
#include "unit/cli/screen.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

std::string table_text(const Table& table, Terminal::Options options = {}) {
  const Screen screen(options);
  return table.str(screen.terminal);
}

}  // namespace

TEST_CASE("Terminal prints as it is, and lines with a newline") {
  Screen screen;
  screen.terminal.print("a{}%s");
  screen.terminal.line("b");
  CHECK(screen.text() == "a{}%sb\n");
}

TEST_CASE("Terminal colours only when it is asked to") {
  const Screen plain;
  CHECK(plain.terminal.styled("x", Style::bad) == "x");
  const Screen coloured({.colour = true});
  CHECK(coloured.terminal.styled("x", Style::bad) == "\x1b[31mx\x1b[0m");
  CHECK(coloured.terminal.styled("x", Style::attention) == "\x1b[33mx\x1b[0m");
  CHECK(coloured.terminal.styled("x", Style::good) == "\x1b[32mx\x1b[0m");
  CHECK(coloured.terminal.styled("x", Style::faint) == "\x1b[2mx\x1b[0m");
  CHECK(coloured.terminal.styled("x", Style::plain) == "x");
}

TEST_CASE("a passing line is written over by whatever comes next") {
  Screen screen({.live = true});
  screen.terminal.passing("pull 1 of 2 MB");
  CHECK(screen.text() == "pull 1 of 2 MB");
  screen.terminal.passing("pull 2 of 2 MB");
  screen.terminal.line("pulled");
  screen.terminal.print("b\n");
  CHECK(screen.text() == "pull 1 of 2 MB\r\x1b[Kpull 2 of 2 MB\r\x1b[Kpulled\nb\n");
}

TEST_CASE("a passing line never wraps") {
  Screen screen({.live = true, .width = 10});
  screen.terminal.passing("0123456789abc");
  CHECK(screen.text() == "012345678");
}

TEST_CASE("a passing line is cut between characters") {
  Screen screen({.live = true, .width = 5});
  screen.terminal.passing("abc\u00e9xyz");
  CHECK(screen.text() == "abc\u00e9");
}

TEST_CASE("a passing line appears on live terminals only") {
  Screen screen({.colour = true});
  screen.terminal.passing("pull 1 of 2 MB");
  screen.terminal.line("pulled");
  screen.terminal.passing("more");
  CHECK(screen.text() == "pulled\n");
}

TEST_CASE("every state has the colour of how urgent it is") {
  CHECK(style_of(ServiceState::failed) == Style::bad);
  CHECK(style_of(ServiceState::unknown) == Style::bad);
  CHECK(style_of(ServiceState::rolled_back) == Style::attention);
  CHECK(style_of(ServiceState::quarantined) == Style::attention);
  CHECK(style_of(ServiceState::pending) == Style::attention);
  CHECK(style_of(ServiceState::absent) == Style::attention);
  CHECK(style_of(ServiceState::updated) == Style::good);
  CHECK(style_of(ServiceState::current) == Style::good);
  CHECK(style_of(ServiceState::pinned) == Style::plain);
  CHECK(style_of(ServiceState::local) == Style::plain);
}

TEST_CASE("Table aligns its columns and leaves no blanks at the ends of lines") {
  Table table({"SERVICE", "STATE", "REASON"});
  table.add({{"api-prod"}, {"current"}, {""}});
  table.add({{"w"}, {"unknown"}, {"no answer"}});
  table.add({{"short row"}});
  CHECK(table_text(table) ==
        "SERVICE    STATE    REASON\n"
        "api-prod   current\n"
        "w          unknown  no answer\n"
        "short row\n");
}

TEST_CASE("Table wraps its last column within 80 columns, at spaces") {
  Table table({"SERVICE", "STATE", "REASON"});
  table.add({{"web"},
             {"pending"},
             {"changed by hand since 222222222222 was deployed; left alone until the tag "
              "harbor.lan/shop/web:1 moves on to something else"}});
  const std::string text = table_text(table);
  CHECK(text ==
        "SERVICE  STATE    REASON\n"
        "web      pending  changed by hand since 222222222222 was deployed; left alone\n"
        "                  until the tag harbor.lan/shop/web:1 moves on to something else\n");
  for (std::size_t begin = 0; begin < text.size(); begin = text.find('\n', begin) + 1) {
    CHECK(text.find('\n', begin) - begin <= 80);
  }
}

TEST_CASE("Table keeps words in one piece, so that they can be copied") {
  const std::string digest = id_of('2');
  Table table({"A", "B"});
  table.add({{"x"}, {"see " + digest + " there"}});
  CHECK(table_text(table, {.width = 40}) == "A  B\nx  see\n   " + digest + "\n   there\n");
}

TEST_CASE("Table leaves its last column some room on a narrow terminal") {
  Table table({"SERVICE-WITH-A-LONG-NAME", "B"});
  table.add({{"x"}, {"twelve chars and more of it"}});
  CHECK(table_text(table, {.width = 20}) ==
        "SERVICE-WITH-A-LONG-NAME  B\n"
        "x                         twelve chars and more of\n"
        "                          it\n");
}

TEST_CASE("Table counts characters, not bytes") {
  Table table({"A", "B", "C"});
  table.add({{"caf\u00e9"}, {"\u2713"}, {"x"}});
  table.add({{"plain"}, {"y"}, {"z"}});
  CHECK(table_text(table) ==
        "A      B  C\n"
        "caf\u00e9   \u2713  x\n"
        "plain  y  z\n");
}

TEST_CASE("Table with colour has the same columns") {
  Table table({"SERVICE", "STATE"});
  table.add({{"web"}, {"failed", Style::bad}});
  table.add({{"api", Style::good}, {"x"}});
  CHECK(table_text(table, {.colour = true}) ==
        "\x1b[2mSERVICE\x1b[0m  \x1b[2mSTATE\x1b[0m\n"
        "web      \x1b[31mfailed\x1b[0m\n"
        "\x1b[32mapi\x1b[0m      x\n");
}

TEST_CASE("labelled aligns its text under itself") {
  CHECK(labelled("image", "nginx:1", 80) == "  image     nginx:1\n");
  CHECK(labelled("fix", "one\ntwo\n\nthree", 80) ==
        "  fix       one\n            two\n\n            three\n");
  CHECK(labelled("error", "the quick brown fox jumps over the lazy dog", 40) ==
        "  error     the quick brown fox jumps\n            over the lazy dog\n");
  CHECK(labelled("fix", "in a file:\n  a = 1, which is enough\nand again", 40) ==
        "  fix       in a file:\n              a = 1, which is enough\n            and again\n");
  CHECK(labelled("fix", "  a = 1, which is now a bit too long", 40) ==
        "  fix         a = 1, which is now a bit\n              too long\n");
  CHECK(labelled("", "x", 80) == "            x\n");
  CHECK(labelled("fix", "", 80) == "  fix\n");
}

TEST_CASE("labelled keeps long words in one piece, and some room on a narrow terminal") {
  CHECK(labelled("digest", "is " + id_of('2'), 40) ==
        "  digest    is\n            " + id_of('2') + "\n");
  CHECK(labelled("a", "twelve chars and more", 10) ==
        "  a         twelve chars and\n            more\n");
}

TEST_CASE("a line is wrapped, and what follows is indented") {
  CHECK(hanging("short", 40) == "short\n");
  CHECK(hanging("", 40) == "\n");
  CHECK(hanging("web: pending: one two three four five six", 20) ==
        "web: pending: one\n"
        "    two three four\n"
        "    five six\n");
  CHECK(hanging("web: a-word-that-is-longer-than-the-line", 20) ==
        "web:\n"
        "    a-word-that-is-longer-than-the-line\n");
}

TEST_CASE("labelled gives a long label a line of its own") {
  CHECK(labelled("ninechars", "x", 80) == "  ninechars x\n");
  CHECK(labelled("tencharsss", "x", 80) == "  tencharsss\n            x\n");
  CHECK(labelled("fix shop-production", "install it", 80) ==
        "  fix shop-production\n            install it\n");
}
