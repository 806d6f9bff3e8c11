#include "tallyman/registry/remote_registry.hpp"

#include <cstddef>
#include <tuple>
#include <utility>

#include "registry/access.hpp"
#include "registry/authorization.hpp"
#include "registry/lanes.hpp"
#include "registry/manifest_request.hpp"
#include "registry/platform_lookup.hpp"
#include "registry/route.hpp"

namespace tallyman {
namespace {

template <class T>
Result<T> unanswered() {
  return fail(ErrorKind::bug, "a question to a registry was left without an answer");
}

std::string_view words_for(Transport transport) {
  switch (transport) {
    case Transport::https:
      return "https";
    case Transport::insecure_https:
      return "https without verification";
    case Transport::plain_http:
    case Transport::insecure_http:
      return "http";
  }
  return "";
}

}  // namespace

struct RemoteRegistry::Impl {
  Impl(Http& its_http, CredentialStore& credentials,
       const std::map<std::string, RegistrySettings>& registries,
       std::function<InsecureRegistries()> its_insecure, Clock& its_clock, Log& log,
       std::vector<std::string> certs_folders)
      : http(its_http),
        clock(its_clock),
        insecure(std::move(its_insecure)),
        lanes(its_http, log),
        surroundings{its_http,
                     lanes,
                     credentials,
                     registries,
                     [this]() -> const InsecureRegistries& { return insecure_once(); },
                     its_clock,
                     known,
                     std::move(certs_folders)},
        authorizer(its_clock) {}

  const InsecureRegistries& insecure_once() {
    if (!asked_insecure) {
      asked_insecure = insecure ? insecure() : InsecureRegistries{};
    }
    return *asked_insecure;
  }

  Result<Access*> access_to(const std::string& domain) {
    auto found = accesses.find(domain);
    if (found == accesses.end()) {
      found = accesses.emplace(domain, Access::open(domain, surroundings)).first;
    }
    if (!found->second) {
      return std::unexpected(found->second.error());
    }
    return found->second->get();
  }

  /// How a manifest is asked for.
  using Ask = void (*)(Access&, Authorizer&, const ImageReference&, ManifestRequest::Done);
  struct Question {
    ImageReference reference;
    ManifestRequest::Done done;
  };

  /// Where it is known who gives the tokens, these come first.
  void ask(Ask how, std::vector<Question> questions) {
    std::map<std::string, std::vector<Authorizer::Foreseen>> by_domain;
    for (Question& question : questions) {
      const Result<Access*> access = access_to(question.reference.domain());
      if (!access) {
        question.done(std::unexpected(with_context(access.error(), question.reference.familiar())));
        continue;
      }
      std::string repository = question.reference.path();
      by_domain[question.reference.domain()].push_back(
          {std::move(repository),
           [this, how, &access = **access, question = std::move(question)]() mutable {
             how(access, authorizer, question.reference, std::move(question.done));
           }});
    }
    for (auto& [domain, wanted] : by_domain) {
      authorizer.foresee(**access_to(domain), std::move(wanted));
    }
  }

  /// The question for a tag, unless it was asked and its answer not taken yet.
  std::optional<Question> question_for(const ImageReference& reference) {
    const auto [place, is_new] = answers.emplace(reference.str(), unanswered<RemoteImage>());
    if (!is_new) {
      return std::nullopt;
    }
    Result<RemoteImage>& answer = place->second;
    if (reference.digest()) {
      answer = fail(ErrorKind::bug, "{}: only a tag can be resolved", reference.familiar());
      return std::nullopt;
    }
    return Question{
        reference, [this, &answer, reference](Result<ManifestRequest::Answer> found) {
          answer = found ? Result<RemoteImage>(RemoteImage{reference, found->digest, clock.now()})
                         : std::unexpected(std::move(found.error()));
        }};
  }

