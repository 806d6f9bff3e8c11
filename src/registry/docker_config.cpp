#include "registry/docker_config.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "registry/json.hpp"
#include "tallyman/io/encoding.hpp"
#include "tallyman/io/log.hpp"

namespace tallyman {
namespace {

constexpr std::string_view k_hub_key = "https://index.docker.io/v1/";

bool is_hub_host(std::string_view host) {
  return host == "docker.io" || host == "index.docker.io" || host == "registry-1.docker.io";
}

/// The host that a key without namespace means: "host", "https://host/v1/", "host/v1/"; else "".
std::string_view host_of(std::string_view key) {
  bool has_scheme = false;
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (key.starts_with(scheme)) {
      key.remove_prefix(scheme.size());
      has_scheme = true;
      break;
    }
  }
  const std::size_t slash = std::min(key.find('/'), key.size());
  const std::string_view rest = key.substr(slash);
  const bool is_api = rest.empty() || rest == "/" || rest == "/v1" || rest == "/v1/" ||
                      rest == "/v2" || rest == "/v2/";
  return has_scheme || is_api ? key.substr(0, slash) : std::string_view();
}

/// Most specific first.
std::vector<std::string> auths_keys(const std::string& domain, const std::string& path) {
  std::vector<std::string> keys;
  std::string key = domain + "/" + path;
  while (key.size() > domain.size()) {
    keys.push_back(key);
    key.erase(key.rfind('/'));
  }
  if (is_hub_host(domain)) {
    keys.emplace_back(k_hub_key);
  }
  keys.push_back(domain);
  return keys;
}

bool is_missing(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null();
}

bool is_helper_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

bool is_plain_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

bool DockerConfig::Entry::empty() const {
  return !malformed && username.empty() && auth.empty() && identity_token.empty() &&
         registry_token.empty();
}

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
      entry.identity_token = Secret(string_member(value, "identitytoken"));
      entry.registry_token = Secret(string_member(value, "registrytoken"));
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
    m_helpers.emplace(key,
                      value.is_string() ? std::optional(value.get<std::string>()) : std::nullopt);
  }
  return {};
}

/// credHelpers, then credsStore; an empty name in credHelpers makes an exception from the store.
Result<std::optional<DockerConfig::Helper>> DockerConfig::helper_of(
    const std::string& domain) const {
  std::vector<std::string> keys{domain};
  if (is_hub_host(domain)) {
    keys = {std::string(k_hub_key), "docker.io", "index.docker.io"};
  }
  Helper helper{m_store, keys.front()};
  for (const std::string& key : keys) {
    const auto found = m_helpers.find(key);
    if (found != m_helpers.end()) {
      if (!found->second) {
        return fail(ErrorKind::config, "{}: the entry of {} under credHelpers is not a string",
                    m_path, domain);
      }
      helper = {*found->second, key};
      break;
    }
  }
  if (helper.name.empty()) {
    return std::nullopt;
  }
  if (!is_helper_name(helper.name)) {
    return fail(ErrorKind::config,
                "{} names \"{}\" for {}, which is no name of a credential helper", m_path,
                printable(helper.name), domain);
  }
  return helper;
}

const DockerConfig::Entry* DockerConfig::entry_of(const std::string& domain,
                                                  const std::string& path) const {
  for (const std::string& key : auths_keys(domain, path)) {
    const auto exact = m_auths.find(key);
    if (exact != m_auths.end() && !exact->second.empty()) {
      return &exact->second;
    }
  }
  for (const auto& [name, entry] : m_auths) {
    const std::string_view host = host_of(name);
    const bool fits = host == domain || (is_hub_host(domain) && is_hub_host(host));
    if (fits && !entry.empty()) {
      return &entry;
    }
  }
  return nullptr;
}

Result<Credential> DockerConfig::credential_of(const Entry& entry,
                                               const std::string& domain) const {
  if (entry.malformed) {
    return fail(ErrorKind::config, "{}: the entry of {} under auths has fields of a wrong type",
                m_path, domain);
  }
  const bool has_token = !entry.identity_token.empty() || !entry.registry_token.empty();
  std::string username = entry.username;
  std::string password = entry.password.reveal();
  if (!entry.auth.empty()) {
    const std::optional<std::string> decoded = base64_decode(entry.auth.reveal());
    const std::size_t colon = decoded ? decoded->find(':') : std::string::npos;
    if (colon != std::string::npos && colon != 0) {
      username = decoded->substr(0, colon);
      password = decoded->substr(colon + 1);
    } else if (!has_token) {
      return fail(ErrorKind::config, "{}: auth of {} is not the base64 form of user:password",
                  m_path, domain);
    }
  }
  if (printable(username) != username) {
    return fail(ErrorKind::config, "{}: the username of {} is no plain text", m_path, domain);
  }
  if (!entry.registry_token.empty()) {
    if (!is_plain_ascii(entry.registry_token.reveal())) {
      return fail(ErrorKind::config, "{}: the registrytoken of {} is not plain ASCII", m_path,
                  domain);
    }
    return Credential{std::move(username), entry.registry_token, m_path,
                      CredentialKind::registry_token};
  }
  if (!entry.identity_token.empty()) {
    return Credential{std::move(username), entry.identity_token, m_path,
                      CredentialKind::identity_token};
  }
  password.erase(password.find_last_not_of('\0') + 1);
  return Credential{std::move(username), Secret(std::move(password)), m_path};
}

Result<DockerConfig::Found> DockerConfig::find(const std::string& domain,
                                               const std::string& path) const {
  Result<std::optional<Helper>> helper = helper_of(domain);
  if (!helper) {
    return std::unexpected(std::move(helper.error()));
  }
  if (*helper) {
    return Found{.helper = std::move(*helper)};
  }
  const Entry* entry = entry_of(domain, path);
  if (entry == nullptr) {
    return Found{};
  }
  Result<Credential> credential = credential_of(*entry, domain);
  if (!credential) {
    return std::unexpected(std::move(credential.error()));
  }
  return Found{.credential = std::move(*credential)};
}

}  // namespace tallyman
