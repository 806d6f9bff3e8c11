#pragma once

#include "tallyman/model/error.hpp"
#include "tallyman/model/secret.hpp"

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace tallyman {

/// The credentials of one file in the form of docker's config.json (github.com/docker/cli:
/// cli/config/configfile, cli/config/credentials/file_store.go) or Podman's auth.json
/// (containers-auth.json(5)), which is the same with keys for namespaces.
class DockerConfig {
 public:
  /// `path` is for messages. ErrorKind::config if it is no JSON object, or "auths", "credHelpers"
  /// or "credsStore" have wrong types. An entry that makes no sense is an error of its own host.
  [[nodiscard]] static Result<DockerConfig> parse(std::string_view text, const std::string& path);

  /// Who has the credential: docker-credential-`name`, asked for `server`.
  struct Helper {
    std::string name;  ///< fit for a file's name
    std::string server;
  };
  struct Found {
    std::optional<Credential> credential = std::nullopt;
    std::optional<Helper> helper = std::nullopt;  ///< it alone is asked: what `auths` has is old
  };
  /// For the repository `path` of `domain`; of several entries in `auths` the most specific one:
  /// "host/shop/web", "host/shop", "host", "https://host/v1/".
  [[nodiscard]] Result<Found> find(const std::string& domain, const std::string& path) const;

  [[nodiscard]] bool names_helpers() const { return !m_store.empty() || !m_helpers.empty(); }

 private:
  struct Entry {
    std::string username = {};
    Secret password = {};
    Secret auth = {};
    Secret identity_token = {};
    Secret registry_token = {};
    bool malformed = false;

    [[nodiscard]] bool empty() const;
  };

  Result<void> read_auths(const nlohmann::json& json);
  Result<void> read_helpers(const nlohmann::json& json);
  [[nodiscard]] Result<std::optional<Helper>> helper_of(const std::string& domain) const;
  [[nodiscard]] const Entry* entry_of(const std::string& domain, const std::string& path) const;
  [[nodiscard]] Result<Credential> credential_of(const Entry& entry,
                                                 const std::string& domain) const;

  std::string m_path;
  std::map<std::string, Entry> m_auths;
  std::map<std::string, std::optional<std::string>> m_helpers;  // nothing: it was no string
  std::string m_store;
};

}  // namespace tallyman
