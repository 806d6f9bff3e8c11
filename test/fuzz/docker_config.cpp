#include "registry/docker_config.hpp"

#include "fuzz/fuzz.hpp"

namespace tallyman {

// The domain that is looked for on the first line, then the file.
FUZZ_TARGET(docker_config) {
  const std::string domain(fuzz::take_line(input));
  const auto config = DockerConfig::parse(input, "config.json");
  if (!config) {
    HOLDS(config.error().kind == ErrorKind::config);
    HOLDS(fuzz::is_one_printable_line(config.error().message));
    return;
  }
  for (const std::string& asked : {domain, std::string("docker.io"), std::string("ghcr.io")}) {
    const auto found = config->find(asked, "acme/web");
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
