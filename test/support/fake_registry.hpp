#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "support/values.hpp"
#include "tallyman/registry/registry.hpp"

namespace tallyman::test {

/// A Registry that answers from tables and records its questions; what is in no table is not there.
class FakeRegistry final : public Registry {
 public:
  explicit FakeRegistry(Calls& calls) : m_calls(calls) {}

  void has(std::string_view reference, char hex) {
    tags.insert_or_assign(ref(reference),
                          RemoteImage{ref(reference), digest(hex), at("2026-11-22T19:45:15Z")});
  }
  void fails(std::string_view reference, Error error) {
    tags.insert_or_assign(ref(reference), std::unexpected(std::move(error)));
  }
  /// What is behind a digest, whatever the platform.
  void holds(char hex, char manifest, char config) {
    insides.insert_or_assign(
        digest(hex), PlatformImage{digest(manifest), digest(config), {{digest(manifest), 1000}}});
  }
  void cannot_look_into(char hex, Error error) {
    insides.insert_or_assign(digest(hex), std::unexpected(std::move(error)));
  }

  void recall(std::map<std::string, RegistryMemory> known) override { said = std::move(known); }
  [[nodiscard]] const std::map<std::string, RegistryMemory>& known() const override { return said; }
  void begin(const std::vector<ImageReference>& references) override {
    for (const ImageReference& reference : references) {
      begun.push_back(reference.familiar());
    }
  }

  std::vector<Result<RemoteImage>> resolve(const std::vector<ImageReference>& references) override {
    std::vector<Result<RemoteImage>> answers;
    for (const ImageReference& reference : references) {
      m_calls.push_back("resolve " + reference.familiar());
      const auto found = tags.find(reference);
      answers.push_back(found != tags.end() ? found->second : nothing(reference.familiar()));
    }
    return answers;
  }

  std::vector<Result<PlatformImage>> look_into(
      const std::vector<PlatformQuestion>& questions) override {
    std::vector<Result<PlatformImage>> answers;
    for (const PlatformQuestion& question : questions) {
      m_calls.push_back("look into " + question.reference.at(question.digest).familiar() + " for " +
                        question.platform.str());
      const auto found = insides.find(question.digest);
      answers.push_back(found != insides.end() ? found->second : nothing(question.digest.str()));
    }
    return answers;
  }

  Result<std::optional<Credential>> credential(const ImageReference& reference) override {
    m_calls.push_back("credential " + reference.familiar());
    return who;
  }

  std::string describe_access(const ImageReference& /*reference*/) override {
    return "https, anonymous";
  }

  std::vector<std::string> begun;  ///< not among the calls: what matters is that it is asked later
  std::map<std::string, RegistryMemory> said;
  std::map<ImageReference, Result<RemoteImage>> tags;
  std::map<Digest, Result<PlatformImage>> insides;
  Result<std::optional<Credential>> who = std::nullopt;

 private:
  static std::unexpected<Error> nothing(const std::string& what) {
    return fail(ErrorKind::not_found, "{}: manifest unknown", what);
  }
  Calls& m_calls;
};

}  // namespace tallyman::test
