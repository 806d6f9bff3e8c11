#include "registry/docker_config.hpp"

#include <cstddef>
#include <utility>

#include "registry/json.hpp"
#include "tallyman/io/encoding.hpp"
#include "tallyman/io/log.hpp"

namespace tallyman {
namespace {

constexpr std::string_view k_hub_key = "https://index.docker.io/v1/";

std::string auths_key(const std::string& domain) {
  return domain == "docker.io" ? std::string(k_hub_key) : domain;
}

/// The host part of a key such as "https://host:8443/v1/".
std::string_view host_of(std::string_view key) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (key.starts_with(scheme)) {
      key.remove_prefix(scheme.size());
      break;
    }
  }
  return key.substr(0, key.find('/'));
}

bool is_missing(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null();
}

}  // namespace

Result<DockerConfig> DockerConfig::parse(std::string_view text, const std::string& path) {
  const std::optional<nlohmann::json> json = parse_json(text);
  if (!json || !json->is_object()) {
    return fail(ErrorKind::config, "{} is not a JSON object", path);
  }
  DockerConfig config;
  config.m_path = path;
  if (const Result<void> read = config.read_auths(*json); !read) {
    return std::unexpected(read.error());
  }
  if (const Result<void> read = config.read_helpers(*json); !read) {
    return std::unexpected(read.error());
  }
  return config;
}

Result<void> DockerConfig::read_auths(const nlohmann::json& json) {
  if (is_missing(json, "auths")) {
    return {};
  }
  const nlohmann::json& auths = json.at("auths");
  if (!auths.is_object()) {
    return fail(ErrorKind::config, "{}: auths is not an object", m_path);
  }
  for (const auto& [key, value] : auths.items()) {
    Entry entry;
    entry.malformed = !value.is_object();
    for (const char* name : {"auth", "username", "password", "identitytoken", "registrytoken"}) {
      entry.malformed =
          entry.malformed || (!is_missing(value, name) && !value.at(name).is_string());
    }
    if (!entry.malformed) {
      entry.username = string_member(value, "username");
      entry.password = Secret(string_member(value, "password"));
      entry.auth = Secret(string_member(value, "auth"));
      entry.has_token = !string_member(value, "identitytoken").empty() ||
                        !string_member(value, "registrytoken").empty();
    }
    m_auths.emplace(key, std::move(entry));
  }
  return {};
}

Result<void> DockerConfig::read_helpers(const nlohmann::json& json) {
  if (!is_missing(json, "credsStore")) {
    if (!json.at("credsStore").is_string()) {
      return fail(ErrorKind::config, "{}: credsStore is not a string", m_path);
    }
    m_store = string_member(json, "credsStore");
  }
  if (is_missing(json, "credHelpers")) {
    return {};
  }
  const nlohmann::json& helpers = json.at("credHelpers");
  if (!helpers.is_object()) {
    return fail(ErrorKind::config, "{}: credHelpers is not an object", m_path);
  }
  for (const auto& [key, value] : helpers.items()) {
    m_helpers.emplace(key, string_member(helpers, key.c_str()));
  }
  return {};
}

const DockerConfig::Entry* DockerConfig::entry_of(const std::string& key) const {
  if (const auto exact = m_auths.find(key); exact != m_auths.end()) {
    return &exact->second;
  }
  for (const auto& [name, entry] : m_auths) {
    const std::string_view host = host_of(name);
    if (host == key || (key == k_hub_key && (host == "docker.io" || host == "index.docker.io"))) {
      return &entry;
    }
  }
  return nullptr;
}

/// A store is for every host, so it is said only of those that docker left an entry for.
std::string DockerConfig::helper_of(const std::string& key, bool has_entry) const {
  const auto found = m_helpers.find(key);
  const std::string& name = found != m_helpers.end() ? found->second : m_store;
  if (name.empty() || (found == m_helpers.end() && !has_entry)) {
    return {};
  }
  return fmt::format("the credential helper docker-credential-{}", printable(name));
}

Result<std::optional<Credential>> DockerConfig::credential_of(const Entry& entry,
                                                              const std::string& domain) const {
  if (entry.malformed) {
    return fail(ErrorKind::config, "{}: the entry of {} under auths has fields of a wrong type",
                m_path, domain);
  }
  std::string username = entry.username;
  std::string password = entry.password.reveal();
  if (!entry.auth.empty()) {
    const std::optional<std::string> decoded = base64_decode(entry.auth.reveal());
    const std::size_t colon = decoded ? decoded->find(':') : std::string::npos;
    if (colon == std::string::npos || colon == 0) {
      return fail(ErrorKind::config, "{}: auth of {} is not the base64 form of user:password",
                  m_path, domain);
    }
    username = decoded->substr(0, colon);
    password = decoded->substr(colon + 1);
  }
  password.erase(password.find_last_not_of('\0') + 1);
  if (username.empty()) {
    return std::nullopt;
  }
  return Credential{std::move(username), Secret(std::move(password)), m_path};
}

Result<DockerConfig::Found> DockerConfig::find(const std::string& domain) const {
  const std::string key = auths_key(domain);
  const Entry* entry = entry_of(key);
  Found found;
  found.unsupported = helper_of(key, entry != nullptr);
  if (entry == nullptr) {
    return found;
  }
  if (entry->has_token) {
    found.unsupported = "an identity or registry token";
    return found;
  }
  Result<std::optional<Credential>> credential = credential_of(*entry, domain);
  if (!credential) {
    return std::unexpected(std::move(credential.error()));
  }
  found.credential = std::move(*credential);
  return found;
}

}  // namespace tallyman
