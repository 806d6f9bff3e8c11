#pragma once

#include "tallyman/io/clock.hpp"
#include "tallyman/io/http.hpp"
#include "tallyman/io/log.hpp"
#include "tallyman/model/watch.hpp"
#include "tallyman/registry/credentials.hpp"
#include "tallyman/registry/registry.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tallyman {

/// What the engine accepts without a trusted certificate (RegistryConfig of GET /info).
struct InsecureRegistries {
  std::vector<std::string> cidrs = {};  ///< "127.0.0.0/8"
  std::vector<std::string> hosts = {};  ///< "172.21.138.103", "harbor.lan:8080"
};

/// What stands in a registry's way before it is asked anything: ca_file, client_cert, client_key,
/// or a file of certs.d that cannot be used. ErrorKind::config.
[[nodiscard]] Result<void> check_certificate_files(const std::string& domain,
                                                   const RegistrySettings& settings,
                                                   const std::vector<std::string>& certs_folders);

/// Registry over HTTP (OCI distribution-spec, distribution's token authentication).
///
/// How a registry is spoken to is found out by its first question, while the others of that
/// registry wait, and stays so for the life of the object: http where its [registry] section says
/// plain_http, otherwise https; where that does not work and the engine lists the registry as
/// insecure, https with any certificate or http, then without credentials. A registry that cannot
/// be reached fails all its questions with the one error and costs one time-out.
class RemoteRegistry final : public Registry {
 public:
  /// `insecure` is asked at most once, and only after https to a registry has failed that no
  /// section gives plain_http. It is called from within http.run() and must not run() the same
  /// Http: answer from an EngineInfo that is already there, or over another Http.
  /// `certs_folders`: where folders of registries are with certificates, "/etc/docker/certs.d".
  RemoteRegistry(Http& http, CredentialStore& credentials,
                 const std::map<std::string, RegistrySettings>& registries,
                 std::function<InsecureRegistries()> insecure, Clock& clock, Log& log,
                 std::vector<std::string> certs_folders = {});
  ~RemoteRegistry() override;

  void recall(std::map<std::string, RegistryMemory> known) override;
  [[nodiscard]] const std::map<std::string, RegistryMemory>& known() const override;
  void begin(const std::vector<ImageReference>& references) override;
  [[nodiscard]] std::vector<Result<RemoteImage>> resolve(
      const std::vector<ImageReference>& references) override;
  [[nodiscard]] std::vector<Result<PlatformImage>> look_into(
      const std::vector<PlatformQuestion>& questions) override;
  [[nodiscard]] Result<std::optional<Credential>> credential(
      const ImageReference& reference) override;
  [[nodiscard]] std::string describe_access(const ImageReference& reference) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> m_impl;
};

}  // namespace tallyman
