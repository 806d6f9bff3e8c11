#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace tallyman {

/// Cuts a stream of concatenated JSON objects into objects, wherever the pieces of the stream begin
/// and end, and whatever white space is between the objects. It only counts brackets: whether an
/// object is good JSON is for the parser to say.
class JsonSplitter {
 public:
  /// Calls `object` for each that is complete now. False, from then on: this is no such stream, an
  /// object is over 1 MiB or nested too deep, or `object` returned false.
  bool feed(std::string_view bytes, const std::function<bool(std::string_view)>& object);

  /// Nothing is begun and not ended.
  [[nodiscard]] bool at_boundary() const { return m_depth == 0 && !m_failed; }

 private:
  [[nodiscard]] bool step(char c);  ///< false: cannot go on

  std::string m_object;
  int m_depth = 0;
  bool m_in_string = false;
  bool m_escaped = false;
  bool m_failed = false;
};

}  // namespace tallyman
