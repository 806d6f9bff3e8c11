#pragma once

#include "registry/access.hpp"
#include "registry/identity.hpp"
#include "registry/redirect.hpp"
#include "registry/url.hpp"
#include "tallyman/model/error.hpp"
#include "tallyman/model/secret.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tallyman {

/// A bearer token as its server gave it.
struct Token {
  Secret value;
  std::chrono::seconds lifetime{0};  ///< at least 55 s
};

/// distribution/docs/content/spec/auth/token.md. ErrorKind::protocol for anything without a token
/// that can go into a header; `host` is for messages.
[[nodiscard]] Result<Token> parse_token(std::string_view body, std::string_view host);

/// "Basic …"
[[nodiscard]] Secret basic_header(const Credential& credential);

/// What is asked for of a repository where the registry does not say.
[[nodiscard]] std::string usual_scope(const std::string& repository);

struct TokenQuestion {
  Challenger asked;  ///< who issued the challenge
  Url realm;         ///< as realm_of() accepted it
  std::string service;
  std::vector<std::string> scopes;
  Identity identity;
};

/// GET realm?service=…&scope=…, as the identity's credential if there is one. An identity token is
/// POSTed (distribution/docs/content/spec/auth/oauth.md); where that is answered with 404, 405 or
/// 501, and a username is known, it is the password of a GET. Redirects are followed under the
/// rules for realms; the credential stays with the realm's origin, and a POST with the realm.
void request_token(Access& access, const TokenQuestion& question,
                   std::move_only_function<void(Result<Token>)> done);

}  // namespace tallyman
