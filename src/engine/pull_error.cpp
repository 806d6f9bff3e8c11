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

constexpr const char* k_proxy_places =
    " \"proxies\" in /etc/docker/daemon.json, or HTTPS_PROXY and NO_PROXY in "
    "/etc/systemd/system/docker.service.d/http-proxy.conf, then: systemctl daemon-reload && "
    "systemctl restart docker";

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

std::string allow_plain_http(const std::string& domain) {
  return fmt::format(
      "dockerd does not list {} as insecure: if it is meant to speak plain http, add \"{}\" to "
      "\"insecure-registries\" in /etc/docker/daemon.json, then: systemctl reload docker",
      domain, domain);
}

/// dockerd itself cannot get through to the registry, or the two do not trust each other: what to
/// set where. "" where it is something else.
std::string remedy_for_way(std::string_view reason, const std::string& domain) {
  if (reason.contains(k_plain_http)) {
    return allow_plain_http(domain);
  }
  if (has_any(reason, {"proxyconnect", "proxy authentication required"})) {
    return std::string("dockerd's own proxy does not let it through: see") + k_proxy_places;
  }
  // Without a port in the reference dockerd falls back to port 80 for an insecure registry only.
  if (reason.contains(":443: ") && reason.contains("connection refused") && !domain.contains(':') &&
      domain != k_docker_hub) {
    return allow_plain_http(domain);
  }
  if (has_any(reason, {"signed by unknown authority", "certificate is not trusted",
                       "certificate is not standards compliant"})) {
    return fmt::format(
        "dockerd does not know the registry's authority: put its certificate into "
        "/etc/docker/certs.d/{}/ca.crt; no reload is needed",
        domain);
  }
  if (has_any(reason, {"tls: bad certificate", "tls: certificate required",
                       "tls: unknown certificate authority", "tls: handshake failure"})) {
    return fmt::format(
        "the registry wants a client certificate of dockerd that it trusts: "
        "/etc/docker/certs.d/{}/client.cert and client.key; no reload is needed",
        domain);
  }
  if (has_any(reason, {"missing key ", "missing client certificate "})) {
    return fmt::format(
        "of each pair of .cert and .key in /etc/docker/certs.d/{} dockerd needs both", domain);
  }
  if (has_any(reason, {"no such host", "server misbehaving"}) ||
      (reason.contains(":53: ") && reason.contains("timeout"))) {
    return fmt::format(
        "dockerd cannot resolve the name: see /etc/resolv.conf and /etc/hosts, and: getent hosts "
        "{}; where only a proxy resolves it dockerd needs that, too:{}",
        domain.substr(0, domain.rfind(':')), k_proxy_places);
  }
  if (has_any(reason, {"i/o timeout", "no route to host", "network is unreachable",
                       "context deadline exceeded", "client.timeout exceeded",
                       "request canceled while waiting for connection"})) {
    return std::string("where only a proxy leads out dockerd needs it too:") + k_proxy_places;
  }
  return "";
}

std::string remedy_for(ErrorKind kind, std::string_view reason, const ImageReference& reference,
                       const std::optional<Credential>& credential) {
  const std::string& domain = reference.domain();
  if (std::string way = remedy_for_way(reason, domain); !way.empty()) {
    return way;
  }
  const bool identity_matters =
      kind == ErrorKind::auth || kind == ErrorKind::denied || kind == ErrorKind::rate_limited;
  if (identity_matters && !credential) {
    return fmt::format(
        "the pull was anonymous: set username and password_file under [registry.\"{}\"] in "
        "tallyman.toml, or: docker login{}",
        domain, domain == k_docker_hub ? "" : " " + domain);
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
    return "make room where the engine keeps its images; docker system df shows what uses it";
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
                 const Platform& platform, const std::optional<Credential>& credential) {
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
          fmt::format("the Docker Engine could not pull {}{}: {}", reference.str(),
                      for_platform(words, platform), reason(text)),
          remedy_for(kind, words, reference, credential)};
}

}  // namespace tallyman
