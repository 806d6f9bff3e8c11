#include "registry/errors.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "registry/json.hpp"
#include "tallyman/io/encoding.hpp"
#include "tallyman/io/log.hpp"

namespace tallyman {
namespace {

constexpr std::size_t k_max_quote = 200;
constexpr std::size_t k_shortest_secret = 4;  // shorter ones are found in any text

std::string message_of(const nlohmann::json& error) {
  const std::string message = string_member(error, "message");
  return message.empty() ? string_member(error, "code") : message;
}

/// distribution-spec "Error Codes"; zot leaves the array out, some token servers use other names.
std::string json_words(const nlohmann::json& json) {
  if (!json.is_object()) {
    return {};
  }
  const auto errors = json.find("errors");
  if (errors != json.end() && errors->is_array() && !errors->empty()) {
    return message_of(errors->front());
  }
  for (const char* name : {"message", "error_description", "details", "error", "code"}) {
    if (std::string text = string_member(json, name); !text.empty()) {
      return text;
    }
  }
  return {};
}

std::string words_of(const HttpResponse& response) {
  if (const std::optional<nlohmann::json> json = parse_json(response.body)) {
    return json_words(*json);
  }
  const bool is_text = response.header("content-type").starts_with("text/plain");
  return is_text ? response.body.substr(0, response.body.find('\n')) : std::string();
}

std::string cut(const std::string& text) {
  return std::string(cut_utf8(text, k_max_quote)) + (text.size() > k_max_quote ? "..." : "");
}

/// `sent` is the value of an Authorization header.
bool repeats_secret(const std::string& text, const Secret& sent) {
  const std::string& header = sent.reveal();
  const std::string value = header.substr(std::min(header.find(' '), header.size() - 1) + 1);
  const auto holds = [&text](const std::string& secret) {
    return secret.size() >= k_shortest_secret && text.find(secret) != std::string::npos;
  };
  if (holds(value) || holds(percent_encode(value))) {
    return true;
  }
  const std::optional<std::string> pair =
      header.starts_with("Basic ") ? base64_decode(value) : std::nullopt;
  return pair && holds(pair->substr(std::min(pair->find(':'), pair->size() - 1) + 1));
}

/// ", retry after 60 s"; Retry-After has two forms (RFC 9110, 10.2.3).
std::string retry_after(const HttpResponse& response, const Secret& sent) {
  const std::string value(response.header("retry-after"));
  if (value.empty() || (!sent.empty() && repeats_secret(value, sent))) {
    return {};
  }
  const bool seconds = value.find_first_not_of("0123456789") == std::string::npos;
  return fmt::format(", retry after {}{}", printable(cut(value)), seconds ? " s" : "");
}

/// "the credential of reader", "the registry token"
std::string named(const Credential& credential) {
  if (!credential.username.empty()) {
    return fmt::format("the credential of {}", credential.username);
  }
  return credential.kind == CredentialKind::registry_token ? "the registry token"
                                                           : "the identity token";
}

Error withheld_login(const Identity& identity, std::string_view host, std::string_view status) {
  const bool http = is_http(identity.transport);
  return {ErrorKind::auth,
          fmt::format("{} wants a login ({}), and {} from {} was withheld: the engine lists the "
                      "registry as insecure and it is spoken to over {}",
                      host, status, named(*identity.withheld), identity.withheld->origin,
                      http ? "http" : "https with a certificate that is not trusted"),
          http ? fmt::format("plain_http = true under [registry.\"{}\"] in tallyman.toml allows it "
                             "to be sent over http",
                             identity.domain)
               : fmt::format("let this host trust the certificate of {}", host)};
}

/// nginx says it in a page only: 495 and 496 of its own become 400.
bool mentions(const HttpResponse& response, std::string_view words) {
  return response.status == 400 && response.body.find(words) != std::string::npos;
}

}  // namespace

std::string status_text(const HttpResponse& response, const Secret& sent) {
  const std::string words = words_of(response);
  if (words.empty() || (!sent.empty() && repeats_secret(words, sent))) {
    return fmt::format("{}", response.status);
  }
  return fmt::format("{}: \"{}\"", response.status, printable(cut(words)));
}

Error login_needed(const Identity& identity, std::string_view host, std::string_view status) {
  if (identity.elsewhere) {
    return {
        ErrorKind::auth,
        fmt::format("{}, where {} redirects to, refuses anonymous access ({}); no credential is "
                    "sent there",
                    host, identity.domain, status),
        is_http(identity.transport) && host == identity.domain
            ? fmt::format("it speaks https: remove plain_http under [registry.\"{}\"] in "
                          "tallyman.toml",
                          identity.domain)
            : fmt::format("name the image as {} knows it", host)};
  }
  if (identity.withheld) {
    return withheld_login(identity, host, status);
  }
  if (identity.unusable) {
    return {identity.unusable->kind,
            fmt::format("{} refuses anonymous access ({}) or has no such repository, and its "
                        "credential could not be had: {}",
                        host, status, identity.unusable->message),
            identity.unusable->remedy};
  }
  std::string remedy = fmt::format(
      "docker login {}, or username and password_file under [registry.\"{}\"] in tallyman.toml",
      identity.domain, identity.domain);
  if (!carries_credentials(identity.transport)) {
    remedy += ", there with plain_http = true if it has no trusted certificate";
  }
  return {
      ErrorKind::auth,
      fmt::format("{} refuses anonymous access ({}) or has no such repository, and no credential "
                  "for {} was found (looked in {})",
                  host, status, identity.domain, identity.places),
      std::move(remedy)};
}

Error token_refused(const Identity& identity, std::string_view host, std::string_view status) {
  Error error = credential_rejected(identity, host, status);
  const bool ghcr = identity.domain == "ghcr.io";
  error.remedy = fmt::format(
      "the stored {} is rejected, also for public images: renew{} or remove it in {}",
      ghcr || identity.credential->kind == CredentialKind::identity_token ? "token" : "password",
      ghcr ? " (a classic personal access token with the scope read:packages)" : "",
      identity.credential->origin);
  return error;
}

Error identity_token_unusable(const Identity& identity, std::string_view host,
                              std::string_view status) {
  return {ErrorKind::auth,
          fmt::format("{} takes no identity tokens ({}), and {} has nothing else for {}", host,
                      status, identity.credential->origin, identity.domain),
          fmt::format("docker login {} with a user name and password", identity.domain)};
}

Error credential_rejected(const Identity& identity, std::string_view host,
                          std::string_view status) {
  const Credential& credential = *identity.credential;
  const std::string name = named(credential);
  return {ErrorKind::auth,
          fmt::format("{} rejected {} from {} ({})", host, name, credential.origin, status),
          fmt::format("renew {} in {}",
                      credential.username.empty()
                          ? name
                          : fmt::format("the password or token of {}", credential.username),
                      credential.origin)};
}

Error no_right(const Identity& identity, std::string_view host, std::string_view repository,
               const HttpResponse& response, const Secret& sent) {
  const Credential& credential = *identity.credential;
  const std::string status = status_text(response, sent);
  Error error{ErrorKind::denied,
              fmt::format("{} gives {} from {} no right to pull {} ({})", host, credential.who(),
                          credential.origin, repository, status),
              fmt::format("check that {} exists, that {} may pull it, and that its password has "
                          "not expired",
                          repository, credential.who())};
  const std::vector<std::string> challenges = response.header_values("www-authenticate");
  if (status.contains("read_package")) {  // GHCR
    error.remedy = fmt::format(
        "give {} the role Read in the settings of the package {}, and its token read:packages",
        credential.who(), repository);
  } else if (response.status == 401 && !challenges.empty() && challenges.front().empty()) {
    error.remedy = fmt::format(
        "so Harbor answers where there is no project {}, or none that {} may "
        "see: correct the name, or make it a member",
        repository.substr(0, repository.find('/')), credential.who());
  }
  return error;
}

std::optional<Error> client_certificate_refused(std::string_view host,
                                                const HttpResponse& response) {
  if (mentions(response, "No required SSL certificate was sent")) {
    return Error{ErrorKind::tls,
                 fmt::format("{} wants a client certificate, and there is none ({})", host,
                             response.status)};
  }
  if (mentions(response, "The SSL certificate error")) {
    return Error{ErrorKind::tls, fmt::format("{} does not take our client certificate ({})", host,
                                             response.status)};
  }
  return std::nullopt;
}

Error bad_answer(std::string_view host, std::string_view what, const HttpResponse& response,
                 const Secret& sent) {
  const std::string status = status_text(response, sent);
  switch (response.status) {
    case 404:
      return {ErrorKind::not_found, fmt::format("{} has no {} ({})", host, what, status)};
    case 412:
      return {
          ErrorKind::denied,
          fmt::format("{} blocks {} by a policy of its own ({})", host, what, status),
          "have the image signed or its vulnerabilities mended, or change the project's policy in "
          "the registry"};
    case 429:
      return {ErrorKind::rate_limited, fmt::format("{} limits the rate of requests ({}){}", host,
                                                   status, retry_after(response, sent))};
    case 403:
      return {ErrorKind::denied, fmt::format("{} refuses {} ({})", host, what, status)};
    case 408:
      return {ErrorKind::transient, fmt::format("{} answered {} for {}", host, status, what)};
    default:
      return {response.status >= 500 ? ErrorKind::transient : ErrorKind::protocol,
              fmt::format("{} answered {} for {}", host, status, what)};
  }
}

}  // namespace tallyman
