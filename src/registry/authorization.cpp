#include "registry/authorization.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "registry/errors.hpp"
#include "registry/redirect.hpp"
#include "tallyman/io/encoding.hpp"
#include "tallyman/io/log.hpp"
#include "tallyman/model/challenge.hpp"

namespace tallyman {
namespace {

std::vector<std::string> scopes_of(const Challenge& challenge, const std::string& repository) {
  std::vector<std::string> scopes;
  std::string_view text = challenge.get("scope");
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    if (!word.empty()) {
      scopes.emplace_back(word);
    }
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  if (scopes.empty()) {
    scopes.push_back(usual_scope(repository));
  }
  std::ranges::sort(scopes);
  return scopes;
}

/// Newlines cannot stand in any of the parts.
std::string key_of(const TokenQuestion& question) {
  std::string key = fmt::format("{}\n{}\n{}\n", question.asked.url.origin(), question.realm.str(),
                                question.service);
  for (const std::string& scope : question.scopes) {
    key += scope + " ";
  }
  return key + "\n" + key_of(question.identity);
}

std::string offers_of(const std::vector<Challenge>& challenges) {
  std::string offers;
  for (const Challenge& challenge : challenges) {
    offers += (offers.empty() ? "" : ", ") + printable(challenge.scheme);
  }
  return offers;
}

Error of_no_use_for_basic(const Identity& identity, std::string_view host) {
  const Credential& credential = *identity.credential;
  const bool registry_token = credential.kind == CredentialKind::registry_token;
  return {ErrorKind::auth,
          fmt::format("{} wants a user name and password, and {} has only {} for it", host,
                      credential.origin, registry_token ? "a registry token" : "an identity token"),
          fmt::format("docker login {} with a password", identity.domain)};
}

}  // namespace

bool Authorizer::is_good(const Authorization& authorization) const {
  return m_clock.steady() < authorization.good_until;
}

std::shared_ptr<const Authorization> Authorizer::remembered(const Access& access, const Url& url,
                                                            const std::string& repository) const {
  const auto found = m_remembered.find({access.domain(), url.origin(), repository});
  const bool good = found != m_remembered.end() && is_good(*found->second) &&
                    access.is_current(found->second->identity);
  return good ? found->second : nullptr;
}

/// Who we are to others than the registry itself: nobody.
void Authorizer::answer(Access& access, const Challenged& challenged, const HttpResponse& response,
                        Done done) {
  if (!same_origin(access.root(), challenged.url)) {
    answer_as(access, challenged, response,
              {.domain = access.domain(), .transport = access.transport(), .elsewhere = true},
              std::move(done));
    return;
  }
  access.identify(challenged.repository, [this, &access, challenged, response,
                                          done = std::move(done)](Result<Identity> who) mutable {
    if (!who) {
      done(std::unexpected(std::move(who.error())));
      return;
    }
    answer_as(access, challenged, response, std::move(*who), std::move(done));
  });
}

void Authorizer::answer_as(Access& access, const Challenged& challenged,
                           const HttpResponse& response, Identity identity, Done done) {
  const std::vector<Challenge> offered =
      parse_challenges(response.header_values("www-authenticate"));
  const std::optional<Challenge> challenge = choose_challenge(offered);
  if (!challenge) {
    const std::string offers = offers_of(offered);
    done(fail(
        ErrorKind::auth, "{} wants a login ({}) but {}", challenged.url.authority(),
        status_text(response, challenged.rejected),
        offers.empty() ? "does not say how" : "only by " + offers + ", which is not supported"));
    return;
  }
  if (challenge->scheme == "basic") {
    answer_basic(challenged, response, std::move(identity), std::move(done));
    return;
  }
  if (has_registry_token(identity)) {
    answer_with_registry_token(challenged, response, std::move(identity), std::move(done));
    return;
  }
  const Challenger challenger{challenged.url, response.peer};
  const Result<Url> realm = realm_of(challenger, challenge->get("realm"));
  if (!realm) {
    done(std::unexpected(realm.error()));
    return;
  }
  const TokenQuestion question{challenger, *realm, std::string(challenge->get("service")),
                               scopes_of(*challenge, challenged.repository), std::move(identity)};
  learn(access, challenged, question);
  answer_bearer(access, question, challenged.rejected,
                {{{question.identity.domain, challenged.url.origin(), challenged.repository}},
                 std::move(done)});
}

/// Only what foresee() would ask in the same way: and that as whoever we are over https, which is
/// tried first in each tick. So it must not be something that anybody on the way can have said.
void Authorizer::learn(Access& access, const Challenged& challenged,
                       const TokenQuestion& question) {
  if (!same_origin(access.root(), challenged.url)) {
    return;
  }
  if (carries_credentials(access.transport()) &&
      question.scopes == std::vector{usual_scope(challenged.repository)}) {
    access.learn_token_service(question.realm.str(), question.service);
  } else {
    access.forget_token_service();
  }
}

void Authorizer::answer_basic(const Challenged& challenged, const HttpResponse& response,
                              Identity identity, Done done) {
  const std::string status = status_text(response, challenged.rejected);
  if (!identity.credential) {
    done(std::unexpected(login_needed(identity, challenged.url.authority(), status)));
    return;
  }
  if (identity.credential->kind != CredentialKind::password) {
    done(std::unexpected(of_no_use_for_basic(identity, challenged.url.authority())));
    return;
  }
  const Authorization authorization{basic_header(*identity.credential), true, std::move(identity)};
  give_credential(challenged, response, authorization, std::move(done));
}

/// The token is what a token server would give: none is asked.
void Authorizer::answer_with_registry_token(const Challenged& challenged,
                                            const HttpResponse& response, Identity identity,
                                            Done done) {
  Secret header("Bearer " + identity.credential->secret.reveal());
  give_credential(challenged, response, {std::move(header), false, std::move(identity)},
                  std::move(done));
}

void Authorizer::give_credential(const Challenged& challenged, const HttpResponse& response,
                                 const Authorization& authorization, Done done) {
  if (authorization.header == challenged.rejected) {
    done(std::unexpected(credential_rejected(authorization.identity, challenged.url.authority(),
                                             status_text(response, challenged.rejected))));
    return;
  }
  give({{{authorization.identity.domain, challenged.url.origin(), challenged.repository}},
        std::move(done)},
       std::make_shared<const Authorization>(authorization));
}

void Authorizer::answer_bearer(Access& access, const TokenQuestion& question,
                               const Secret& rejected, Pending pending) {
  Slot& slot = m_slots[key_of(question)];
  if (!slot.waiting.empty()) {
    slot.waiting.push_back(std::move(pending));
    return;
  }
  if (slot.authorization && is_good(*slot.authorization) &&
      slot.authorization->header != rejected) {
    give(std::move(pending), slot.authorization);
    return;
  }
  if (slot.refused) {
    give(std::move(pending), std::unexpected(*slot.refused));
    return;
  }
  slot.authorization.reset();
  slot.waiting.push_back(std::move(pending));
  request_token(access, question, [this, &access, &slot, question](Result<Token> token) {
    on_token(access, question, slot, std::move(token));
  });
}

void Authorizer::on_token(Access& access, const TokenQuestion& question, Slot& slot,
                          Result<Token> token) {
  const bool is_shared = slot.waiting.front().places.size() > 1;
  if (token) {
    slot.authorization = std::make_shared<const Authorization>(
        Authorization{Secret("Bearer " + token->value.reveal()), false, question.identity,
                      m_clock.steady() + token->lifetime, is_shared});
  }
  if (token && !is_shared && m_gave_none_for_several.contains(question.realm.str())) {
    access.note_single_tokens();
  }
  if (!token &&
      (token.error().kind == ErrorKind::auth || token.error().kind == ErrorKind::denied)) {
    slot.refused = token.error();
  }
  const Answer answer =
      token ? Answer(slot.authorization) : std::unexpected(std::move(token.error()));
  for (Pending& pending : std::exchange(slot.waiting, {})) {
    give(std::move(pending), answer);
  }
}

void Authorizer::give(Pending pending, const Answer& answer) {
  if (answer) {
    for (Place& place : pending.places) {
      m_remembered.insert_or_assign(std::move(place), *answer);
    }
  }
  pending.done(answer);
}

}  // namespace tallyman
