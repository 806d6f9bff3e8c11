#include "registry/url.hpp"

#include "fuzz/fuzz.hpp"
#include "registry/address.hpp"
#include "registry/redirect.hpp"

namespace tallyman {
namespace {

void check_url(const Url& url) {
  HOLDS(url.scheme == "http" || url.scheme == "https");
  HOLDS(url.port != 0 && !url.host.empty());
  HOLDS(url.path.starts_with('/'));
  HOLDS(url.str().find_first_of("@\\ \t\r\n") >= url.origin().size());
  const auto again = Url::parse(url.str());
  HOLDS(again && again->str() == url.str() && same_origin(*again, url));
  HOLDS(again->path == url.path && again->query == url.query);
  const auto origin = Url::parse(url.origin());
  HOLDS(origin && same_origin(*origin, url));
}

void check_redirect(const Url& from, std::string_view location) {
  const HttpResponse answer{.status = 307, .headers = {{"location", std::string(location)}}};
  const auto target = redirect_target(from, answer, 1);
  HOLDS(!redirect_target(from, answer, k_max_redirects + 1));
  if (!target) {
    HOLDS(target.error().kind == ErrorKind::protocol);
    HOLDS(fuzz::is_one_printable_line(target.error().message));
    return;
  }
  check_url(*target);
  HOLDS(from.scheme == "http" || target->scheme == "https");
  HOLDS(!is_loopback(target->host) || is_loopback(from.host) || target->host == from.host);
}

void check_realm_of(const Url& asked, std::string_view text) {
  const auto realm = realm_of(Challenger{asked}, text);
  if (!realm) {
    HOLDS(realm.error().kind == ErrorKind::protocol);
    HOLDS(fuzz::is_one_printable_line(realm.error().message));
    return;
  }
  check_url(*realm);
  HOLDS(same_origin(asked, *realm) || realm->scheme == "https");
  const bool from_here = asked.host == realm->host || is_loopback(asked.host);
  HOLDS(from_here || !is_loopback(realm->host));
  HOLDS(from_here || is_private(asked.host) || !is_private(realm->host));
}

}  // namespace

// Where we are on the first line, where that sends us on the second.
FUZZ_TARGET(url) {
  const auto from = Url::parse(fuzz::take_line(input));
  if (!from) {
    return;
  }
  check_url(*from);
  if (const auto resolved = from->resolve(input)) {
    check_url(*resolved);
  }
  check_redirect(*from, input);
  check_realm_of(*from, input);
}

}  // namespace tallyman
