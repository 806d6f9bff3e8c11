#include "io/curl_errors.hpp"

#include <netdb.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "io/curl_url.hpp"
#include "io/errno_text.hpp"
#include "tallyman/io/log.hpp"

namespace tallyman {

namespace {

/// Everything that a message may be made of.
struct Circumstances {
  std::string target = {};  ///< host:port or the socket's path
  std::string host = {};    ///< without the port
  std::string detail = {};  ///< curl's words
  const CurlTls& tls;
  const std::optional<Proxy>& proxy;
  bool has_client_certificate = false;
  double seconds = 0;  ///< that it took
  long os_error = 0;
  long proxy_status = 0;  ///< of the answer to CONNECT
  bool unix_socket = false;
  bool connected = false;  ///< TCP and, where wanted, TLS
  bool answered = false;   ///< at least a status line
};

TransportError make(TransportFailure failure, ErrorKind kind, std::string message) {
  return {failure, {kind, std::move(message)}};
}

/// "error:0A00010B:SSL routines::wrong version number" -> "wrong version number"
std::string_view last_part(std::string_view detail) {
  const std::size_t colons = detail.rfind("::");
  return colons == std::string_view::npos ? detail : detail.substr(colons + 2);
}

/// "the proxy http://proxy.lan:3128 ($HTTPS_PROXY)"
std::string words_for(const Proxy& proxy) {
  return fmt::format("the proxy {} ({})", proxy.name, proxy.source);
}

TransportError proxy_error(ErrorKind kind, const Proxy& proxy, const std::string& target,
                           std::string_view what) {
  return {TransportFailure::proxy,
          {kind, fmt::format("{} {}, on the way to {}", words_for(proxy), what, target),
           fmt::format("correct {}; hosts that need no proxy belong into NO_PROXY, or get "
                       "proxy = \"none\" in their [registry] section",
                       proxy.source)}};
}

/// Is it the proxy that curl could not connect to?
/// "Failed to connect to proxy.lan port 3128 after 0 ms: Couldn't connect to server"
bool is_unreachable_proxy(const Circumstances& what) {
  if (!what.proxy) {
    return false;
  }
  std::string host = what.proxy->host;
  if (host.starts_with('[')) {
    host = host.substr(1, host.size() - 2);
  }
  const std::string start = fmt::format("Failed to connect to {} port {} ", host, what.proxy->port);
  return what.detail.starts_with(start);
}

constexpr const char* k_check_listening =
    "see that it runs, that this is its port, and that no firewall refuses this host";
constexpr const char* k_check_way =
    "see that it is up and that routes and firewalls let this host reach it; where only a proxy "
    "leads out, set HTTPS_PROXY for tallyman.service, or proxy in the [registry] section";

TransportError connect_error(const Circumstances& what) {
  const int number = static_cast<int>(what.os_error);
  if (what.unix_socket) {
    if (number == EACCES || number == EPERM) {
      return make(TransportFailure::denied, ErrorKind::denied,
                  fmt::format("no permission on {}", what.target));
    }
    const bool nobody = number == ENOENT || number == ENOTDIR || number == ECONNREFUSED;
    return make(TransportFailure::connect, ErrorKind::transient,
                nobody ? fmt::format("nothing listens on {}", what.target)
                       : fmt::format("cannot connect to {}: {}", what.target, what.detail));
  }
  if (is_unreachable_proxy(what)) {
    const std::string reason = number == ECONNREFUSED ? "refused the connection"
                               : number != 0
                                   ? fmt::format("cannot be connected to: {}", errno_text(number))
                                   : "cannot be connected to";
    return proxy_error(ErrorKind::transient, *what.proxy, what.target, reason);
  }
  TransportError error =
      make(TransportFailure::connect, ErrorKind::transient,
           number == ECONNREFUSED ? fmt::format("{} refused the connection", what.target)
           : number != 0 ? fmt::format("cannot connect to {}: {}", what.target, errno_text(number))
                         : fmt::format("cannot connect to {}: {}", what.target, what.detail));
  error.error.remedy = number == ECONNREFUSED ? k_check_listening : k_check_way;
  return error;
}

/// curl does not tell a name that nobody knows from name servers that do not answer. Asked again
/// only where the first time was quick: nothing else goes on meanwhile.
TransportError resolve_error(const Circumstances& what) {
  constexpr double k_quick = 1.0;
  int code = EAI_AGAIN;
  if (what.seconds < k_quick) {
    addrinfo* found = nullptr;
    code = getaddrinfo(what.host.c_str(), nullptr, nullptr, &found);
    if (code == 0) {
      freeaddrinfo(found);
      code = EAI_AGAIN;
    }
  }
  const bool unknown = code == EAI_NONAME || code == EAI_NODATA;
  TransportError error =
      make(TransportFailure::resolve, ErrorKind::transient,
           unknown ? fmt::format("cannot resolve {}: no such host", what.host)
                   : fmt::format("cannot resolve {}: the name servers do not answer as they should",
                                 what.host));
  error.error.remedy =
      unknown ? fmt::format(
                    "correct the name, or make it known to this host's name servers or "
                    "/etc/hosts; see: getent hosts {}",
                    what.host)
              : fmt::format("see /etc/resolv.conf, and: getent hosts {}", what.host);
  return error;
}

/// The other side wants to know who we are: an alert, or just the end of the connection.
std::optional<TransportError> client_certificate_error(const Circumstances& what) {
  const bool alert = what.detail.find(" alert ") != std::string::npos;
  if (what.tls.lacks_client_certificate() && !what.answered) {
    return make(TransportFailure::client_certificate, ErrorKind::tls,
                fmt::format("{} wants a client certificate, and there is none", what.target));
  }
  if (what.has_client_certificate && alert) {
    return make(TransportFailure::client_certificate, ErrorKind::tls,
                fmt::format("{} does not take our client certificate: {}", what.target,
                            last_part(what.detail)));
  }
  return std::nullopt;
}

TransportError tls_error(const Circumstances& what) {
  if (std::optional<TransportError> error = client_certificate_error(what)) {
    return std::move(*error);
  }
  const std::string_view reason = last_part(what.detail);
  for (const std::string_view sign :
       {"wrong version number", "http request", "packet length too long", "unknown protocol"}) {
    if (reason.find(sign) != std::string_view::npos) {
      return make(TransportFailure::tls, ErrorKind::tls,
                  fmt::format("no TLS on {}: {}", what.target, reason));
    }
  }
  // Closed or reset within it: it may be restarting, or speak something else.
  const bool hung_up = what.detail.find("SSL_connect: ") != std::string::npos ||
                       what.detail.find(" failure: ") != std::string::npos;
  return make(TransportFailure::tls, hung_up ? ErrorKind::transient : ErrorKind::tls,
              fmt::format("the TLS handshake with {} failed: {}", what.target, reason));
}

TransportError timeout_error(const Circumstances& what) {
  if (what.detail.starts_with("Resolving timed out")) {
    TransportError error = make(
        TransportFailure::resolve, ErrorKind::transient,
        fmt::format("cannot resolve {} in time", what.proxy ? words_for(*what.proxy) : what.host));
    error.error.remedy = "see /etc/resolv.conf: the name servers do not answer";
    return error;
  }
  if (!what.connected && what.proxy) {
    return proxy_error(ErrorKind::transient, *what.proxy, what.target,
                       "gave no connection in time");
  }
  if (!what.connected) {
    TransportError error = make(TransportFailure::connect, ErrorKind::transient,
                                fmt::format("no connection to {} in time", what.target));
    error.error.remedy = k_check_way;
    return error;
  }
  return make(TransportFailure::timeout, ErrorKind::transient,
              what.answered ? fmt::format("the answer of {} did not end in time", what.target)
                            : fmt::format("{} did not answer in time", what.target));
}

Circumstances circumstances_of(const FailedTransfer& failed) {
  Circumstances what{.tls = failed.tls, .proxy = failed.proxy};
  what.target = target_of(failed.request);
  what.host = what.target.substr(0, what.target.rfind(':'));
  what.detail = printable(failed.detail);
  what.unix_socket = !failed.request.unix_socket.empty();
  what.has_client_certificate = failed.request.route && !failed.request.route->client_cert.empty();
  what.connected = failed.connected;
  curl_easy_getinfo(failed.easy, CURLINFO_OS_ERRNO, &what.os_error);
  curl_easy_getinfo(failed.easy, CURLINFO_HTTP_CONNECTCODE, &what.proxy_status);
  curl_easy_getinfo(failed.easy, CURLINFO_TOTAL_TIME, &what.seconds);
  long status = 0;
  curl_easy_getinfo(failed.easy, CURLINFO_RESPONSE_CODE, &status);
  what.answered = status > 0;
  return what;
}

TransportError certificate_error(const Circumstances& what) {
  if (std::optional<Error> reason = what.tls.distrust(what.target)) {
    return {TransportFailure::certificate, std::move(*reason)};
  }
  return make(TransportFailure::certificate, ErrorKind::tls,
              fmt::format("the certificate of {} is not trusted: {}", what.target, what.detail));
}

TransportError other_error(CURLcode code, const Circumstances& what) {
  switch (code) {
    case CURLE_URL_MALFORMAT:
      return make(TransportFailure::other, ErrorKind::protocol,
                  "this is no URL to ask: " +
                      (what.detail.empty() ? std::string(curl_easy_strerror(code)) : what.detail));
    case CURLE_UNSUPPORTED_PROTOCOL:
      if (what.connected) {  // HTTP/0.9, that is: anything
        return make(TransportFailure::other, ErrorKind::protocol,
                    fmt::format("{} does not speak HTTP", what.target));
      }
      [[fallthrough]];
    case CURLE_LOGIN_DENIED:  // user:password@ within the URL
      return make(TransportFailure::other, ErrorKind::protocol,
                  fmt::format("will not ask {}: {}", what.target,
                              what.detail.empty() ? curl_easy_strerror(code) : what.detail));
    case CURLE_OUT_OF_MEMORY:
      if (what.connected) {  // so it calls a header line of more than 100 KiB
        return make(TransportFailure::too_large, ErrorKind::protocol,
                    fmt::format("{} answers with headers that are too long", what.target));
      }
      [[fallthrough]];
    case CURLE_FAILED_INIT:
    case CURLE_BAD_FUNCTION_ARGUMENT:
    case CURLE_UNKNOWN_OPTION:
    case CURLE_NOT_BUILT_IN:
      return make(TransportFailure::other, ErrorKind::bug,
                  fmt::format("cannot ask {}: {}", what.target, curl_easy_strerror(code)));
    case CURLE_WRITE_ERROR:  // ours say why; this one is an exception that was caught
      return make(TransportFailure::other, ErrorKind::bug,
                  fmt::format("the answer of {} could not be taken in", what.target));
    default:
      return make(TransportFailure::other, ErrorKind::protocol,
                  fmt::format("{} does not speak HTTP as it should: {}", what.target,
                              what.detail.empty() ? curl_easy_strerror(code) : what.detail));
  }
}

}  // namespace

std::string target_of(const HttpRequest& request) {
  if (!request.unix_socket.empty()) {
    return printable(request.unix_socket);
  }
  const CurlUrl url = parse_url(request.url);
  if (url == nullptr) {
    return "(no valid URL)";
  }
  return printable(fmt::format("{}:{}", url_part(url.get(), CURLUPART_HOST),
                               url_part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT)));
}

