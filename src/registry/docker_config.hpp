#pragma once

#include "tallyman/model/error.hpp"
#include "tallyman/model/secret.hpp"

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace tallyman {

/// The credentials of a Docker config.json (github.com/docker/cli: cli/config/configfile,
/// cli/config/credentials/file_store.go).
class DockerConfig {
 public:
  /// `path` is for messages. ErrorKind::config if it is no JSON object, or "auths", "credHelpers"
  /// or "credsStore" have wrong types. An entry that makes no sense is an error of its own host.
  [[nodiscard]] static Result<DockerConfig> parse(std::string_view text, const std::string& path);

  struct Found {
    std::optional<Credential> credential = std::nullopt;
    /// What the file names for the host and we do not speak, for people; empty: nothing.
    std::string unsupported = {};
  };
  [[nodiscard]] Result<Found> find(const std::string& domain) const;

 private:
  struct Entry {
    std::string username = {};
    Secret password = {};
    Secret auth = {};
    bool has_token = false;  // identitytoken or registrytoken
    bool malformed = false;
  };

  Result<void> read_auths(const nlohmann::json& json);
  Result<void> read_helpers(const nlohmann::json& json);
  [[nodiscard]] const Entry* entry_of(const std::string& key) const;
  [[nodiscard]] std::string helper_of(const std::string& key, bool has_entry) const;
  [[nodiscard]] Result<std::optional<Credential>> credential_of(const Entry& entry,
                                                                const std::string& domain) const;

  std::string m_path;
  std::map<std::string, Entry> m_auths;
  std::map<std::string, std::string> m_helpers;
  std::string m_store;
};

}  // namespace tallyman
