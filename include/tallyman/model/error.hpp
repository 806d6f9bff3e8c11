#pragma once

#include <fmt/format.h>

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tallyman {

/// What sort of failure it was. The kind drives policy (retry, state, exit status), the message is
/// for people.
enum class ErrorKind {
  transient,     ///< may work next time: no connection, time-out, 5xx
  rate_limited,  ///< 429
  auth,          ///< no credential, or the credential was rejected
  denied,        ///< the credential is good, but has no right to this
  not_found,     ///< the thing asked for is not there
  protocol,      ///< the other side answered something that its specification does not allow
  tls,           ///< no trusted TLS connection
  config,        ///< something an operator wrote must be changed
  process,       ///< a child process failed
  io,            ///< a file, folder or socket of this host
  cancelled,     ///< asked to stop
  bug,           ///< cannot happen
};

/// The kind as it stands in the status file: "transient", "rate_limited", …
[[nodiscard]] std::string_view to_string(ErrorKind kind);
[[nodiscard]] std::optional<ErrorKind> parse_error_kind(std::string_view text);

struct Error {
  ErrorKind kind = ErrorKind::bug;
  std::string
      message;  ///< what failed, with names (service, image, host); no trailing period, no secrets
  std::string remedy = {};  ///< what an operator can do about it; empty where nothing is known
};

/// "context: message", kind and remedy kept.
[[nodiscard]] Error with_context(Error error, std::string_view context);

template <class T>
using Result = std::expected<T, Error>;

/// return fail(ErrorKind::io, "cannot read {}", path);
template <class... Args>
[[nodiscard]] std::unexpected<Error> fail(ErrorKind kind, fmt::format_string<Args...> format,
                                          Args&&... args) {
  return std::unexpected(Error{kind, fmt::format(format, std::forward<Args>(args)...)});
}

}  // namespace tallyman
