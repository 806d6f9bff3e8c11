#include "tallyman/model/error.hpp"

namespace tallyman {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::transient:
      return "transient";
    case ErrorKind::rate_limited:
      return "rate_limited";
    case ErrorKind::auth:
      return "auth";
    case ErrorKind::denied:
      return "denied";
    case ErrorKind::not_found:
      return "not_found";
    case ErrorKind::protocol:
      return "protocol";
    case ErrorKind::tls:
      return "tls";
    case ErrorKind::config:
      return "config";
    case ErrorKind::process:
      return "process";
    case ErrorKind::io:
      return "io";
    case ErrorKind::cancelled:
      return "cancelled";
    case ErrorKind::bug:
      break;
  }
  return "bug";
}

std::optional<ErrorKind> parse_error_kind(std::string_view text) {
  for (int value = 0; value <= static_cast<int>(ErrorKind::bug); ++value) {
    const auto kind = static_cast<ErrorKind>(value);
    if (to_string(kind) == text) {
      return kind;
    }
  }
  return std::nullopt;
}

Error with_context(Error error, std::string_view context) {
  error.message = fmt::format("{}: {}", context, error.message);
  return error;
}

}  // namespace tallyman
