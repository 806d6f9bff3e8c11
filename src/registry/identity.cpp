#include "registry/identity.hpp"

#include <fmt/format.h>

#include "tallyman/io/encoding.hpp"

namespace tallyman {

bool has_registry_token(const Identity& identity) {
  return identity.credential && identity.credential->kind == CredentialKind::registry_token;
}

std::string key_of(const Identity& identity) {
  const std::optional<Credential>& credential = identity.credential;
  if (!credential) {
    return identity.unusable ? identity.unusable->message : "";
  }
  return fmt::format("{}\n{}\n{}\n{}", credential->origin, credential->username,
                     static_cast<int>(credential->kind), sha256_hex(credential->secret.reveal()));
}

}  // namespace tallyman
