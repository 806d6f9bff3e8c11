#include "io/curl_errors.hpp"

#include <cerrno>
#include <memory>
#include <string>

#include "io/errno_text.hpp"
#include "tallyman/io/log.hpp"

namespace tallyman {

namespace {

struct CurlUrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct CurlStringDeleter {
  void operator()(char* text) const { curl_free(text); }
};

std::string part_of(CURLU* url, CURLUPart part, unsigned flags) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) {
    return {};
  }
  return std::unique_ptr<char, CurlStringDeleter>(text).get();
}

/// Everything that a message may be made of.
struct Circumstances {
  std::string target;  ///< host:port or the socket's path
  std::string host;    ///< without the port
  std::string detail;  ///< curl's words
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

/// "proxy.lan:3128" if that is what curl could not connect to, else "".
/// "Failed to connect to proxy.lan port 3128 after 0 ms: Couldn't connect to server"
std::string unreachable_proxy(const Circumstances& what) {
  constexpr std::string_view k_start = "Failed to connect to ";
  constexpr std::string_view k_port = " port ";
  const std::string_view detail = what.detail;
  const std::size_t port = detail.find(k_port);
  if (!detail.starts_with(k_start) || port == std::string_view::npos) {
    return {};
  }
  const std::string_view host = detail.substr(k_start.size(), port - k_start.size());
  const std::string_view rest = detail.substr(port + k_port.size());
  const std::string there = fmt::format("{}:{}", host, rest.substr(0, rest.find(' ')));
  const bool direct = host == what.host || fmt::format("[{}]", host) == what.host;
  return direct ? std::string() : there;
}

/// Whom curl could not connect to.
std::string other_side(const Circumstances& what) {
  const std::string proxy = unreachable_proxy(what);
  return proxy.empty() ? what.target
                       : fmt::format("the proxy {} (on the way to {})", proxy, what.target);
}

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
  const std::string who = other_side(what);
  const std::string message = number == ECONNREFUSED ? fmt::format("{} refused the connection", who)
                              : number != 0
                                  ? fmt::format("cannot connect to {}: {}", who, errno_text(number))
                                  : fmt::format("cannot connect to {}: {}", who, what.detail);
  return make(TransportFailure::connect, ErrorKind::transient, message);
}

TransportError tls_error(const Circumstances& what) {
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
    return make(TransportFailure::resolve, ErrorKind::transient,
                fmt::format("cannot resolve {} in time", what.host));
  }
  if (!what.connected) {
    return make(TransportFailure::connect, ErrorKind::transient,
                fmt::format("no connection to {} in time", other_side(what)));
  }
  return make(TransportFailure::timeout, ErrorKind::transient,
              what.answered ? fmt::format("the answer of {} did not end in time", what.target)
                            : fmt::format("{} did not answer in time", what.target));
}

Circumstances circumstances_of(CURL* easy, const HttpRequest& request, bool connected,
                               std::string_view detail) {
  Circumstances what;
  what.target = target_of(request);
  what.host = what.target.substr(0, what.target.rfind(':'));
  what.detail = printable(detail);
  what.unix_socket = !request.unix_socket.empty();
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &what.os_error);
  curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &what.proxy_status);
  what.connected = connected;
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  what.answered = status > 0;
  return what;
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
  const std::unique_ptr<CURLU, CurlUrlDeleter> url(curl_url());
  if (url == nullptr ||
      curl_url_set(url.get(), CURLUPART_URL, request.url.c_str(), 0) != CURLUE_OK) {
    return "(no valid URL)";
  }
  return printable(fmt::format("{}:{}", part_of(url.get(), CURLUPART_HOST, 0),
                               part_of(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT)));
}

TransportError transport_error(CURLcode code, CURL* easy, const HttpRequest& request,
                               bool connected, std::string_view detail) {
  const Circumstances what = circumstances_of(easy, request, connected, detail);
  if (!what.connected && what.proxy_status >= 300) {
    return make(
        TransportFailure::connect, ErrorKind::transient,
        fmt::format("the proxy on the way to {} answered {}", what.target, what.proxy_status));
  }
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      if (what.unix_socket) {  // its path is too long for one
        return connect_error(what);
      }
      return make(TransportFailure::resolve, ErrorKind::transient, "cannot resolve " + what.host);
    case CURLE_COULDNT_RESOLVE_PROXY:
      return make(TransportFailure::resolve, ErrorKind::transient,
                  fmt::format("cannot resolve the proxy on the way to {}", what.target));
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
      return connect_error(what);
    case CURLE_PROXY:
      return make(TransportFailure::connect, ErrorKind::transient,
                  fmt::format("the proxy on the way to {} failed: {}", what.target, what.detail));
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
      return tls_error(what);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return make(
          TransportFailure::certificate, ErrorKind::tls,
          fmt::format("the certificate of {} is not trusted: {}", what.target, what.detail));
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
      return make(TransportFailure::cut, ErrorKind::transient,
                  fmt::format("{} ended the connection {}", what.target,
                              what.answered ? "within its answer" : "without an answer"));
    default:
      return other_error(code, what);
  }
}

}  // namespace tallyman
