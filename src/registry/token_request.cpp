#include "registry/token_request.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "registry/errors.hpp"
#include "registry/json.hpp"
#include "registry/redirect.hpp"
#include "tallyman/io/encoding.hpp"

namespace tallyman {
namespace {

constexpr std::size_t k_max_token_answer = std::size_t{64} * 1024;
constexpr std::chrono::seconds k_shortest_lifetime(60);
constexpr std::chrono::seconds k_longest_lifetime(24 * 3600);
constexpr std::chrono::seconds k_margin(5);

bool fits_into_header(const std::string& token) {
  return std::ranges::all_of(token, [](char c) { return c > ' ' && c <= '~'; });
}

std::chrono::seconds lifetime_of(const nlohmann::json& answer) {
  const auto found = answer.find("expires_in");
  if (found == answer.end() || !found->is_number_integer()) {
    return k_shortest_lifetime - k_margin;
  }
  const auto seconds = std::clamp<std::int64_t>(
      found->get<std::int64_t>(), k_shortest_lifetime.count(), k_longest_lifetime.count());
  return std::chrono::seconds(seconds) - k_margin;
}

std::string& add(std::string& form, std::string_view name, const std::string& value) {
  return form += fmt::format("{}{}={}", form.empty() ? "" : "&", name, percent_encode(value));
}

std::string query_of(const TokenQuestion& question) {
  std::string query = question.realm.query;
  if (!question.service.empty()) {
    add(query, "service", question.service);
  }
  for (const std::string& scope : question.scopes) {
    add(query, "scope", scope);
  }
  add(query, "client_id", "tallyman");
  if (question.identity.credential && !question.identity.credential->username.empty()) {
    add(query, "account", question.identity.credential->username);
  }
  return query;
}

std::string refresh_form(const TokenQuestion& question) {
  std::string scopes;
  for (const std::string& scope : question.scopes) {
    scopes += (scopes.empty() ? "" : " ") + scope;
  }
  std::string form = "grant_type=refresh_token";
  add(form, "service", question.service);
  add(form, "client_id", "tallyman");
  add(form, "scope", scopes);
  return add(form, "refresh_token", question.identity.credential->secret.reveal());
}

/// Those have no such endpoint (oauth.md names 404).
bool knows_no_post(long status) {
  return status == 404 || status == 405 || status == 501;
}

/// One exchange with a token server; lives in the callbacks of its requests.
class TokenRequest : public std::enable_shared_from_this<TokenRequest> {
 public:
  TokenRequest(Access& access, const TokenQuestion& question,
               std::move_only_function<void(Result<Token>)> done)
      : m_access(access), m_question(question), m_url(question.realm), m_done(std::move(done)) {
    const std::optional<Credential>& credential = question.identity.credential;
    if (credential && credential->kind == CredentialKind::identity_token) {
      m_form = Secret(refresh_form(question));
      m_sent = Secret("refresh_token " + credential->secret.reveal());
    } else {
      prepare_get();
    }
  }

  void send() {
    if (m_question.identity.credential && !m_access.is_current(m_question.identity)) {
      m_done(fail(ErrorKind::tls,
                  "{} is not spoken to over trusted https any more: the credential is not sent",
                  m_question.asked.url.authority()));
      return;
    }
    HttpRequest request;
    request.max_body = k_max_token_answer;
    if (!m_form.empty()) {
      request.method = "POST";
      request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
      request.body = m_form.reveal();
    } else if (!m_sent.empty()) {
      request.headers.emplace_back("Authorization", m_sent.reveal());
    }
    m_access.send(m_url, std::move(request), [self = shared_from_this()](HttpResult result) {
      if (result) {
        self->on_answer(*result);
      } else {
        self->m_done(std::unexpected(with_context(
            result.error().error,
            fmt::format("the token server of {}", self->m_question.asked.url.authority()))));
      }
    });
  }

