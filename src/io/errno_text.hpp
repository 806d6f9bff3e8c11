#pragma once

#include <string>
#include <system_error>

namespace tallyman {

/// "No such file or directory", thread-safe and the same in every locale.
[[nodiscard]] inline std::string errno_text(int number) {
  return std::generic_category().message(number);
}

}  // namespace tallyman
