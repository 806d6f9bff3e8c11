#pragma once

#include <cstddef>
#include <string_view>

namespace tallyman {

/// Bytes of the well-formed UTF-8 sequence (Unicode 15, table 3-7) that `bytes` starts with; 0 if
/// it starts with none.
[[nodiscard]] std::size_t utf8_sequence_length(std::string_view bytes);

}  // namespace tallyman
