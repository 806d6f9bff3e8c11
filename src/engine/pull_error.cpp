#include "engine/pull_error.hpp"

#include "engine/engine_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace tallyman {

namespace {

constexpr std::string_view k_docker_hub = "docker.io";
/// The classic store can have one platform of an index only.
constexpr std::string_view k_overwrite = "cannot overwrite digest";
constexpr std::string_view k_plain_http = "server gave http response to https client";

/// Where an operator sets what: containers-registries.conf(5), containers-certs.d(5) for Podman.
struct Service {
  std::string_view engine;   ///< who could not pull
  std::string_view name;     ///< whose setting it is
  std::string_view command;  ///< of people
  std::string_view certs;
  std::string_view proxy_places;
};
constexpr Service k_dockerd{
    "the Docker Engine", "dockerd", "docker", "/etc/docker/certs.d",
    " \"proxies\" in /etc/docker/daemon.json, or HTTPS_PROXY and NO_PROXY in "
    "/etc/systemd/system/docker.service.d/http-proxy.conf, then: systemctl daemon-reload && "
    "systemctl restart docker"};
constexpr Service k_podman{
    "Podman", "Podman", "podman", "/etc/containers/certs.d",
    " HTTPS_PROXY and NO_PROXY in /etc/systemd/system/podman.service.d/http-proxy.conf, then: "
    "systemctl daemon-reload && systemctl restart podman"};

bool has_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [text](std::string_view word) { return text.contains(word); });
}

std::string without(std::string_view text, std::string_view part) {
  std::string rest;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part)) {
    rest += text.substr(0, at);
    text.remove_prefix(at + part.size());
  }
  return rest.append(text);
}

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

/// The words to look for a reason in: in lower case, without the names that are in every message,
/// since a repository may well be called "denied".
std::string reason_text(std::string_view text, const ImageReference& reference) {
  std::string reason = lower_case(std::string(text));
  const std::string domain = lower_case(reference.domain());
  const std::string& path = reference.path();
  std::vector<std::string> names{domain + "/" + path, "//" + domain + "/",
                                 "lookup " + domain.substr(0, domain.rfind(':')),
                                 "v2/" + path + "/", "repository:" + path + ":"};
  if (path.contains('/')) {  // "a" alone is in every text
    names.push_back(path);
  }
  for (const std::string& name : names) {
    reason = without(reason, name);
  }
  return reason;
}

ErrorKind kind_of_code(long code, bool anonymous) {
  switch (code) {
    case 400:
      return ErrorKind::protocol;
    case 401:
      return ErrorKind::auth;
    case 403:
      return anonymous ? ErrorKind::auth : ErrorKind::denied;
    case 404:
      return ErrorKind::not_found;
    case 429:
      return ErrorKind::rate_limited;
    default:
      return ErrorKind::transient;
  }
}

/// Texts of moby, containerd, Go's net/http and crypto/tls, and of the registries' own messages.
ErrorKind kind_of(std::string_view reason, long code, bool anonymous) {
  if (has_any(reason, {"toomanyrequests", "too many requests", "too_many_request", "rate limit"})) {
    return ErrorKind::rate_limited;
  }
  if (has_any(reason, {"proxyconnect", "proxy authentication required"})) {
    return ErrorKind::transient;
  }
  if (has_any(reason, {k_plain_http, "x509:", "tls: ", "certificate"})) {
    return ErrorKind::tls;
  }
  if (has_any(reason, {"no space left on device", "disk quota exceeded", "read-only file system",
                       "input/output error", "open /", "mkdir /", "write /", k_overwrite})) {
    return ErrorKind::io;
  }
  if (has_any(reason, {"unauthorized", "authentication required", "no basic auth credentials",
                       "incorrect username or password"})) {
    return ErrorKind::auth;
  }
  if (has_any(reason, {"denied", "forbidden", "insufficient_scope", "insufficient scope"})) {
    return anonymous ? ErrorKind::auth : ErrorKind::denied;
  }
  if (has_any(reason, {"manifest unknown", "name unknown", "not found", "no such image",
                       "no matching manifest", "no match for platform",
                       "does not match the specified platform"})) {
    return ErrorKind::not_found;
  }
  return kind_of_code(code, anonymous);
}

std::string allow_plain_http(const Service& service, const std::string& domain) {
  if (&service == &k_podman) {
    return fmt::format(
        "Podman does not list {} as insecure: if it is meant to speak plain http, add [[registry]] "
        "with location = \"{}\" and insecure = true to /etc/containers/registries.conf, then: "
        "systemctl restart podman",
        domain, domain);
  }
  return fmt::format(
      "dockerd does not list {} as insecure: if it is meant to speak plain http, add \"{}\" to "
      "\"insecure-registries\" in /etc/docker/daemon.json, then: systemctl reload docker",
      domain, domain);
}

