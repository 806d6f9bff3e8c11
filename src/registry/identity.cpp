#include "registry/identity.hpp"

#include <fmt/format.h>

#include "tallyman/io/encoding.hpp"

namespace tallyman {

bool has_registry_token(const Identity& identity) {
  return identity.credential && identity.credential->kind == CredentialKind::registry_token;
}

std::string key_of(const Identity& identity) {
  const std::optional<Credential>& credential = identity.credential;
  return credential
             ? fmt::format("{}\n{}\n{}", credential->username, static_cast<int>(credential->kind),
                           sha256_hex(credential->secret.reveal()))
             : "";
}

}  // namespace tallyman
