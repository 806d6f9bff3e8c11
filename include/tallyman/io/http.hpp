#pragma once

#include "tallyman/model/error.hpp"
#include "tallyman/model/secret.hpp"

#include <chrono>
#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tallyman {

/// What it takes to reach a host beyond this system's own roots and proxy variables. Read once,
/// shared by all requests that go that way: connections are shared by those of equal routes only.
struct HttpRoute {
  std::string roots = {};        ///< PEM, checked: trusted beside the system's roots
  std::string client_cert = {};  ///< PEM, checked, with its chain; empty: none
  Secret client_key = {};        ///< PEM, not encrypted; of client_cert
  /// A URL (http, https, socks5, socks5h), maybe with user and password; "": none at all; nothing:
  /// as http_proxy, https_proxy, all_proxy and no_proxy say, in lower or upper case.
  std::optional<std::string> proxy = std::nullopt;
  std::string proxy_source = {};  ///< where that stands, for messages
};

struct HttpRequest {
  std::string method = "GET";  ///< HEAD, GET, POST, DELETE
  std::string url = {};  ///< http:// or https://; over a unix socket the host part is only a name
  std::string unix_socket = {};  ///< path; empty: TCP
  std::vector<std::pair<std::string, std::string>> headers =
      {};                  ///< may hold secrets: never logged
  std::string body = {};   ///< of a POST
  bool verify_tls = true;  ///< false: any certificate will do (then send nothing secret)
  std::shared_ptr<const HttpRoute> route = {};  ///< nothing: the system's roots and proxies
  std::size_t max_body =
      std::size_t{4} * 1024 * 1024;  ///< bytes; a longer body is TransportFailure::too_large
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);
  std::chrono::milliseconds timeout = std::chrono::seconds(30);  ///< of the whole transfer; 0: none
  std::chrono::seconds stall_timeout = std::chrono::seconds(30);  ///< without a byte; 0: none
  std::chrono::milliseconds delay = {};  ///< before it is sent; no time-out counts it
  /// Called from within run(), once, as soon as there is a connection to send the request on (with
  /// https the handshake went well); not at all where there never is one. May send() more.
  std::function<void()> on_connected = {};
  /// If set, gets the body in pieces as it arrives (only of a 2xx answer; other bodies are
  /// collected) and HttpResponse::body stays empty; max_body does not count. Returning false ends
  /// the transfer as cancelled.
  std::function<bool(std::string_view)> on_body = {};
};

struct HttpResponse {
  long status = 0;
  std::vector<std::pair<std::string, std::string>> headers =
      {};  ///< of the final answer; names in lower case
  std::string body = {};
  std::string peer = {};  ///< IP address that answered; empty through a proxy or a unix socket

  [[nodiscard]] std::string_view header(
      std::string_view lower_case_name) const;  ///< the first, or ""
  [[nodiscard]] std::vector<std::string> header_values(std::string_view lower_case_name) const;
};

/// Why there is no answer at all. Decides whether another transport is worth a try.
enum class TransportFailure {
  resolve,             ///< no such host
  connect,             ///< refused, unreachable, or no connection in time
  tls,                 ///< the handshake failed: the other side does not speak TLS, or not with us
  certificate,         ///< the handshake went well, but the certificate is not trusted
  client_certificate,  ///< the other side wants one of us that we do not have, or does not take it
  proxy,               ///< the proxy on the way: no such host, no connection, or it refuses
  timeout,             ///< connected, but too slow
  cut,                 ///< the connection ended within the answer
  too_large,
  cancelled,
  denied,  ///< no permission on the unix socket
  other,
};

/// Would the next request to the same place end in the same way, whatever it asks for? An answer
/// that ended too early or is too long says nothing about the next one.
[[nodiscard]] bool concerns_place(TransportFailure failure);

struct TransportError {
  TransportFailure failure = TransportFailure::other;
  Error error;  ///< message without the URL's query; names the host
};

using HttpResult = std::expected<HttpResponse, TransportError>;

/// The seam to everything that speaks HTTP. Redirects are answers, never followed; no cookies, no
/// netrc. Not thread-safe. An answer of any status is a value.
class Http {
 public:
  using Done = std::move_only_function<void(HttpResult)>;

  Http() = default;
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;
  virtual ~Http() = default;

  /// Queues a request. `done` is called exactly once, from within run(), and may send() more.
  virtual void send(HttpRequest request, Done done) = 0;
  /// For what goes on beside the requests (a child process): `ready` is called once, from within
  /// run(), as soon as `fd` can be read; until then it must stay open. A stop does not end it.
  virtual void watch(int fd, std::move_only_function<void()> ready) = 0;
  /// Works until nothing is under way any more. All requests go side by side.
  virtual void run() = 0;

  /// send() and run(), for one.
  [[nodiscard]] HttpResult fetch(HttpRequest request);
};

}  // namespace tallyman