  std::map<std::string, RegistryMemory> known;
  std::map<std::string, Result<RemoteImage>> answers;  // that resolve() has not given out yet
  Http& http;
  Clock& clock;
  std::function<InsecureRegistries()> insecure;
  std::optional<InsecureRegistries> asked_insecure;
  Lanes lanes;
  Surroundings surroundings;
  Authorizer authorizer;
  std::map<std::string, Result<std::unique_ptr<Access>>> accesses;
};

RemoteRegistry::RemoteRegistry(Http& http, CredentialStore& credentials,
                               const std::map<std::string, RegistrySettings>& registries,
                               std::function<InsecureRegistries()> insecure, Clock& clock, Log& log,
                               std::vector<std::string> certs_folders)
    : m_impl(std::make_unique<Impl>(http, credentials, registries, std::move(insecure), clock, log,
                                    std::move(certs_folders))) {}

RemoteRegistry::~RemoteRegistry() = default;

Result<void> check_certificate_files(const std::string& domain, const RegistrySettings& settings,
                                     const std::vector<std::string>& certs_folders) {
  const auto route = route_to(domain, &settings, certs_folders);
  return route ? Result<void>() : std::unexpected(route.error());
}

void RemoteRegistry::recall(std::map<std::string, RegistryMemory> known) {
  m_impl->known = std::move(known);
}

const std::map<std::string, RegistryMemory>& RemoteRegistry::known() const {
  return m_impl->known;
}

void RemoteRegistry::begin(const std::vector<ImageReference>& references) {
  std::vector<Impl::Question> questions;
  for (const ImageReference& reference : references) {
    if (std::optional<Impl::Question> question = m_impl->question_for(reference)) {
      questions.push_back(std::move(*question));
    }
  }
  m_impl->ask(&ManifestRequest::head, std::move(questions));
}

std::vector<Result<RemoteImage>> RemoteRegistry::resolve(
    const std::vector<ImageReference>& references) {
  begin(references);
  m_impl->http.run();
  const auto answers = std::exchange(m_impl->answers, {});
  std::vector<Result<RemoteImage>> results;
  for (const ImageReference& reference : references) {
    results.push_back(answers.at(reference.str()));
    if (results.back()) {
      results.back()->reference = reference;  // equal ones can differ in how they were written
    }
  }
  return results;
}

std::vector<Result<PlatformImage>> RemoteRegistry::look_into(
    const std::vector<PlatformQuestion>& questions) {
  PlatformLookup lookup([this](const ImageReference& reference, ManifestRequest::Done done) {
    std::vector<Impl::Question> one;
    one.push_back({reference, std::move(done)});
    m_impl->ask(&ManifestRequest::get, std::move(one));
  });
  std::vector<Result<PlatformImage>> results(questions.size(), unanswered<PlatformImage>());
  for (std::size_t i = 0; i < questions.size(); ++i) {
    lookup.ask(questions[i],
               [&result = results[i]](Result<PlatformImage> found) { result = std::move(found); });
  }
  m_impl->http.run();
  return results;
}

Result<std::optional<Credential>> RemoteRegistry::credential(const ImageReference& reference) {
  const Result<Access*> access = m_impl->access_to(reference.domain());
  if (!access) {
    return std::unexpected(access.error());
  }
  Result<Identity> identity = (*access)->identity(reference.path());
  if (!identity) {
    return std::unexpected(std::move(identity.error()));
  }
  if (identity->unusable && !(*access)->is_reached()) {
    return std::unexpected(std::move(*identity->unusable));
  }
  return std::move(identity->credential);
}

std::string RemoteRegistry::describe_access(const ImageReference& reference) {
  const Result<Access*> access = m_impl->access_to(reference.domain());
  if (!access) {
    return "no way";
  }
  const Result<Identity> identity = (*access)->identity(reference.path());
  const std::string_view how = words_for((*access)->transport());
  if (!identity) {
    return fmt::format("{}, without the credential of its section, which is unusable", how);
  }
  return identity->credential ? fmt::format("{} as {} from {}", how, identity->credential->who(),
                                            identity->credential->origin)
                              : fmt::format("{}, anonymous", how);
}

}  // namespace tallyman
