#include "tallyman/model/error.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <utility>

using tallyman::Error;
using tallyman::ErrorKind;

TEST_CASE("every error kind has the name that stands in the status file") {
  constexpr std::array k_names = {
      std::pair{ErrorKind::transient, "transient"},
      std::pair{ErrorKind::rate_limited, "rate_limited"},
      std::pair{ErrorKind::auth, "auth"},
      std::pair{ErrorKind::denied, "denied"},
      std::pair{ErrorKind::not_found, "not_found"},
      std::pair{ErrorKind::protocol, "protocol"},
      std::pair{ErrorKind::tls, "tls"},
      std::pair{ErrorKind::config, "config"},
      std::pair{ErrorKind::process, "process"},
      std::pair{ErrorKind::io, "io"},
      std::pair{ErrorKind::cancelled, "cancelled"},
      std::pair{ErrorKind::bug, "bug"},
  };
  for (const auto& [kind, name] : k_names) {
    CHECK(tallyman::to_string(kind) == name);
  }
}

TEST_CASE("context goes in front of the message and keeps kind and remedy") {
  const Error error = tallyman::with_context(
      Error{ErrorKind::tls, "certificate has expired", "renew it"}, "service web: ghcr.io");
  CHECK(error.kind == ErrorKind::tls);
  CHECK(error.message == "service web: ghcr.io: certificate has expired");
  CHECK(error.remedy == "renew it");
}

TEST_CASE("context with braces is text, not a format") {
  CHECK(tallyman::with_context(Error{ErrorKind::io, "{}", ""}, "{x}").message == "{x}: {}");
}

TEST_CASE("fail formats its message and becomes any Result") {
  const tallyman::Result<int> result =
      tallyman::fail(ErrorKind::io, "cannot read {}: {}", "/etc/x", 13);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().kind == ErrorKind::io);
  CHECK(result.error().message == "cannot read /etc/x: 13");
  CHECK(result.error().remedy.empty());
}
