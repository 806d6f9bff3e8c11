#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "registry/authorization.hpp"
#include "registry/redirect.hpp"

namespace tallyman {
namespace {

// Their names are in the token, and the token is a header of each question: some servers take no
// more than 4 KiB.
constexpr std::size_t k_repositories_per_token = 10;
constexpr std::size_t k_bytes_of_names_per_token = 600;

/// Did the token server say no to what it was asked for?
bool is_refusal(ErrorKind kind) {
  return kind == ErrorKind::auth || kind == ErrorKind::denied || kind == ErrorKind::not_found ||
         kind == ErrorKind::protocol;
}

}  // namespace

/// Those of one foresee(); lives in the callbacks that find out as whom, and ask.
class Authorizer::Foresight : public std::enable_shared_from_this<Foresight> {
 public:
  Foresight(Authorizer& authorizer, Access& access, Url realm, std::string service)
      : m_authorizer(authorizer),
        m_access(access),
        m_realm(std::move(realm)),
        m_service(std::move(service)) {}

  void start(std::vector<Foreseen> wanted) {
    m_unidentified = wanted.size();
    for (Foreseen& one : wanted) {
      std::string repository = one.repository;
      m_access.identify(repository, [self = shared_from_this(),
                                     one = std::move(one)](const Result<Identity>& who) mutable {
        self->sort_in(std::move(one), who);
      });
    }
    ask_groups();  // and those that wait for a credential helper when that is done
  }

 private:
  /// Repositories that the same credential is for, and what waits for each.
  struct Group {
    Identity identity = {};
    std::map<std::string, std::vector<std::move_only_function<void()>>> waiting = {};
  };

  void sort_in(Foreseen one, const Result<Identity>& who) {
    if (who && !has_registry_token(*who)) {
      Group& group = m_groups[key_of(*who)];
      if (group.waiting.empty()) {
        group.identity = *who;
      }
      group.waiting[std::move(one.repository)].push_back(std::move(one.done));
    } else {
      one.done();
    }
    if (--m_unidentified == 0) {
      ask_groups();
    }
  }

  void ask_groups() {
    for (auto& [key, group] : std::exchange(m_groups, {})) {
      ask(std::move(group), m_access.may_share_tokens() ? k_repositories_per_token : 1);
    }
  }

  void ask(Group group, std::size_t most) {
    while (!group.waiting.empty()) {
      Group part{group.identity};
      std::size_t bytes = 0;
      do {
        bytes += group.waiting.begin()->first.size();
        part.waiting.insert(group.waiting.extract(group.waiting.begin()));
      } while (!group.waiting.empty() && part.waiting.size() < most &&
               bytes + group.waiting.begin()->first.size() <= k_bytes_of_names_per_token);
      ask_for_one_token(std::move(part));
    }
  }

  void ask_for_one_token(Group group) {
    TokenQuestion question{Challenger{m_access.root()}, m_realm, m_service, {}, group.identity};
    Pending pending;
    for (const auto& [repository, waiting] : group.waiting) {
      question.scopes.push_back(usual_scope(repository));
      pending.places.emplace_back(group.identity.domain, m_access.root().origin(), repository);
    }
    pending.done = [self = shared_from_this(), group = std::move(group)](
                       const Answer& answer) mutable { self->on_answer(std::move(group), answer); };
    m_authorizer.answer_bearer(m_access, question, Secret(), std::move(pending));
  }

  void on_answer(Group group, const Answer& answer) {
    const bool was_shared = group.waiting.size() > 1;
    if (!answer && was_shared && answer.error().kind != ErrorKind::rate_limited) {
      m_authorizer.m_gave_none_for_several.insert(m_realm.str());
    }
    if (!answer && was_shared && is_refusal(answer.error().kind)) {
      ask(std::move(group), 1);
      return;
    }
    if (!answer) {
      m_access.forget_token_service();
    }
    for (auto& [repository, waiting] : group.waiting) {
      for (auto& done : waiting) {
        done();
      }
    }
  }

  Authorizer& m_authorizer;
  Access& m_access;
  Url m_realm;
  std::string m_service;
  std::size_t m_unidentified = 0;
  std::map<std::string, Group> m_groups;  // by key_of(identity)
};

void Authorizer::foresee(Access& access, std::vector<Foreseen> wanted) {
  const auto known = access.token_service();
  const Result<Url> realm = known && !access.rate_limited()
                                ? realm_of(Challenger{access.root()}, known->realm)
                                : fail(ErrorKind::bug, "nobody is known to give tokens");
  std::vector<Foreseen> unknown;
  for (Foreseen& one : wanted) {
    if (!realm || remembered(access, access.root(), one.repository) != nullptr) {
      one.done();
    } else {
      unknown.push_back(std::move(one));
    }
  }
  if (!unknown.empty()) {
    std::make_shared<Foresight>(*this, access, *realm, known->service)->start(std::move(unknown));
  }
}

}  // namespace tallyman
