#pragma once

#include "tallyman/model/digest.hpp"
#include "tallyman/model/error.hpp"
#include "tallyman/model/image_reference.hpp"
#include "tallyman/model/memory.hpp"
#include "tallyman/model/platform.hpp"
#include "tallyman/model/remote_image.hpp"
#include "tallyman/model/secret.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tallyman {

/// What image registries offer (OCI distribution-spec). All questions of one call are asked side by
/// side; each has its own answer, in the order of the questions. Equal questions are asked once.
/// Errors: transient (no connection, 5xx), rate_limited (429), auth (no or a rejected credential),
/// denied (no right; 403, 412), not_found (404), tls, protocol. Messages name image, host and
/// identity, and the remedy where one is known.
class Registry {
 public:
  Registry() = default;
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;
  virtual ~Registry() = default;

  /// What registries said in earlier ticks: they are asked for tokens first, or not at all. Before
  /// anything else.
  virtual void recall(std::map<std::string, RegistryMemory> known) = 0;
  /// The same with what they said since.
  [[nodiscard]] virtual const std::map<std::string, RegistryMemory>& known() const = 0;

  /// Puts questions on their way that resolve() will be asked, and does not wait for the answers.
  virtual void begin(const std::vector<ImageReference>& references) = 0;
  /// The digest that each tag points to: one HEAD each. References with a digest are not for this.
  [[nodiscard]] virtual std::vector<Result<RemoteImage>> resolve(
      const std::vector<ImageReference>& references) = 0;

  struct PlatformQuestion {
    ImageReference reference;
    Digest digest;  ///< what resolve() said
    Platform platform;
  };
  /// What is behind a digest on a platform: one GET, two where the digest is an index. An index
  /// without the platform is ErrorKind::not_found and its message lists what is there.
  [[nodiscard]] virtual std::vector<Result<PlatformImage>> look_into(
      const std::vector<PlatformQuestion>& questions) = 0;

  /// Who we were to the registry of `reference`, so that the engine can pull as the same; nothing:
  /// anonymous. A secret file that cannot be read is ErrorKind::auth.
  [[nodiscard]] virtual Result<std::optional<Credential>> credential(
      const ImageReference& reference) = 0;

  /// For people: "https as robot$shop+pull from [registry.\"harbor.lan\"]", "http, anonymous".
  [[nodiscard]] virtual std::string describe_access(const ImageReference& reference) = 0;
};

}  // namespace tallyman