TransportError proxy_refusal(const Proxy& proxy, long status, const std::string& target) {
  if (status == k_proxy_login_wanted || status == 401) {  // tinyproxy says 401 to a wrong one
    TransportError error = proxy_error(
        ErrorKind::auth, proxy, target,
        fmt::format("{} ({})",
                    proxy.has_login ? "rejects our user name and password" : "wants a login",
                    status));
    error.error.remedy = fmt::format("{} user and password in {}: http://USER:PASSWORD@HOST:PORT",
                                     proxy.has_login ? "correct" : "put", proxy.source);
    return error;
  }
  if (status == 403 || status == 405) {
    TransportError error =
        proxy_error(ErrorKind::denied, proxy, target, fmt::format("refuses the way ({})", status));
    error.error.remedy = fmt::format(
        "have the proxy allow CONNECT to {}, or go past it: NO_PROXY, "
        "or proxy = \"none\" in the [registry] section",
        target);
    return error;
  }
  return proxy_error(ErrorKind::transient, proxy, target, fmt::format("answers {}", status));
}

TransportError transport_error(CURLcode code, const FailedTransfer& failed) {
  const Circumstances what = circumstances_of(failed);
  if (!what.connected && what.proxy && what.proxy_status >= 300) {
    return proxy_refusal(*what.proxy, what.proxy_status, what.target);
  }
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      if (what.unix_socket) {  // its path is too long for one
        return connect_error(what);
      }
      return resolve_error(what);
    case CURLE_COULDNT_RESOLVE_PROXY:
      if (what.proxy) {
        return proxy_error(ErrorKind::transient, *what.proxy, what.target, "cannot be resolved");
      }
      return other_error(code, what);
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
      return connect_error(what);
    case CURLE_PROXY:
      if (what.proxy) {
        return proxy_error(ErrorKind::transient, *what.proxy, what.target,
                           fmt::format("failed: {}", what.detail));
      }
      return other_error(code, what);
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
      return tls_error(what);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return certificate_error(what);
    case CURLE_OPERATION_TIMEDOUT:
      return timeout_error(what);
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      // With TLS 1.3 a server says only after the handshake that it wants a client certificate.
      if (what.detail.find(" alert ") != std::string::npos) {
        return tls_error(what);
      }
      if (what.detail.find("chunked-encoding") != std::string::npos) {
        return other_error(code, what);
      }
      [[fallthrough]];
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      if (std::optional<TransportError> error = client_certificate_error(what)) {
        return std::move(*error);
      }
      // The alert gets lost where the other side closes before it has read our request.
      return make(TransportFailure::cut, ErrorKind::transient,
                  fmt::format("{} ended the connection {}{}", what.target,
                              what.answered ? "within its answer" : "without an answer",
                              what.has_client_certificate && !what.answered
                                  ? "; maybe it does not take our client certificate"
                                  : ""));
    default:
      return other_error(code, what);
  }
}

}  // namespace tallyman
