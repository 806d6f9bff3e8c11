#pragma once

#include "config/text_scan.hpp"
#include "tallyman/config/config.hpp"
#include "tallyman/model/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tallyman::config {

/// Safe on a terminal: control characters and bytes that are not UTF-8 become "\x1B".
[[nodiscard]] std::string printable(std::string_view text);
/// In double quotes, printable, cut to 80 bytes.
[[nodiscard]] std::string quoted(std::string_view text);
/// "message; remedy"
[[nodiscard]] std::string message_of(const Error& error);
/// "image, mode, compose"
[[nodiscard]] std::string joined(const std::vector<std::string_view>& words);

/// The mistakes of one file.
class ProblemList {
 public:
  explicit ProblemList(std::string file) : m_file(std::move(file)) {}

  void add(TextPosition at, std::string key, std::string_view message);
  [[nodiscard]] bool empty() const { return m_problems.empty(); }
  /// By position; those of the file as a whole come first. What is beyond 100 is only counted.
  [[nodiscard]] std::vector<Problem> take();

 private:
  std::string m_file;
  std::vector<Problem> m_problems;
};

}  // namespace tallyman::config
