#pragma once

#include <string_view>

namespace tallyman {

/// Does a JSON text nest deeper than so many levels? To be asked before it is parsed: a parser's
/// own callback takes a time that grows with the square of the length. Text that is no JSON gets
/// some answer.
[[nodiscard]] bool nests_deeper_than(std::string_view json, int levels);

}  // namespace tallyman
