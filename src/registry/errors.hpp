#pragma once

#include "registry/identity.hpp"
#include "tallyman/io/http.hpp"
#include "tallyman/model/error.hpp"
#include "tallyman/model/secret.hpp"

#include <optional>
#include <string>
#include <string_view>

// What went wrong, in the words of an operator. Nobody names the image here: the request does.
namespace tallyman {

/// `404`, or `404: "manifest unknown"` with the other side's own words, printable and cut to 200
/// characters. Words that repeat what went with the request as `sent` are left out.
[[nodiscard]] std::string status_text(const HttpResponse& response, const Secret& sent);

/// A registry or its token server wants a login that we do not have or do not send.
[[nodiscard]] Error login_needed(const Identity& identity, std::string_view host,
                                 std::string_view status);
/// A token server does not take the credential, not even for what is public.
[[nodiscard]] Error token_refused(const Identity& identity, std::string_view host,
                                  std::string_view status);
/// A token server knows identity tokens in no way.
[[nodiscard]] Error identity_token_unusable(const Identity& identity, std::string_view host,
                                            std::string_view status);
/// The credential itself is not taken.
[[nodiscard]] Error credential_rejected(const Identity& identity, std::string_view host,
                                        std::string_view status);
/// The credential gave us a token, which does not open this repository: `response`.
[[nodiscard]] Error no_right(const Identity& identity, std::string_view host,
                             std::string_view repository, const HttpResponse& response,
                             const Secret& sent);
/// nginx, where it asks for a client certificate after the handshake and gets none, or a wrong one.
/// No remedy: Access knows whether there is one.
[[nodiscard]] std::optional<Error> client_certificate_refused(std::string_view host,
                                                              const HttpResponse& response);
/// Any other answer that is of no use: 404, 412, 429, 5xx, and what nobody expects.
[[nodiscard]] Error bad_answer(std::string_view host, std::string_view what,
                               const HttpResponse& response, const Secret& sent);

}  // namespace tallyman
