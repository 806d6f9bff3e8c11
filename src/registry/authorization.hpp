#pragma once

#include "registry/access.hpp"
#include "registry/identity.hpp"
#include "registry/token_request.hpp"
#include "registry/url.hpp"
#include "tallyman/io/clock.hpp"
#include "tallyman/io/http.hpp"
#include "tallyman/model/error.hpp"
#include "tallyman/model/secret.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace tallyman {

/// What to answer a challenge with.
struct Authorization {
  Secret header = {};  ///< "Bearer …" or "Basic …"
  bool is_basic = false;
  Identity identity = {};  ///< as whom
  std::chrono::steady_clock::time_point good_until = std::chrono::steady_clock::time_point::max();
  bool is_shared = false;  ///< a token that was asked for several repositories at once
};

/// Answers the challenges of registries. A token is asked for once per origin, realm, service,
/// scopes and identity, however many wait for it, and asked for anew only when it has expired or a
/// registry did not take it.
class Authorizer {
 public:
  explicit Authorizer(const Clock& clock) : m_clock(clock) {}

  struct Challenged {
    Url url;                 ///< what answered 401
    std::string repository;  ///< "acme/web"
    Secret rejected = {};    ///< the header that was sent and not taken, if any
  };
  using Answer = Result<std::shared_ptr<const Authorization>>;
  using Done = std::move_only_function<void(Answer)>;

  /// Our credential goes nowhere but to the realm of the registry itself, or with Basic and as a
  /// registry token to the registry itself; a host that it redirected to gets anonymous answers.
  void answer(Access& access, const Challenged& challenged, const HttpResponse& response,
              Done done);

  struct Foreseen {
    std::string repository;
    std::move_only_function<void()> done;
  };
  /// Asks for the tokens of repositories before the registry wants them, where it is known who
  /// gives them; remembered() has them then. A token is for several of them
  /// (distribution/docs/content/spec/auth/token.md: "scope" may be given more than once), unless
  /// the registry has shown that it does not work. Whatever else goes wrong is for the registry to
  /// say.
  void foresee(Access& access, std::vector<Foreseen> wanted);

  /// What opened this repository at this origin before, if it is still good, and was for the way
  /// that this registry is spoken to now; nullptr: nothing.
  [[nodiscard]] std::shared_ptr<const Authorization> remembered(
      const Access& access, const Url& url, const std::string& repository) const;
  [[nodiscard]] bool is_good(const Authorization& authorization) const;

 private:
  class Foresight;
  // Domain, origin and repository: two domains can be one origin with two credentials.
  using Place = std::tuple<std::string, std::string, std::string>;
  struct Pending {
    std::vector<Place> places;
    Done done;
  };
  struct Slot {
    std::shared_ptr<const Authorization> authorization;
    std::optional<Error> refused;  // of the same question; it is not asked twice
    std::vector<Pending> waiting;  // not empty: being asked for
  };

  void answer_as(Access& access, const Challenged& challenged, const HttpResponse& response,
                 Identity identity, Done done);
  void answer_with_registry_token(const Challenged& challenged, const HttpResponse& response,
                                  Identity identity, Done done);
  void give_credential(const Challenged& challenged, const HttpResponse& response,
                       const Authorization& authorization, Done done);
  void answer_basic(const Challenged& challenged, const HttpResponse& response, Identity identity,
                    Done done);
  void answer_bearer(Access& access, const TokenQuestion& question, const Secret& rejected,
                     Pending pending);
  static void learn(Access& access, const Challenged& challenged, const TokenQuestion& question);
  void on_token(Access& access, const TokenQuestion& question, Slot& slot, Result<Token> token);
  void give(Pending pending, const Answer& answer);

  const Clock& m_clock;
  std::map<std::string, Slot> m_slots;  // none goes: callbacks refer to them
  std::map<Place, std::shared_ptr<const Authorization>> m_remembered;
  std::set<std::string> m_gave_none_for_several;  // realms
};

}  // namespace tallyman