/// The service itself cannot get through to the registry, or the two do not trust each other: what
/// to set where. "" where it is something else.
std::string remedy_for_way(std::string_view reason, const std::string& domain,
                           const Service& service) {
  if (reason.contains(k_plain_http)) {
    return allow_plain_http(service, domain);
  }
  if (has_any(reason, {"proxyconnect", "proxy authentication required"})) {
    return fmt::format("{}'s own proxy does not let it through: see{}", service.name,
                       service.proxy_places);
  }
  // Without a port in the reference both fall back to port 80 for an insecure registry only.
  if (reason.contains(":443: ") && reason.contains("connection refused") && !domain.contains(':') &&
      domain != k_docker_hub) {
    return allow_plain_http(service, domain);
  }
  if (has_any(reason, {"signed by unknown authority", "certificate is not trusted",
                       "certificate is not standards compliant"})) {
    return fmt::format(
        "{} does not know the registry's authority: put its certificate into {}/{}/ca.crt; no "
        "reload is needed",
        service.name, service.certs, domain);
  }
  if (has_any(reason, {"tls: bad certificate", "tls: certificate required",
                       "tls: unknown certificate authority", "tls: handshake failure",
                       "no required ssl certificate was sent"})) {
    return fmt::format(
        "the registry wants a client certificate of {} that it trusts: {}/{}/client.cert and "
        "client.key; no reload is needed",
        service.name, service.certs, domain);
  }
  if (has_any(reason, {"missing key ", "missing client certificate "})) {
    return fmt::format("of each pair of .cert and .key in {}/{} {} needs both", service.certs,
                       domain, service.name);
  }
  if (has_any(reason, {"no such host", "server misbehaving"}) ||
      (reason.contains(":53: ") && reason.contains("timeout"))) {
    return fmt::format(
        "{} cannot resolve the name: see /etc/resolv.conf and /etc/hosts, and: getent hosts {}; "
        "where only a proxy resolves it {} needs that, too:{}",
        service.name, domain.substr(0, domain.rfind(':')), service.name, service.proxy_places);
  }
  if (has_any(reason, {"i/o timeout", "no route to host", "network is unreachable",
                       "context deadline exceeded", "client.timeout exceeded",
                       "request canceled while waiting for connection"})) {
    return fmt::format("where only a proxy leads out {} needs it too:{}", service.name,
                       service.proxy_places);
  }
  return "";
}

std::string remedy_for(ErrorKind kind, std::string_view reason, const ImageReference& reference,
                       const std::optional<Credential>& credential, const Service& service) {
  const std::string& domain = reference.domain();
  if (std::string way = remedy_for_way(reason, domain, service); !way.empty()) {
    return way;
  }
  const bool identity_matters =
      kind == ErrorKind::auth || kind == ErrorKind::denied || kind == ErrorKind::rate_limited;
  if (identity_matters && !credential) {
    return fmt::format(
        "the pull was anonymous: set username and password_file under [registry.\"{}\"] in "
        "tallyman.toml, or: {} login{}",
        domain, service.command, domain == k_docker_hub ? "" : " " + domain);
  }
  if (kind == ErrorKind::auth) {
    return credential->kind == CredentialKind::password
               ? fmt::format("check the user name and password of {}", credential->origin)
               : fmt::format("renew the token of {}", credential->origin);
  }
  if (kind == ErrorKind::denied) {
    return fmt::format("let {} (of {}) pull {}", credential->who(), credential->origin,
                       reference.repository());
  }
  if (reason.contains("no space left on device")) {
    return fmt::format(
        "make room where the engine keeps its images; {} system df shows what uses it",
        service.command);
  }
  if (reason.contains(k_overwrite)) {
    return fmt::format("this host has it for another platform: docker image rm {}",
                       reference.familiar());
  }
  return "";
}

/// "" or " for linux/s390x", where that is what it is about.
std::string for_platform(std::string_view reason, const Platform& platform) {
  const bool matters =
      !platform.os.empty() && has_any(reason, {"platform", "no matching manifest", k_overwrite});
  return matters ? " for " + platform.str() : "";
}

}  // namespace

Error pull_error(const PullFailure& failure, const ImageReference& reference,
                 const Platform& platform, const std::optional<Credential>& credential,
                 bool podman) {
  const Service& service = podman ? k_podman : k_dockerd;
  const std::string words = reason_text(failure.text, reference);
  const ErrorKind kind = kind_of(words, failure.code, !credential);
  std::string text = failure.text;
  if (credential && !credential->secret.empty()) {
    text = without(text, credential->secret.reveal());
    if (text.contains(credential->secret.reveal())) {  // made up again by what was around it
      text = "the answer repeats the password";
    }
  }
  return {kind,
          fmt::format("{} could not pull {}{}: {}", service.engine, reference.str(),
                      for_platform(words, platform), reason(text)),
          remedy_for(kind, words, reference, credential, service)};
}

}  // namespace tallyman
