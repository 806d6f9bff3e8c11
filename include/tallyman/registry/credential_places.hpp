#pragma once

#include "tallyman/model/secret.hpp"

#include <sys/types.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace tallyman {

/// Where credentials are looked for besides the [registry] sections.
struct CredentialPlaces {
  std::string credentials_directory = {};  ///< $CREDENTIALS_DIRECTORY; empty: systemd gave none
  Secret docker_auth_config = {};          ///< $DOCKER_AUTH_CONFIG: JSON with `auths`
  /// Docker's config.json, then Podman's auth.json files; each may be missing.
  std::vector<std::string> files = {};
  /// All that a credential helper gets: PATH, HOME, and what leads it to its agent, its folders and
  /// its cloud; of proxies only those without a password.
  std::map<std::string, std::string> helper_environment = {};
  std::chrono::milliseconds helper_timeout = std::chrono::seconds(10);
};

/// As docker and podman would look on behalf of this user: ${DOCKER_CONFIG:-~/.docker}/config.json;
/// $REGISTRY_AUTH_FILE, $XDG_RUNTIME_DIR/containers/auth.json, /run/containers/UID/auth.json,
/// ${XDG_CONFIG_HOME:-~/.config}/containers/auth.json. `path` is for a helper if there is no $PATH.
[[nodiscard]] CredentialPlaces credential_places(
    const std::map<std::string, std::string>& environment, uid_t user, const std::string& path);

}  // namespace tallyman
