#include "registry/docker_config.hpp"

#include "fuzz/fuzz.hpp"

namespace tallyman {

// The repository that is looked for on the first line ("robot.lan", "quay.io/acme/web"), then the
// file: docker's config.json, or Podman's auth.json.
FUZZ_TARGET(docker_config) {
  const std::string_view repository = fuzz::take_line(input);
  const std::size_t slash = repository.find('/');
  const std::string domain(repository.substr(0, slash));
  const std::string path(slash == std::string_view::npos ? "acme/web"
                                                         : repository.substr(slash + 1));
  const auto config = DockerConfig::parse(input, "config.json");
  if (!config) {
    HOLDS(config.error().kind == ErrorKind::config);
    HOLDS(fuzz::is_one_printable_line(config.error().message));
    return;
  }
  for (const std::string& asked : {domain, std::string("docker.io"), std::string("ghcr.io")}) {
    const auto found = config->find(asked, path);
    if (!found) {
      HOLDS(found.error().kind == ErrorKind::config);
      continue;
    }
    HOLDS(!found->credential || !found->helper);
    if (found->helper) {
      HOLDS(!found->helper->name.empty() && found->helper->name.find('/') == std::string::npos);
    }
    if (found->credential) {
      const Credential& credential = *found->credential;
      HOLDS(!credential.username.empty() || credential.kind != CredentialKind::password);
      HOLDS(!credential.secret.reveal().ends_with('\0') ||
            credential.kind != CredentialKind::password);
      HOLDS(credential.origin == "config.json");
    }
  }
}

}  // namespace tallyman
