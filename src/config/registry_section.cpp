#include "config/registry_section.hpp"

#include "config/checks.hpp"
#include "config/table_reader.hpp"
#include "tallyman/io/encoding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tallyman::config {

namespace {

bool is_hub_alias(std::string_view domain) {
  return domain == "index.docker.io" || domain == "registry-1.docker.io";
}

bool is_domain(std::string_view text) {
  const auto reference = ImageReference::parse(fmt::format("{}/a/b:c", text));
  return reference && reference->domain() == text && reference->path() == "a/b";
}

/// What somebody meant who wrote "https://user@harbor.lan/shop".
std::string_view bare_domain(std::string_view text) {
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
    text.remove_prefix(scheme + 3);
  }
  text = text.substr(0, text.find('/'));
  return text.substr(text.rfind('@') + 1);  // npos + 1 is 0
}

/// As it has to be written in the brackets.
std::string section_name(std::string_view domain) {
  return fmt::format("registry.\"{}\"", domain);
}

/// [registry.harbor.lan] is a table within a table: "harbor.lan".
std::string joined_tables(const TomlNode& node) {
  std::string result = node.key;
  const TomlNode* table = &node;
  while (!table->children.empty() && table->children.front().type == TomlType::table) {
    table = &table->children.front();
    result += "." + table->key;
  }
  return result;
}

/// "" for the domain of a reference, else what to write instead.
std::string flaw_of_domain(const TomlNode& node) {
  const std::string_view domain = node.key;
  if (is_hub_alias(domain)) {
    return R"(that registry is called docker.io in references; write [registry."docker.io"])";
  }
  if (is_domain(domain)) {
    return "";
  }
  const auto bare = bare_domain(domain);
  if (bare != domain && (is_domain(bare) || is_hub_alias(bare))) {
    return fmt::format("only the domain of a reference, without scheme, user and path; write [{}]",
                       section_name(is_hub_alias(bare) ? "docker.io" : bare));
  }
  if (const auto tables = joined_tables(node); tables != domain && is_domain(tables)) {
    return fmt::format("a domain needs quotes, its dots separate keys otherwise; write [{}]",
                       section_name(tables));
  }
  return "no domain of a reference: that is \"localhost\", or a name or address with a dot or a "
         "port, such as \"harbor.lan\" or \"harbor:5000\"";
}

/// systemd.exec(5), LoadCredential=: fit for a file's name, without a colon.
bool is_credential_name(std::string_view name) {
  const bool plain = !name.empty() && name.size() <= 255 && name != "." && name != "..";
  return plain && std::ranges::all_of(
                      name, [](char c) { return c > ' ' && c <= '~' && c != '/' && c != ':'; });
}

/// A secret is in a file of its own or is a credential that systemd hands over. That one may hold
/// the user name, too.
void check_completeness(TableReader& reader) {
  const bool has_file = reader.has("password_file");
  const bool has_credential = reader.has("credential");
  if (has_file && has_credential) {
    reader.report(reader.position(), "credential",
                  "stands beside password_file: the secret can come from one of them only");
  } else if (reader.has("username") && !has_file && !has_credential) {
    reader.report(reader.position(), "password_file",
                  "is missing: username does nothing without it, or without credential; write both "
                  "or none");
  } else if (has_file && !reader.has("username")) {
    reader.report(reader.position(), "username",
                  "is missing: password_file does nothing without it; write both or none");
  }
}

void read_credential(TableReader& reader, RegistrySettings& settings) {
  const auto username = reader.text("username", "NAME");
  const auto password_file = reader.text("password_file", "/FOLDER/FILE");
  const auto credential = reader.text("credential", "NAME");
  if (username && (username->text.empty() || has_control_characters(username->text) ||
                   username->text.find(':') != std::string::npos)) {
    reader.report(username->at, "username",
                  "must not be empty, nor have a colon or a control character in it");
  }
  // Somebody may have put the password itself here: no message shows the value.
  if (const auto flaw = password_file ? flaw_of_absolute_path(password_file->text) : "";
      !flaw.empty()) {
    reader.report(password_file->at, "password_file",
                  fmt::format("{}; it is the name of a file, not the password", flaw));
  }
  if (credential && !is_credential_name(credential->text)) {
    reader.report(credential->at, "credential",
                  "is the name of one of systemd's credentials (LoadCredential=NAME:/FOLDER/FILE), "
                  "neither a path nor the password");
  }
  check_completeness(reader);
  settings.username = username ? username->text : "";
  settings.password_file = password_file ? password_file->text : "";
  settings.credential = credential ? credential->text : "";
}

