#pragma once

#include <optional>
#include <string>

#include "tallyman/io/http.hpp"

namespace tallyman {

/// The proxy that a request goes through.
struct Proxy {
  std::string url = {};     ///< for curl: with user and password, and always with a port
  std::string name = {};    ///< for people: "http://proxy.lan:3128"
  std::string host = {};    ///< "proxy.lan", "[::1]"
  std::string port = {};    ///< "3128"
  std::string source = {};  ///< "$HTTPS_PROXY", `proxy of [registry."harbor.lan"]`
  bool has_login = false;
};

/// What the request's route says, else the variables, as docker reads them: http_proxy or
/// https_proxy, then all_proxy, each in lower case first; none for hosts of no_proxy, for loopback
/// and for unix sockets. A proxy without a scheme is http, one without a port is on its scheme's.
[[nodiscard]] std::optional<Proxy> proxy_for(const HttpRequest& request);

/// `list`: no_proxy. "*", "harbor.lan" and ".harbor.lan" (both with all names below), "*.lan",
/// "10.0.0.5", "10.0.0.0/8", each maybe with a port. `host`: of a URL, an IPv6 address in brackets.
[[nodiscard]] bool is_exempt(std::string_view list, std::string_view host, std::string_view port);

}  // namespace tallyman
