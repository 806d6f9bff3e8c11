#pragma once

#include "tallyman/io/log.hpp"
#include "tallyman/model/error.hpp"
#include "tallyman/model/secret.hpp"
#include "tallyman/model/watch.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace tallyman {

class DockerConfig;

/// Who this host is to a registry: the [registry."domain"] section, else the Docker config.json.
/// Files are read when they are first needed, and once.
class CredentialStore {
 public:
  /// `docker_config`: path of a config.json, which may be missing; empty: none.
  CredentialStore(const std::map<std::string, RegistrySettings>& registries,
                  std::string docker_config, Log& log);
  ~CredentialStore();
  CredentialStore(const CredentialStore&) = delete;
  CredentialStore& operator=(const CredentialStore&) = delete;

  /// `domain` as in a reference ("docker.io", "harbor.lan:8443"). Nothing: none is known.
  /// ErrorKind::auth: a password_file that cannot be read, is empty or is larger than 64 KiB.
  /// ErrorKind::config: a config.json that cannot be read or understood. That is an error only for
  /// those who ask: who can do without a credential treats it as none.
  /// Credential helpers and identity tokens are not used; a warning says so where one is named.
  [[nodiscard]] Result<std::optional<Credential>> find(const std::string& domain);

 private:
  Result<std::optional<Credential>> look_up(const std::string& domain);
  Result<std::optional<Credential>> from_section(const std::string& domain,
                                                 const RegistrySettings& settings);
  Result<std::optional<Credential>> from_docker_config(const std::string& domain);
  Result<void> load_docker_config();
  void warn_if_readable_by_others(const std::string& path);

  const std::map<std::string, RegistrySettings>& m_registries;
  std::string m_docker_config_path;
  Log& m_log;
  std::optional<Result<void>> m_docker_config_state;
  std::unique_ptr<DockerConfig> m_docker_config;  // nothing: there is no such file
  std::map<std::string, Result<std::optional<Credential>>> m_found;
  std::set<std::string> m_warned_about;
};

}  // namespace tallyman
