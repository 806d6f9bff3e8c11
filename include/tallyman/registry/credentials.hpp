#pragma once

#include "tallyman/io/http.hpp"
#include "tallyman/io/log.hpp"
#include "tallyman/io/process.hpp"
#include "tallyman/model/error.hpp"
#include "tallyman/model/secret.hpp"
#include "tallyman/model/watch.hpp"
#include "tallyman/registry/credential_places.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace tallyman {

class DockerConfig;
struct HelperQuestion;

/// Who this host is to a registry: the [registry."domain"] section, else $DOCKER_AUTH_CONFIG, else
/// Docker's config.json, else Podman's auth.json files; the first that knows somebody. Files are
/// read and credential helpers asked when they are first needed, and once.
class CredentialStore {
 public:
  CredentialStore(const std::map<std::string, RegistrySettings>& registries,
                  CredentialPlaces places, Process& process, Log& log);
  ~CredentialStore();
  CredentialStore(const CredentialStore&) = delete;
  CredentialStore& operator=(const CredentialStore&) = delete;

  /// Nothing: none is known.
  /// ErrorKind::auth: the section's secret cannot be used: its password_file or systemd credential
  /// is missing, unreadable, empty or larger than 64 KiB.
  /// ErrorKind::config or process: a file that cannot be read or understood, or a helper that
  /// failed, and nobody else knows one. That is an error only for those who ask: who can do without
  /// a credential treats it as none. A warning says it, once.
  using Found = Result<std::optional<Credential>>;

  /// `domain` and `path` as in a reference: "docker.io", "library/nginx". Waits for a helper, for
  /// helper_timeout at most.
  [[nodiscard]] Found find(const std::string& domain, const std::string& path);

  /// The same without waiting: while a helper works, on a thread of its own, `http` goes on with
  /// everything else; `done` is called from within run() then, otherwise at once.
  void find(const std::string& domain, const std::string& path, Http& http,
            std::move_only_function<void(Found)> done);

  /// For people: "tallyman.toml, /root/.docker/config.json, …"
  [[nodiscard]] std::string places() const;

 private:
  struct Source;
  struct HelperCall;
  using HelperKey = std::pair<std::string, std::string>;  // name and server

  std::variant<Found, HelperQuestion> search(const std::string& domain, const std::string& path);
  Found from_section(const std::string& domain, const RegistrySettings& settings);
  Result<std::string> secret_of(const std::string& section, const RegistrySettings& settings);
  const Result<DockerConfig>* load(Source& source);
  void begin(const HelperQuestion& question, HelperCall& call, Http& http);
  void on_helper_end(const HelperKey& key);
  void remember(const HelperQuestion& question, const Command& command, const Result<Exit>& exit);
  void warn_if_readable_by_others(const std::string& path);

  const std::map<std::string, RegistrySettings>& m_registries;
  CredentialPlaces m_places;
  Process& m_process;
  Log& m_log;
  std::vector<Source> m_sources;
  std::map<std::string, Found> m_sections;
  std::map<HelperKey, Found> m_helped;
  std::map<HelperKey, std::unique_ptr<HelperCall>> m_calls;  // under way
  std::set<std::string> m_warned_about;
};

}  // namespace tallyman
