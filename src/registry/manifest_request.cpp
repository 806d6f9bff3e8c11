#include "registry/manifest_request.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "registry/errors.hpp"
#include "registry/redirect.hpp"
#include "tallyman/io/encoding.hpp"
#include "tallyman/model/challenge.hpp"

namespace tallyman {
namespace {

/// The one digest that the headers name, if they name one.
std::optional<Digest> digest_header(const HttpResponse& response) {
  const std::vector<std::string> values = response.header_values("docker-content-digest");
  if (values.empty() || std::ranges::count(values, values.front()) != std::ssize(values)) {
    return std::nullopt;
  }
  Result<Digest> digest = Digest::parse(values.front());
  return digest ? std::optional(std::move(*digest)) : std::nullopt;
}

bool offers_bearer(const HttpResponse& response) {
  const auto challenge =
      choose_challenge(parse_challenges(response.header_values("www-authenticate")));
  return challenge && challenge->scheme == "bearer";
}

/// Does GET have more to tell than HEAD: where HEAD may not be known, and where only a body says
/// why?
bool is_worth_a_get(long status) {
  switch (status) {
    case 400:
    case 403:
    case 404:
    case 405:
    case 412:
    case 501:
      return true;
    default:
      return false;
  }
}

/// Of a token for several repositories: does it not open this one, or is it too long? One for this
/// repository alone tells.
bool may_be_the_token(long status) {
  return status == 400 || status == 403 || status == 404 || status == 431;
}

}  // namespace

void ManifestRequest::head(Access& access, Authorizer& authorizer, const ImageReference& reference,
                           Done done) {
  std::make_shared<ManifestRequest>(access, authorizer, reference, "HEAD", std::move(done))->ask();
}

void ManifestRequest::get(Access& access, Authorizer& authorizer, const ImageReference& reference,
                          Done done) {
  std::make_shared<ManifestRequest>(access, authorizer, reference, "GET", std::move(done))->ask();
}

ManifestRequest::ManifestRequest(Access& access, Authorizer& authorizer,
                                 const ImageReference& reference, std::string method, Done done)
    : m_access(access),
      m_authorizer(authorizer),
      m_reference(reference),
      m_method(std::move(method)),
      m_done(std::move(done)) {}

void ManifestRequest::ask() {
  const std::string& wanted =
      m_reference.digest() ? m_reference.digest()->str() : m_reference.tag().value();
  m_access.ask(
      {fmt::format("/v2/{}/manifests/{}", m_reference.path(), wanted),
       [self = shared_from_this()](const Url& url) { return self->request_for(url); },
       [self = shared_from_this()](HttpResult result) { self->on_result(std::move(result)); }});
}

void ManifestRequest::send() {
  m_access.send(*m_url, request_for(*m_url), [self = shared_from_this()](HttpResult result) {
    self->on_result(std::move(result));
  });
}

HttpRequest ManifestRequest::request_for(const Url& url) {
  m_url = url;
  // What was for https is not for what is tried after that.
  if (m_authorization && !m_access.is_current(m_authorization->identity)) {
    m_authorization.reset();
  }
  if (!m_authorization && m_rejected.empty()) {
    m_authorization = m_authorizer.remembered(m_access, url, m_reference.path());
  }
  HttpRequest request;
  request.method = m_method;
  request.headers.emplace_back("Accept", manifest_accept_header());
  if (m_authorization) {
    request.headers.emplace_back("Authorization", m_authorization->header.reveal());
  }
  return request;
}

void ManifestRequest::on_result(HttpResult result) {
  if (!result) {
    finish(std::unexpected(std::move(result.error().error)));
    return;
  }
  const HttpResponse& response = *result;
  m_access.note_limits(response);
  if (response.status == 200) {
    if (m_rejected_shared) {
      m_access.note_single_tokens();
    }
    accept(response);
  } else if (is_redirect(response)) {
    follow(response);
  } else if (response.status == 401 && !m_has_answered) {
    answer_challenge(response);
  } else if (m_authorization && m_authorization->is_shared && may_be_the_token(response.status)) {
    ask_without_token();
  } else if (m_method == "HEAD" && is_worth_a_get(response.status)) {
    m_method = "GET";
    send();
  } else {
    finish(std::unexpected(error_of(response)));
  }
}

void ManifestRequest::follow(const HttpResponse& response) {
  const Result<Url> target = redirect_target(*m_url, response, ++m_hops);
  if (!target) {
    finish(std::unexpected(target.error()));
    return;
  }
  if (!same_origin(*m_url, *target)) {
    m_authorization.reset();
    m_rejected = Secret();
  }
  m_has_answered = false;  // another path can want another scope
  m_url = *target;
  send();
}

/// To a token that it does not take Harbor offers Basic, or nothing at all. What it really wants it
/// tells those who send nothing.
void ManifestRequest::answer_challenge(const HttpResponse& response) {
  if (m_authorization && !m_authorization->is_basic && !offers_bearer(response)) {
    ask_without_token();
    return;
  }
  note_if_shared();
  m_has_answered = true;
  m_authorizer.answer(m_access, {*m_url, m_reference.path(), m_authorization ? sent() : m_rejected},
                      response, [self = shared_from_this()](Authorizer::Answer authorization) {
                        if (!authorization) {
                          self->finish(std::unexpected(std::move(authorization.error())));
                          return;
                        }
                        self->m_authorization = std::move(*authorization);
                        self->send();
                      });
}

void ManifestRequest::ask_without_token() {
  note_if_shared();
  m_rejected = m_authorization->header;
  m_authorization.reset();
  send();
}

void ManifestRequest::note_if_shared() {
  m_rejected_shared = m_rejected_shared || (m_authorization && m_authorization->is_shared &&
                                            m_authorizer.is_good(*m_authorization));
}

void ManifestRequest::accept(const HttpResponse& response) {
  if (m_method == "GET") {
    finish(verified(response));
    return;
  }
  if (std::optional<Digest> digest = digest_header(response)) {
    finish(Answer{std::move(*digest)});
    return;
  }
  m_method = "GET";
  send();
}

/// The digest is made of the bytes as they came. That they are a manifest at all is checked before
/// it counts: a captive portal's page has a digest too.
Result<ManifestRequest::Answer> ManifestRequest::verified(const HttpResponse& response) const {
  const std::string host = m_url->authority();
  const Result<Digest> digest = Digest::parse("sha256:" + sha256_hex(response.body));
  if (!digest) {
    return std::unexpected(digest.error());
  }
  const std::optional<Digest> named = digest_header(response);
  for (const std::optional<Digest>& expected : {m_reference.digest(), named}) {
    if (expected && expected->algorithm() != digest->algorithm()) {
      return fail(ErrorKind::protocol, "{} names the manifest by {}, which cannot be verified here",
                  host, expected->str());
    }
    if (expected && *expected != *digest) {
      return fail(ErrorKind::protocol,
                  "{} sent a manifest that does not match its digest: {} was to come, {} came",
                  host, expected->str(), digest->str());
    }
  }
  Result<Manifest> manifest = parse_manifest(response.body, response.header("content-type"));
  if (!manifest) {
    return std::unexpected(
        with_context(std::move(manifest.error()), fmt::format("the answer of {}", host)));
  }
  return Answer{*digest, std::move(*manifest)};
}

Error ManifestRequest::error_of(const HttpResponse& response) const {
  if (response.status == 401 || response.status == 403) {
    return refusal(response);
  }
  if (std::optional<Error> refused = client_certificate_refused(m_url->authority(), response)) {
    refused->remedy = m_access.client_certificate_remedy();
    return std::move(*refused);
  }
  if (std::optional<Error> limited = m_access.rate_limited(); limited && response.status == 429) {
    return std::move(*limited);
  }
  Error error = bad_answer(m_url->authority(), m_reference.digest() ? "such manifest" : "such tag",
                           response, sent());
  if (error.kind == ErrorKind::not_found) {
    const bool known = m_authorization && m_authorization->identity.credential;
    error.message +=
        known ? fmt::format(", asked as {} from {}", m_authorization->identity.credential->who(),
                            m_authorization->identity.credential->origin)
              : ", asked anonymously";
    error.remedy = "push it, or correct the name of the image";
  }
  return error;
}

/// After a challenge was answered, or a 403 out of the blue.
Error ManifestRequest::refusal(const HttpResponse& response) const {
  if (!m_authorization) {
    return bad_answer(m_url->authority(), "the question", response, Secret());
  }
  const std::string status = status_text(response, sent());
  const Identity& identity = m_authorization->identity;
  if (!identity.credential) {
    return login_needed(identity, m_url->authority(), status);
  }
  const bool sent_itself =
      m_authorization->is_basic || identity.credential->kind == CredentialKind::registry_token;
  if (sent_itself && response.status == 401) {
    return credential_rejected(identity, m_url->authority(), status);
  }
  return no_right(identity, m_url->authority(), m_reference.path(), response, sent());
}

Secret ManifestRequest::sent() const {
  return m_authorization ? m_authorization->header : Secret();
}

void ManifestRequest::finish(Result<Answer> answer) {
  if (!answer) {
    answer.error() = with_context(std::move(answer.error()), m_reference.familiar());
  }
  m_done(std::move(answer));
}

}  // namespace tallyman
