#include "registry/redirect.hpp"

#include <optional>

#include "registry/address.hpp"

namespace tallyman {
namespace {

/// A registry in the internet has no business with the addresses of this network. One within it
/// has: Harbor and Gitea name their token server by whatever external URL their operator gave.
bool may_name(const Challenger& asked, const std::string& host) {
  const bool from_here = is_loopback(asked.url.host) || is_loopback(asked.peer);
  const bool from_near = is_private(asked.url.host) || is_private(asked.peer);
  if (is_loopback(host)) {
    return from_here;
  }
  return !is_link_local(host) && (!is_private(host) || from_here || from_near);
}

}  // namespace

bool is_redirect(const HttpResponse& response) {
  switch (response.status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
      return true;
    default:
      return false;
  }
}

Result<Url> redirect_target(const Url& from, const HttpResponse& response, int hops) {
  if (hops > k_max_redirects) {
    return fail(ErrorKind::protocol, "{} redirects more than {} times", from.authority(),
                k_max_redirects);
  }
  const std::optional<Url> target = from.resolve(response.header("location"));
  if (!target) {
    return fail(ErrorKind::protocol, "{} redirects ({}) to something that is no http or https URL",
                from.authority(), response.status);
  }
  if (from.scheme == "https" && target->scheme == "http") {
    return fail(ErrorKind::protocol, "{} redirects from https to http, to {}: not followed",
                from.authority(), target->authority());
  }
  // Link-local is where clouds keep their metadata: nobody is sent there.
  const bool is_near =
      (is_loopback(target->host) && !is_loopback(from.host)) || is_link_local(target->host);
  if (is_near && target->host != from.host) {
    return fail(ErrorKind::protocol, "{} redirects to {}, an address of this host: not followed",
                from.authority(), target->authority());
  }
  return *target;
}

Result<Url> realm_of(const Challenger& asked, std::string_view realm) {
  const std::optional<Url> url = asked.url.resolve(realm);
  if (!url) {
    return fail(ErrorKind::protocol, "{} names a token server that is no http or https URL",
                asked.url.authority());
  }
  if (const Result<void> good = check_realm(asked, *url); !good) {
    return std::unexpected(good.error());
  }
  return *url;
}

Result<void> check_realm(const Challenger& asked, const Url& realm) {
  if (same_origin(asked.url, realm)) {
    return {};
  }
  if (realm.scheme != "https") {
    return std::unexpected(
        Error{ErrorKind::protocol,
              fmt::format("{} names a token server without encryption, {}: nothing is sent there",
                          asked.url.origin(), realm.origin()),
              fmt::format("set the external URL in the configuration of {} to https",
                          asked.url.authority())});
  }
  if (realm.host != asked.url.host && !may_name(asked, realm.host)) {
    return std::unexpected(
        Error{ErrorKind::protocol,
              fmt::format("{} names a token server at {}, an address of this host or of a private "
                          "network: nothing is sent there",
                          asked.url.origin(), realm.authority()),
              fmt::format("let {} name its token server by a host name", asked.url.authority())});
  }
  return {};
}

}  // namespace tallyman
