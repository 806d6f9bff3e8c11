#pragma once

#include "registry/identity.hpp"
#include "registry/lanes.hpp"
#include "registry/url.hpp"
#include "tallyman/io/clock.hpp"
#include "tallyman/io/http.hpp"
#include "tallyman/model/error.hpp"
#include "tallyman/model/memory.hpp"
#include "tallyman/registry/credentials.hpp"
#include "tallyman/registry/remote_registry.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tallyman {

/// What all registries of one RemoteRegistry share.
struct Surroundings {
  Http& http;
  Lanes& lanes;
  CredentialStore& credentials;
  const std::map<std::string, RegistrySettings>& registries;
  std::function<const InsecureRegistries&()> insecure;
  const Clock& clock;
  std::map<std::string, RegistryMemory>& known;  ///< by domain
  std::vector<std::string> certs_folders = {};
};

/// One registry: how it is spoken to, and who we are to it. The first question finds out, while the
/// others wait until it is connected; if there is no way, all of them get the same error. One that
/// wants to be left alone is not asked (ErrorKind::rate_limited).
class Access {
 public:
  /// ErrorKind::config if the domain has no usable host and port, or if a file of its certificates
  /// cannot be used.
  [[nodiscard]] static Result<std::unique_ptr<Access>> open(const std::string& domain,
                                                            const Surroundings& surroundings);
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;

  struct Question {
    std::string path;  ///< "/v2/acme/web/manifests/latest"
    /// Makes the request; again for each transport that is tried. Access sets verify_tls.
    std::function<HttpRequest(const Url&)> prepare;
    Http::Done done;
  };
  void ask(Question question);

  /// To the registry itself, or to where it sends us: its token server, a redirect's target. All of
  /// them are reached by its proxy, and trusted by its roots too; its client certificate is shown
  /// to its own host only.
  void send(const Url& url, HttpRequest request, Http::Done done);

  /// What an operator can do where the registry wants to know by a certificate who we are.
  [[nodiscard]] std::string client_certificate_remedy() const;

  /// Takes note of what an answer says of limits: of the registry itself or of its token server.
  void note_limits(const HttpResponse& response);
  /// Why it is not asked for now.
  [[nodiscard]] std::optional<Error> rate_limited() const;

  /// Who gives tokens for it, as it said in an earlier tick or in this one.
  [[nodiscard]] std::optional<RegistryMemory::TokenService> token_service() const;
  void learn_token_service(std::string realm, std::string service);
  void forget_token_service();
  /// Is a token for several repositories worth asking for?
  [[nodiscard]] bool may_share_tokens() const;
  /// It is not, and tokens for each are good.
  void note_single_tokens();

  [[nodiscard]] const std::string& domain() const { return m_domain; }
  /// What is in use, or what will be tried first.
  [[nodiscard]] Transport transport() const { return m_transport; }
  /// What an identity may send was decided for its transport: is that still the one?
  [[nodiscard]] bool is_current(const Identity& identity) const {
    return identity.transport == m_transport;
  }
  /// The registry's root over that transport.
  [[nodiscard]] const Url& root() const { return m_root; }
  [[nodiscard]] bool verifies(const Url& url) const;
  /// There was a connection.
  [[nodiscard]] bool is_reached() const { return m_state == State::reached; }

  /// Who we are to a repository of it. The error is ErrorKind::auth: what the operator configured
  /// cannot be used. identify() does not wait for a credential helper, but calls back.
  [[nodiscard]] Result<Identity> identity(const std::string& repository) const;
  void identify(const std::string& repository,
                std::move_only_function<void(Result<Identity>)> done) const;

 private:
  enum class State { untried, trying, reached, unreachable };

  [[nodiscard]] Result<Identity> identity_with(CredentialStore::Found found) const;
  Access(std::string domain, Url root, Transport transport, std::shared_ptr<const HttpRoute> route,
         const Surroundings& surroundings);
  [[nodiscard]] std::shared_ptr<const HttpRoute> route_of(const Url& url) const;
  [[nodiscard]] TransportError with_remedy(TransportError failure) const;
  [[nodiscard]] bool is_still_true(Timestamp since) const;
  void try_first();
  void on_first_result(HttpResult result);
  bool fall_back(const TransportError& failure);
  void probe_http(TransportError failure);
  void reach();
  void give_up(TransportError failure);
  void use(Transport transport);

  std::string m_domain;
  Url m_root;
  bool m_has_port = false;
  Transport m_transport;
  std::shared_ptr<const HttpRoute> m_route;            // nothing: there is nothing special
  std::shared_ptr<const HttpRoute> m_route_elsewhere;  // without the client certificate
  const Surroundings& m_shared;
  State m_state = State::untried;
  std::optional<Question> m_first;
  std::deque<Question> m_waiting;
  std::optional<TransportError> m_failure;  // of https, while another transport is tried; the last
};

}  // namespace tallyman
