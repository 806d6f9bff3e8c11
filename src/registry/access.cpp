#include "registry/access.hpp"

#include <chrono>
#include <string_view>
#include <utility>

#include "registry/address.hpp"
#include "registry/limits.hpp"
#include "registry/route.hpp"

namespace tallyman {
namespace {

constexpr std::string_view k_hub = "docker.io";
constexpr std::string_view k_hub_host = "registry-1.docker.io";
constexpr std::chrono::seconds k_probe_connect_timeout(3);
constexpr std::chrono::seconds k_probe_timeout(5);

bool is_no_tls(TransportFailure failure) {
  return failure == TransportFailure::connect || failure == TransportFailure::tls;
}

/// "/etc/docker/certs.d/harbor.lan/ca.crt", which the engine reads too
std::string certs_d(const std::string& domain, std::string_view file) {
  return fmt::format("/etc/docker/certs.d/{}/{}", domain, file);
}

std::shared_ptr<const HttpRoute> without_client(const std::shared_ptr<const HttpRoute>& route) {
  if (!route || route->client_cert.empty()) {
    return route;
  }
  auto copy = std::make_shared<HttpRoute>(*route);
  copy->client_cert.clear();
  copy->client_key = Secret();
  return copy;
}

}  // namespace

Result<std::unique_ptr<Access>> Access::open(const std::string& domain,
                                             const Surroundings& surroundings) {
  const auto section = surroundings.registries.find(domain);
  const bool plain = section != surroundings.registries.end() && section->second.plain_http;
  const std::optional<Url> root = Url::parse(
      fmt::format("{}://{}", plain ? "http" : "https", domain == k_hub ? k_hub_host : domain));
  if (!root) {
    return fail(ErrorKind::config, "{} is not a host and port that can be asked", domain);
  }
  Result<std::shared_ptr<const HttpRoute>> route =
      route_to(domain, section == surroundings.registries.end() ? nullptr : &section->second,
               surroundings.certs_folders);
  if (!route) {
    return std::unexpected(std::move(route.error()));
  }
  return std::unique_ptr<Access>(new Access(domain, *root,
                                            plain ? Transport::plain_http : Transport::https,
                                            std::move(*route), surroundings));
}

Access::Access(std::string domain, Url root, Transport transport,
               std::shared_ptr<const HttpRoute> route, const Surroundings& surroundings)
    : m_domain(std::move(domain)),
      m_root(std::move(root)),
      m_has_port(m_domain.rfind(':') != std::string::npos && !m_domain.ends_with(']')),
      m_transport(transport),
      m_route(std::move(route)),
      m_route_elsewhere(without_client(m_route)),
      m_shared(surroundings) {
  if (const auto section = m_shared.registries.find(m_domain);
      section != m_shared.registries.end()) {
    m_shared.lanes.bound(m_root, static_cast<std::size_t>(section->second.max_concurrent_requests));
  }
}

void Access::use(Transport transport) {
  m_transport = transport;
  m_root.scheme = is_http(transport) ? "http" : "https";
  if (!m_has_port) {
    m_root.port = is_http(transport) ? 80 : 443;
  }
}

bool Access::verifies(const Url& url) const {
  return m_transport != Transport::insecure_https || !same_origin(url, m_root);
}

void Access::send(const Url& url, HttpRequest request, Http::Done done) {
  request.verify_tls = verifies(url);
  request.route = route_of(url);
  m_shared.lanes.send(url, std::move(request),
                      [this, done = std::move(done)](HttpResult result) mutable {
                        if (!result) {
                          result = std::unexpected(with_remedy(std::move(result.error())));
                        }
                        done(std::move(result));
                      });
}

std::shared_ptr<const HttpRoute> Access::route_of(const Url& url) const {
  return url.host == m_root.host && url.scheme == "https" ? m_route : m_route_elsewhere;
}

TransportError Access::with_remedy(TransportError failure) const {
  std::string& remedy = failure.error.remedy;
  if (failure.failure == TransportFailure::certificate && remedy.empty()) {
    remedy = fmt::format(
        "where its authority's certificate is in a file: ca_file under [registry.\"{}\"] in "
        "tallyman.toml, or {}, which the engine reads too; for all programs of this host: "
        "/usr/local/share/ca-certificates and update-ca-certificates",
        m_domain, certs_d(m_domain, "ca.crt"));
  }
  if (failure.failure == TransportFailure::client_certificate) {
    remedy = client_certificate_remedy();
  }
  return failure;
}

std::string Access::client_certificate_remedy() const {
  return m_route && !m_route->client_cert.empty()
             ? "have one that the registry's authority signed and that has not expired"
             : fmt::format(
                   "client_cert and client_key under [registry.\"{}\"] in "
                   "tallyman.toml, or {} and {}, which the engine reads too",
                   m_domain, certs_d(m_domain, "client.cert"), certs_d(m_domain, "client.key"));
}

void Access::ask(Question question) {
  if (std::optional<Error> limited = rate_limited()) {
    question.done(std::unexpected(TransportError{TransportFailure::other, std::move(*limited)}));
    return;
  }
  switch (m_state) {
    case State::untried:
      m_state = State::trying;
      m_first = std::move(question);
      try_first();
      break;
    case State::trying:
      m_waiting.push_back(std::move(question));
      break;
    case State::reached: {
      const Url url = m_root.with_path(std::move(question.path));
      send(url, question.prepare(url), std::move(question.done));
      break;
    }
    case State::unreachable:
      question.done(std::unexpected(*m_failure));
      break;
  }
}

/// Whether this is the way is known as soon as there is a connection: nobody waits for the answer.
void Access::try_first() {
  const Url url = m_root.with_path(m_first->path);
  HttpRequest request = m_first->prepare(url);
  request.on_connected = [this] { reach(); };
  send(url, std::move(request), [this](HttpResult result) { on_first_result(std::move(result)); });
}

void Access::on_first_result(HttpResult result) {
  if (m_state == State::reached || result || !concerns_place(result.error().failure)) {
    Question first = std::move(*m_first);
    m_first.reset();
    first.done(std::move(result));  // before the others: it may say that nobody is to be asked now
    reach();
    return;
  }
  TransportError failure = std::move(result.error());
  if (m_failure) {  // of https before
    failure.error.message = fmt::format(
        "{}; {} as the engine's list of insecure registries allows: {}", m_failure->error.message,
        is_http(m_transport) ? "over http," : "without looking at the certificate,",
        failure.error.message);
  } else if (m_transport == Transport::https && fall_back(failure)) {
    return;
  }
  give_up(std::move(failure));
}

/// True if something else is being tried now.
bool Access::fall_back(const TransportError& failure) {
  const bool certificate = failure.failure == TransportFailure::certificate;
  if (!certificate && !is_no_tls(failure.failure)) {
    return false;
  }
  if (is_listed(m_shared.insecure(), m_domain)) {
    m_failure = failure;
    use(certificate ? Transport::insecure_https : Transport::insecure_http);
    try_first();
    return true;
  }
  // Docker Hub speaks https, and whoever answers in its place over http is not to be trusted.
  if (certificate || m_domain == k_hub) {
    return false;
  }
  probe_http(failure);
  return true;
}

/// Only to tell the operator what to write into tallyman.toml.
void Access::probe_http(TransportError failure) {
  Url url = m_root.with_path("/v2/");
  url.scheme = "http";
  url.port = m_has_port ? m_root.port : 80;
  HttpRequest request;
  request.connect_timeout = k_probe_connect_timeout;
  request.timeout = k_probe_timeout;
  const int http_port = url.port;
  send(url, std::move(request),
       [this, http_port, failure = std::move(failure)](HttpResult result) mutable {
         const bool redirects = result && result->status >= 300 && result->status < 400;
         if (result && !redirects) {
           failure.error = {ErrorKind::tls,
                            fmt::format("{} refuses https on {} but answers http on {}",
                                        m_root.host, m_root.port, http_port),
                            fmt::format("set plain_http = true under [registry.\"{}\"] in "
                                        "tallyman.toml",
                                        m_domain)};
         }
         give_up(std::move(failure));
       });
}

void Access::reach() {
  m_state = State::reached;
  m_failure.reset();
  for (Question& question : std::exchange(m_waiting, {})) {
    ask(std::move(question));
  }
}

void Access::give_up(TransportError failure) {
  m_state = State::unreachable;
  m_failure = std::move(failure);
  Question first = std::move(*m_first);
  m_first.reset();
  first.done(std::unexpected(*m_failure));
  for (Question& question : std::exchange(m_waiting, {})) {
    question.done(std::unexpected(*m_failure));
  }
}

Result<Identity> Access::identity(const std::string& repository) const {
  return identity_with(m_shared.credentials.find(m_domain, repository));
}

void Access::identify(const std::string& repository,
                      std::move_only_function<void(Result<Identity>)> done) const {
  m_shared.credentials.find(m_domain, repository, m_shared.http,
                            [this, done = std::move(done)](CredentialStore::Found found) mutable {
                              done(identity_with(std::move(found)));
                            });
}

Result<Identity> Access::identity_with(CredentialStore::Found found) const {
  Identity identity{m_domain, m_transport};
  identity.places = m_shared.credentials.places();
  if (!found && found.error().kind == ErrorKind::auth) {
    return std::unexpected(std::move(found.error()));
  }
  if (!found) {
    identity.unusable = std::move(found.error());
  } else if (carries_credentials(m_transport)) {
    identity.credential = std::move(*found);
  } else {
    identity.withheld = std::move(*found);
  }
  return identity;
}

void Access::note_limits(const HttpResponse& response) {
  if (const auto rate = rate_limit_of(response)) {
    m_shared.known[m_domain].rate_limit = rate;
  }
  if (response.status != 429) {
    return;
  }
  if (const auto until = rate_limited_until(response, m_shared.clock.now())) {
    m_shared.known[m_domain].not_before = until;
    m_shared.lanes.fail_waiting(m_root, {TransportFailure::other, *rate_limited()});
  }
}

std::optional<Error> Access::rate_limited() const {
  const auto known = m_shared.known.find(m_domain);
  const auto until = known == m_shared.known.end()
                         ? std::nullopt
                         : left_alone_until(known->second, m_shared.clock.now());
  if (!until) {
    return std::nullopt;
  }
  // "2026-11-22T14:05:00Z"; nobody waits longer than hours.
  const std::string minute = format_rfc3339(*until).substr(11, 5);
  return Error{ErrorKind::rate_limited,
               fmt::format("{} is rate limited until {} UTC", m_domain, minute),
               "it is asked again after that; fewer checks, or a login, raise the limit"};
}

/// Nobody says when it is not: that no token is wanted any more, or that one opens several now.
bool Access::is_still_true(Timestamp since) const {
  constexpr std::chrono::hours k_for{24};
  const Timestamp now = m_shared.clock.now();
  return since <= now && now < since + k_for;
}

std::optional<RegistryMemory::TokenService> Access::token_service() const {
  const auto known = m_shared.known.find(m_domain);
  const bool is_known = known != m_shared.known.end() && known->second.token_service &&
                        is_still_true(known->second.token_service->at);
  return is_known ? known->second.token_service : std::nullopt;
}

bool Access::may_share_tokens() const {
  const auto known = m_shared.known.find(m_domain);
  return known == m_shared.known.end() || !known->second.single_tokens_since ||
         !is_still_true(*known->second.single_tokens_since);
}

void Access::note_single_tokens() {
  m_shared.known[m_domain].single_tokens_since = m_shared.clock.now();
}

void Access::learn_token_service(std::string realm, std::string service) {
  m_shared.known[m_domain].token_service = {std::move(realm), std::move(service),
                                            m_shared.clock.now()};
}

void Access::forget_token_service() {
  m_shared.known[m_domain].token_service.reset();
}

}  // namespace tallyman