/// The path, or "" if it is none.
std::string read_path(TableReader& reader, std::string_view key) {
  const auto path = reader.text(key, "/FOLDER/FILE.pem");
  if (!path) {
    return "";
  }
  if (const auto flaw = flaw_of_absolute_path(path->text); !flaw.empty()) {
    reader.report(path->at, key, flaw);
  }
  return path->text;
}

/// The value may have a password in it: no message shows it.
std::string_view flaw_of_proxy(std::string_view proxy) {
  constexpr auto k_schemes =
      std::to_array<std::string_view>({"http://", "https://", "socks5://", "socks5h://"});
  if (proxy == "none") {
    return "";
  }
  if (proxy.empty()) {
    return "empty; \"none\" goes past all proxies, and without this key the variables count";
  }
  const auto scheme = std::ranges::find_if(
      k_schemes, [proxy](std::string_view start) { return proxy.starts_with(start); });
  if (scheme == k_schemes.end()) {
    return "no proxy's URL: \"http://HOST:PORT\", or with https, socks5 or socks5h; or \"none\"";
  }
  const auto authority = proxy.substr(scheme->size());
  const auto host = authority.substr(authority.rfind('@') + 1);  // npos + 1 is 0
  if (host.empty() || host.starts_with(':') || host.starts_with('/') ||
      has_control_characters(proxy) || proxy.find(' ') != std::string_view::npos) {
    return "a URL without a host, or with a blank in it";
  }
  return host.find_first_of("/?#") >= host.size() - 1
             ? ""
             : "a proxy's URL has no path: \"http://HOST:PORT\"";
}

void read_network(TableReader& reader, RegistrySettings& settings) {
  settings.ca_file = read_path(reader, "ca_file");
  settings.client_cert = read_path(reader, "client_cert");
  settings.client_key = read_path(reader, "client_key");
  if (reader.has("client_cert") != reader.has("client_key")) {
    const bool has_cert = reader.has("client_cert");
    reader.report(reader.position(), has_cert ? "client_key" : "client_cert",
                  fmt::format("is missing: {} does nothing without it; write both or none",
                              has_cert ? "client_cert" : "client_key"));
  }
  for (const std::string_view key : {"ca_file", "client_cert"}) {
    if (settings.plain_http && reader.has(key)) {
      reader.report(reader.position(), key,
                    "contradicts plain_http = true: there are no certificates without TLS");
    }
  }
  if (const auto proxy = reader.text("proxy", "http://HOST:PORT")) {
    if (const auto flaw = flaw_of_proxy(proxy->text); !flaw.empty()) {
      reader.report(proxy->at, "proxy", flaw);
    }
    settings.proxy = proxy->text;
  }
}

}  // namespace

void read_registry(const TomlNode& node, Config& config, ProblemList& problems) {
  // A user and password before the @ stay out of all messages.
  const bool has_user = node.key.find('@') != std::string::npos;
  const TomlSection section{ConfigFile::settings, "registry.*",
                            key_path("registry", has_user ? bare_domain(node.key) : node.key)};
  if (node.type != TomlType::table) {
    problems.add(node.key_at, section.path,
                 fmt::format("expected a section of a domain, found {}; write it under "
                             "[registry.\"DOMAIN\"]",
                             describe(node)));
    return;
  }
  if (const auto flaw = flaw_of_domain(node); !flaw.empty()) {
    problems.add(node.key_at, section.path, flaw);
    if (joined_tables(node) != node.key) {
      return;  // its contents are a level further down
    }
  }
  TableReader reader(node, section, problems);
  RegistrySettings settings;
  settings.plain_http = reader.boolean("plain_http").value_or(false);
  read_credential(reader, settings);
  read_network(reader, settings);
  settings.max_concurrent_requests = reader.integer("max_concurrent_requests", "10", 1, 1000)
                                         .value_or(settings.max_concurrent_requests);
  reader.finish();
  config.registries.insert_or_assign(node.key, std::move(settings));
}

}  // namespace tallyman::config
