#pragma once

#include "registry/url.hpp"
#include "tallyman/io/http.hpp"
#include "tallyman/model/error.hpp"

#include <string>
#include <string_view>

namespace tallyman {

inline constexpr int k_max_redirects = 5;

[[nodiscard]] bool is_redirect(const HttpResponse& response);

/// Where an answer of `from` sends us. ErrorKind::protocol where we do not go: no usable Location,
/// from https to http, to an address of this host or link (a registry elsewhere has no business
/// there), or the `hops`th time if that is too often. Who goes to another origin leaves every
/// credential behind.
[[nodiscard]] Result<Url> redirect_target(const Url& from, const HttpResponse& response, int hops);

/// Who named a token server.
struct Challenger {
  Url url;
  std::string peer = {};  ///< its IP address; empty: not known, as behind a proxy
};

/// The token server that a challenge names. ErrorKind::protocol where nothing is sent to: http,
/// except of the very registry that is spoken to over http; addresses of this host or link, except
/// the registry's own or where the registry is on this host itself; addresses of a private network,
/// except where the registry is in one itself, by its name or by where its name led to.
[[nodiscard]] Result<Url> realm_of(const Challenger& asked, std::string_view realm);
/// The same for a redirect of such a server.
[[nodiscard]] Result<void> check_realm(const Challenger& asked, const Url& realm);

}  // namespace tallyman