 private:
  void prepare_get() {
    const std::optional<Credential>& credential = m_question.identity.credential;
    m_form = Secret();
    m_url = m_question.realm;
    m_url.query = query_of(m_question);
    m_sent = credential ? basic_header(*credential) : Secret();
  }

  void on_answer(const HttpResponse& response) {
    m_access.note_limits(response);
    if (is_redirect(response)) {
      follow(response);
    } else if (response.status == 200) {
      m_done(parse_token(response.body, m_url.authority()));
    } else if (!m_form.empty() && knows_no_post(response.status)) {
      ask_by_get(response);
    } else if (response.status == 401 || response.status == 403 || is_invalid_grant(response)) {
      m_done(std::unexpected(refusal(status_text(response, m_sent))));
    } else {
      m_done(std::unexpected(bad_answer(m_url.authority(),
                                        "token service at the place that the registry names",
                                        response, m_sent)));
    }
  }

  /// RFC 6749, 5.2: an identity token that has expired or was revoked is a 400.
  [[nodiscard]] bool is_invalid_grant(const HttpResponse& response) const {
    return !m_form.empty() && response.status == 400;
  }

  void ask_by_get(const HttpResponse& response) {
    if (m_question.identity.credential->username.empty()) {
      m_done(std::unexpected(identity_token_unusable(m_question.identity, m_url.authority(),
                                                     status_text(response, m_sent))));
      return;
    }
    prepare_get();
    send();
  }

  [[nodiscard]] Error refusal(const std::string& status) const {
    return m_question.identity.credential
               ? token_refused(m_question.identity, m_url.authority(), status)
               : login_needed(m_question.identity, m_url.authority(), status);
  }

  void follow(const HttpResponse& response) {
    const Result<Url> target = redirect_target(m_url, response, ++m_hops);
    const Result<void> good =
        target ? check_realm(m_question.asked, *target) : std::unexpected(target.error());
    if (!good) {
      m_done(std::unexpected(good.error()));
      return;
    }
    if (!m_form.empty() &&
        (!same_origin(m_url, *target) || (response.status != 307 && response.status != 308))) {
      m_done(
          fail(ErrorKind::protocol,
               "the token server {} redirects a login to {}: an identity token is not sent there",
               m_url.authority(), target->authority()));
      return;
    }
    if (!same_origin(m_url, *target)) {
      m_sent = Secret();
    }
    m_url = *target;
    send();
  }

  Access& m_access;
  TokenQuestion m_question;
  Url m_url;
  Secret m_form;  // the body of a POST; empty: GET
  Secret m_sent;  // the secret that goes with it: the Authorization of a GET
  int m_hops = 0;
  std::move_only_function<void(Result<Token>)> m_done;
};

}  // namespace

Result<Token> parse_token(std::string_view body, std::string_view host) {
  const std::optional<nlohmann::json> answer = parse_json(body);
  if (!answer || !answer->is_object()) {
    return fail(ErrorKind::protocol, "the token server {} did not answer with a JSON object", host);
  }
  std::string token = string_member(*answer, "access_token");
  if (token.empty()) {
    token = string_member(*answer, "token");
  }
  if (token.empty()) {
    return fail(ErrorKind::protocol, "the answer of the token server {} has no token", host);
  }
  if (!fits_into_header(token)) {
    return fail(ErrorKind::protocol, "the token of the token server {} is not plain ASCII", host);
  }
  return Token{Secret(std::move(token)), lifetime_of(*answer)};
}

Secret basic_header(const Credential& credential) {
  return Secret("Basic " + base64_encode(fmt::format("{}:{}", credential.username,
                                                     credential.secret.reveal())));
}

std::string usual_scope(const std::string& repository) {
  return fmt::format("repository:{}:pull", repository);
}

void request_token(Access& access, const TokenQuestion& question,
                   std::move_only_function<void(Result<Token>)> done) {
  std::make_shared<TokenRequest>(access, question, std::move(done))->send();
}

}  // namespace tallyman
