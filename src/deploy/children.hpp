#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tallyman/io/log.hpp"
#include "tallyman/io/process.hpp"

namespace tallyman {

/// The last lines of a child's output, joined for a message: printable, at most some 400 bytes of
/// text. Programs tell their error last.
[[nodiscard]] std::string end_of_output(std::string_view text);

/// Puts a child's lines into the log: the first 200, each cut at 500 bytes, and then that there is
/// more.
class LoggedLines {
 public:
  static constexpr int k_most_lines = 200;
  static constexpr std::size_t k_longest_line = 500;

  /// `who`: "compose shop"
  LoggedLines(Log& log, std::string who) : m_log(log), m_who(std::move(who)) {}
  void add(std::string_view line);

 private:
  Log& m_log;
  std::string m_who;
  int m_lines = 0;
};

/// Can this program be started there? `program`: absolute, relative to `directory`, or a name that
/// `path` knows. ErrorKind::config with what is missing.
[[nodiscard]] Result<void> check_program(const std::string& program, const std::string& directory,
                                         const std::string& path);

/// Runs a child whose exit status decides, however much it writes: its lines go to the log, `what`
/// ("script ./start.sh") before them, its bytes where `command.on_output` leads. ErrorKind::process
/// with the end of its output if it fails.
[[nodiscard]] Result<void> run_child(Process& process, Log& log, Command command,
                                     const std::string& what);

}  // namespace tallyman
