#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace tallyman {

/// Cuts a stream into lines without ever holding more than one of them.
class LineSplitter {
 public:
  static constexpr std::size_t k_max_line = 8 * 1024;  ///< the rest of a longer one is dropped

  explicit LineSplitter(const std::function<void(std::string_view)>& on_line)
      : m_on_line(on_line) {}
  void add(std::string_view bytes);
  void finish();  ///< a last line without a newline is one too

 private:
  void end_line();

  const std::function<void(std::string_view)>& m_on_line;
  std::string m_line;
  bool m_open = false;  ///< something came since the last newline
};

}  // namespace tallyman
