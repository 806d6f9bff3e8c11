#pragma once

#include <cerrno>
#include <expected>
#include <string>
#include <string_view>

#include "io/errno_text.hpp"
#include "tallyman/model/error.hpp"

namespace tallyman {

/// "cannot read /a/b: Permission denied"; ErrorKind::denied or io.
[[nodiscard]] inline std::unexpected<Error> path_error(std::string_view doing,
                                                       const std::string& path, int number) {
  const bool denied = number == EACCES || number == EPERM;
  return fail(denied ? ErrorKind::denied : ErrorKind::io, "cannot {} {}: {}", doing, path,
              errno_text(number));
}

/// The same, and ErrorKind::not_found for what is not there.
[[nodiscard]] inline std::unexpected<Error> path_error_or_missing(std::string_view doing,
                                                                  const std::string& path,
                                                                  int number) {
  std::unexpected<Error> failure = path_error(doing, path, number);
  if (number == ENOENT || number == ENOTDIR) {
    failure.error().kind = ErrorKind::not_found;
  }
  return failure;
}

}  // namespace tallyman
