#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/values.hpp"
#include "tallyman/io/process.hpp"

namespace tallyman::test {

/// A Process that records the commands and answers by a word of their command line, first fit;
/// what fits none is not installed.
class FakeProcess final : public Process {
 public:
  void on(std::string words, Result<Exit> exit) {
    m_answers.emplace_back(std::move(words), std::move(exit));
  }
  void prints(std::string words, std::string out) {
    on(std::move(words), Exit{.code = 0, .out = std::move(out)});
  }

  void forget() { m_answers.clear(); }

  Result<Exit> run(const Command& command) override {
    const std::scoped_lock lock(m_mutex);
    commands.push_back(command);
    if (on_run) {
      on_run(command);
    }
    const std::string line = line_of(command);
    for (const auto& [words, exit] : m_answers) {
      if (contains(line, words)) {
        if (exit && command.on_output) {
          command.on_output(exit->out + exit->err);
        }
        if (exit && command.on_line) {
          tell(exit->out, command);
          tell(exit->err, command);
        }
        return exit;
      }
    }
    return fail(ErrorKind::process, "{}: not found in PATH /usr/bin", command.argv.front());
  }

  static std::string line_of(const Command& command) {
    return fmt::format("{}", fmt::join(command.argv, " "));
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    for (const Command& command : commands) {
      lines.push_back(line_of(command));
    }
    return lines;
  }

  std::vector<Command> commands;
  std::function<void(const Command&)> on_run = {};  ///< before it is answered

 private:
  static void tell(std::string_view text, const Command& command) {
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      command.on_line(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }

  std::mutex m_mutex;
  std::vector<std::pair<std::string, Result<Exit>>> m_answers;
};

}  // namespace tallyman::test
