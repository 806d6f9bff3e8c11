#include "tallyman/registry/credentials.hpp"

#include <sys/stat.h>

#include <cstddef>
#include <utility>

#include "registry/docker_config.hpp"
#include "tallyman/io/files.hpp"

namespace tallyman {
namespace {

constexpr std::size_t k_max_password_file = std::size_t{64} * 1024;

std::string section_of(const std::string& domain) {
  return fmt::format("[registry.\"{}\"]", domain);
}

}  // namespace

CredentialStore::CredentialStore(const std::map<std::string, RegistrySettings>& registries,
                                 std::string docker_config, Log& log)
    : m_registries(registries), m_docker_config_path(std::move(docker_config)), m_log(log) {}

CredentialStore::~CredentialStore() = default;

Result<std::optional<Credential>> CredentialStore::find(const std::string& domain) {
  const auto known = m_found.find(domain);
  return known != m_found.end() ? known->second
                                : m_found.emplace(domain, look_up(domain)).first->second;
}

Result<std::optional<Credential>> CredentialStore::look_up(const std::string& domain) {
  const auto section = m_registries.find(domain);
  if (section != m_registries.end() && !section->second.username.empty()) {
    return from_section(domain, section->second);
  }
  return from_docker_config(domain);
}

Result<std::optional<Credential>> CredentialStore::from_section(const std::string& domain,
                                                                const RegistrySettings& settings) {
  const std::string section = section_of(domain);
  const auto unusable = [&](std::string message, std::string remedy) {
    return std::unexpected(Error{ErrorKind::auth, std::move(message), std::move(remedy)});
  };
  if (settings.password_file.empty()) {
    return unusable(fmt::format("{} has a username but no password_file", section),
                    fmt::format("set password_file under {} in tallyman.toml", section));
  }
  Result<std::string> text = read_file(settings.password_file, k_max_password_file);
  if (!text) {
    return unusable(
        fmt::format("the password_file of {} is unusable: {}", section, text.error().message),
        text.error().remedy);
  }
  text->erase(text->find_last_not_of("\r\n") + 1);
  if (text->empty()) {
    return unusable(
        fmt::format("{}, the password_file of {}, is empty", settings.password_file, section),
        fmt::format("write the password or token of {} into {}", settings.username,
                    settings.password_file));
  }
  warn_if_readable_by_others(settings.password_file);
  return Credential{settings.username, Secret(std::move(*text)), section};
}

Result<void> CredentialStore::load_docker_config() {
  if (m_docker_config_path.empty()) {
    return {};
  }
  const Result<std::string> text = read_file(m_docker_config_path);
  if (!text && text.error().kind == ErrorKind::not_found) {
    return {};
  }
  Result<DockerConfig> config =
      text ? DockerConfig::parse(*text, m_docker_config_path) : std::unexpected(text.error());
  if (!config) {
    Error error{
        ErrorKind::config, config.error().message,
        fmt::format("correct {}, or write it anew with docker login", m_docker_config_path)};
    m_log.warning("{}; going on without its credentials", error.message);
    return std::unexpected(std::move(error));
  }
  m_docker_config = std::make_unique<DockerConfig>(std::move(*config));
  return {};
}

Result<std::optional<Credential>> CredentialStore::from_docker_config(const std::string& domain) {
  if (!m_docker_config_state) {
    m_docker_config_state = load_docker_config();
  }
  if (!*m_docker_config_state) {
    return std::unexpected(m_docker_config_state->error());
  }
  if (m_docker_config == nullptr) {
    return std::nullopt;
  }
  Result<DockerConfig::Found> found = m_docker_config->find(domain);
  if (!found) {
    found.error().remedy = fmt::format("docker login {} writes the entry anew", domain);
    return std::unexpected(std::move(found.error()));
  }
  if (found->credential) {
    warn_if_readable_by_others(m_docker_config_path);
  } else if (!found->unsupported.empty()) {
    m_log.warning("{} names {} for {}, which is not supported yet: going on without a credential",
                  m_docker_config_path, found->unsupported, domain);
  }
  return std::move(found->credential);
}

void CredentialStore::warn_if_readable_by_others(const std::string& path) {
  struct stat status{};
  const bool readable =
      ::stat(path.c_str(), &status) == 0 && (status.st_mode & (S_IRGRP | S_IROTH)) != 0;
  if (readable && m_warned_about.insert(path).second) {
    m_log.warning("{} holds a secret and others than its owner can read it: chmod 600 {}", path,
                  path);
  }
}

}  // namespace tallyman
