#pragma once

#include <string>
#include <utility>

namespace tallyman {

/// A password or token. It has no formatter and no operator<<, so that it cannot slip into a
/// message or a log; reveal() is said only where it goes onto the wire.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : m_value(std::move(value)) {}
  [[nodiscard]] const std::string& reveal() const { return m_value; }
  [[nodiscard]] bool empty() const { return m_value.empty(); }
  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  std::string m_value;
};

/// What a registry takes in what way.
enum class CredentialKind {
  password,        ///< with the username: Basic, to the token server or to the registry
  identity_token,  ///< POSTed to the token server only (distribution's oauth.md)
  registry_token,  ///< the Bearer token itself: to the registry only
};

/// Who we are to a registry.
struct Credential {
  std::string username;  ///< empty: nothing is known but the token
  Secret secret = {};
  std::string origin = {};  ///< where it was found, for people: `[registry."harbor.lan"]`,
                            ///< "/root/.docker/config.json"
  CredentialKind kind = CredentialKind::password;

  /// For people: "robot$shop+pull", "an identity token".
  [[nodiscard]] std::string who() const {
    if (!username.empty()) {
      return username;
    }
    return kind == CredentialKind::registry_token ? "a registry token" : "an identity token";
  }
};

}  // namespace tallyman
