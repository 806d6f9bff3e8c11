#pragma once

#include <curl/curl.h>

#include <optional>
#include <string>
#include <string_view>

#include "io/curl_tls.hpp"
#include "io/proxy.hpp"
#include "tallyman/io/http.hpp"

namespace tallyman {

inline constexpr long k_proxy_login_wanted = 407;

/// A transfer that ended without an answer.
struct FailedTransfer {
  CURL* easy;
  const HttpRequest& request;
  const CurlTls& tls;
  const std::optional<Proxy>& proxy;
  bool connected = false;        ///< there was a connection to send the request on
  std::string_view detail = {};  ///< curl's error buffer
};

/// What curl said about it, with the names of all who were in it and with a remedy where one is
/// known.
[[nodiscard]] TransportError transport_error(CURLcode code, const FailedTransfer& failed);

/// The proxy answered `status` where it should have let us through to `target`.
[[nodiscard]] TransportError proxy_refusal(const Proxy& proxy, long status,
                                           const std::string& target);

/// "harbor.lan:443", the socket's path, or "(no valid URL)".
[[nodiscard]] std::string target_of(const HttpRequest& request);

}  // namespace tallyman
