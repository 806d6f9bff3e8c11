#pragma once

#include "tallyman/model/error.hpp"
#include "tallyman/model/secret.hpp"

#include <optional>
#include <string>

namespace tallyman {

/// How a registry is spoken to.
enum class Transport {
  https,
  plain_http,      ///< its section says so: credentials may travel
  insecure_https,  ///< the engine lists it: any certificate will do, nothing secret is sent
  insecure_http,   ///< the engine lists it: nothing secret is sent
};

[[nodiscard]] constexpr bool is_http(Transport transport) {
  return transport == Transport::plain_http || transport == Transport::insecure_http;
}
[[nodiscard]] constexpr bool carries_credentials(Transport transport) {
  return transport == Transport::https || transport == Transport::plain_http;
}

/// Who we are to the registry of a domain.
struct Identity {
  std::string domain;  ///< as in references; names the [registry] section
  Transport transport = Transport::https;
  std::optional<Credential> credential = std::nullopt;  ///< to be sent
  std::optional<Credential> withheld = std::nullopt;    ///< known, but not for this transport
  std::optional<Error> unusable = std::nullopt;         ///< why a file or helper could not be asked
  bool elsewhere = false;   ///< where the registry redirected to: nobody knows us there
  std::string places = {};  ///< where a credential was looked for, for people
};

[[nodiscard]] bool has_registry_token(const Identity& identity);
/// The same for all that send the same credential, from the same place.
[[nodiscard]] std::string key_of(const Identity& identity);

}  // namespace tallyman
