#pragma once

#include "registry/access.hpp"
#include "registry/authorization.hpp"
#include "registry/url.hpp"
#include "tallyman/io/http.hpp"
#include "tallyman/model/digest.hpp"
#include "tallyman/model/error.hpp"
#include "tallyman/model/image_reference.hpp"
#include "tallyman/model/manifest.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace tallyman {

/// One question for a manifest (distribution-spec, "Pulling manifests"), with everything that can
/// come between it and its answer: a challenge, redirects, a registry that refuses HEAD. Lives in
/// the callbacks of its requests.
class ManifestRequest : public std::enable_shared_from_this<ManifestRequest> {
 public:
  struct Answer {
    Digest digest;
    std::optional<Manifest> manifest = std::nullopt;  ///< there after a GET
  };
  using Done = std::move_only_function<void(Result<Answer>)>;

  /// The digest of reference.tag(): by HEAD; by GET, over the bytes, where HEAD does not tell.
  static void head(Access& access, Authorizer& authorizer, const ImageReference& reference,
                   Done done);
  /// The manifest reference.digest(): its bytes are checked against that.
  static void get(Access& access, Authorizer& authorizer, const ImageReference& reference,
                  Done done);

  ManifestRequest(Access& access, Authorizer& authorizer, const ImageReference& reference,
                  std::string method, Done done);

 private:
  void ask();
  void send();
  [[nodiscard]] HttpRequest request_for(const Url& url);
  void on_result(HttpResult result);
  void follow(const HttpResponse& response);
  void answer_challenge(const HttpResponse& response);
  void ask_without_token();
  void note_if_shared();
  void accept(const HttpResponse& response);
  [[nodiscard]] Result<Answer> verified(const HttpResponse& response) const;
  [[nodiscard]] Error error_of(const HttpResponse& response) const;
  [[nodiscard]] Error refusal(const HttpResponse& response) const;
  [[nodiscard]] Secret sent() const;
  void finish(Result<Answer> answer);

  Access& m_access;
  Authorizer& m_authorizer;
  ImageReference m_reference;
  std::string m_method;
  Done m_done;
  std::optional<Url> m_url;                              // where it was sent to last
  std::shared_ptr<const Authorization> m_authorization;  // for the origin of m_url
  Secret m_rejected;               // what this origin did not take, and did not say why
  bool m_has_answered = false;     // a challenge of m_url
  bool m_rejected_shared = false;  // a token for several repositories did not open this one
  int m_hops = 0;
};

}  // namespace tallyman
