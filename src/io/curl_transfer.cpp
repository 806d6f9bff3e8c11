#include "io/curl_transfer.hpp"

#include <openssl/ssl.h>

#include <algorithm>
#include <utility>

#include "io/curl_errors.hpp"

namespace tallyman {

namespace {

constexpr std::size_t k_max_header_bytes = 64 * 1024;
constexpr long k_first_final_status = 200;
constexpr long k_buffer_bytes = 4096;

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return lower;
}

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view k_white_space = " \t\r\n";
  const std::size_t first = text.find_first_not_of(k_white_space);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(k_white_space) - first + 1);
}

/// What ALPN agreed on: known before any answer is.
bool is_http2(CURL* easy) {
  const curl_tlssessioninfo* session = nullptr;
  if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK || session == nullptr ||
      session->backend != CURLSSLBACKEND_OPENSSL || session->internals == nullptr) {
    return false;
  }
  const unsigned char* protocol = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(static_cast<const SSL*>(session->internals), &protocol, &length);
  return length == 2 && protocol[0] == 'h' && protocol[1] == '2';
}

bool append(CurlList& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) {
    return false;
  }
  static_cast<void>(list.release());  // the new head owns what was there
  list.reset(longer);
  return true;
}

/// A line break in a value, say in a token that a registry gave us, would be a header of its own.
std::optional<TransportError> refusal(const HttpRequest& request) {
  const auto refuse = [&request](std::string_view what) {
    return TransportError{
        TransportFailure::other,
        {ErrorKind::protocol,
         fmt::format("a control character in {} of a request to {}", what, target_of(request))}};
  };
  if (has_control_character(request.method) || has_control_character(request.url)) {
    return refuse("the method or URL");
  }
  for (const auto& [name, value] : request.headers) {
    if (name.empty() || has_control_character(name) || has_control_character(value)) {
      return refuse("a header");
    }
  }
  return std::nullopt;
}

}  // namespace

CurlTransfer::CurlTransfer(CurlEasy easy, HttpRequest request, std::string place, Http::Done done)
    : m_easy(std::move(easy)),
      m_request(std::move(request)),
      m_place(std::move(place)),
      m_done(std::move(done)) {}

template <class Value>
void CurlTransfer::set(CURLoption option, Value value) {
  if (m_option_error == CURLE_OK) {
    m_option_error = curl_easy_setopt(m_easy.get(), option, value);
  }
}

std::optional<TransportError> CurlTransfer::prepare(const std::string& user_agent) {
  if (std::optional<TransportError> refused = refusal(m_request)) {
    return refused;
  }
  m_target = target_of(m_request);
  set(CURLOPT_ERRORBUFFER, m_detail.data());
  set(CURLOPT_NOSIGNAL, 1L);
  // Without it, ending a transfer waits for its resolver thread, and all others with it.
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_USERAGENT, user_agent.c_str());
  set_target();
  set_proxy();
  set_method();
  set_limits();
  set_callbacks();
  set_headers();
  if (m_option_error != CURLE_OK) {
    return failure(m_option_error);
  }
  return std::nullopt;
}

void CurlTransfer::set_target() {
  set(CURLOPT_URL, m_request.url.c_str());
  if (m_request.unix_socket.empty()) {
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    // Only TLS tells before the first answer whether a connection can take more than one request.
    const bool is_tls = m_request.url.starts_with("https:");
    set(CURLOPT_PIPEWAIT, is_tls ? 1L : 0L);
    if (is_tls && m_option_error == CURLE_OK) {
      m_option_error = m_tls.prepare(m_easy.get(), m_request);
    }
    return;
  }
  set(CURLOPT_UNIX_SOCKET_PATH, m_request.unix_socket.c_str());
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
}

/// curl's own look at the environment knows less, and does not tell what it found.
void CurlTransfer::set_proxy() {
  m_proxy = proxy_for(m_request);
  set(CURLOPT_PROXY, m_proxy ? m_proxy->url.c_str() : "");
  set(CURLOPT_NOPROXY, "");
}

void CurlTransfer::set_method() {
  const std::string& method = m_request.method;
  if (method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
    return;
  }
  if (method == "POST" || !m_request.body.empty()) {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(m_request.body.size()));
    set(CURLOPT_POSTFIELDS, m_request.body.c_str());
  } else {
    set(CURLOPT_HTTPGET, 1L);
  }
  if (method != "GET" && method != "POST") {
    set(CURLOPT_CUSTOMREQUEST, method.c_str());
  }
}

void CurlTransfer::set_limits() {
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(m_request.connect_timeout.count()));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(m_request.timeout.count()));
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(m_request.stall_timeout.count()));
  if (m_request.unix_socket.empty()) {  // hundreds at a time, and what comes is short
    set(CURLOPT_BUFFERSIZE, k_buffer_bytes);
  }
}

void CurlTransfer::set_callbacks() {
  set(CURLOPT_PREREQFUNCTION, &CurlTransfer::on_connected);
  set(CURLOPT_PREREQDATA, static_cast<void*>(this));
  set(CURLOPT_HEADERFUNCTION, &CurlTransfer::on_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &CurlTransfer::on_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
}

void CurlTransfer::set_headers() {
  bool good = append(m_headers, "Expect:");  // no second round trip for a body
  bool has_type = false;
  for (const auto& [name, value] : m_request.headers) {
    // "Name:" would mean to curl that the header is not sent at all.
    good = good && append(m_headers, value.empty() ? name + ";" : name + ": " + value);
    has_type = has_type || lower_case(name) == "content-type";
  }
  if (!has_type) {  // curl's own guess would be a form
    good = good && append(m_headers, "Content-Type:");
  }
  if (!good) {
    m_option_error = CURLE_OUT_OF_MEMORY;
  }
  set(CURLOPT_HTTPHEADER, m_headers.get());
}

bool CurlTransfer::end_early(TransportFailure failure, ErrorKind kind, std::string message) {
  m_ended = TransportError{failure, {kind, std::move(message)}};
  return false;
}

bool CurlTransfer::take_header(std::string_view line) {
  if (line.starts_with("HTTP/")) {  // an interim answer such as "100 Continue" went before
    m_response.headers.clear();
    m_head_ended = false;
  } else if (without_blanks(line).empty()) {
    m_head_ended = true;
  }
  m_header_bytes += line.size();  // of interim answers too: they could go on for ever
  if (m_header_bytes > k_max_header_bytes) {
    return end_early(TransportFailure::too_large, ErrorKind::protocol,
                     fmt::format("{} answers with more than {} KiB of headers", m_target,
                                 k_max_header_bytes / 1024));
  }
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos && !line.starts_with("HTTP/")) {
    m_response.headers.emplace_back(lower_case(without_blanks(line.substr(0, colon))),
                                    without_blanks(line.substr(colon + 1)));
  }
  return true;
}

bool CurlTransfer::take_body(std::string_view bytes) {
  long status = 0;
  curl_easy_getinfo(m_easy.get(), CURLINFO_RESPONSE_CODE, &status);
  if (m_request.on_body && status >= 200 && status < 300) {
    return m_request.on_body(bytes) ||
           end_early(TransportFailure::cancelled, ErrorKind::cancelled,
                     fmt::format("the answer of {} was not wanted to its end", m_target));
  }
  if (bytes.size() > m_request.max_body - m_response.body.size()) {
    return end_early(
        TransportFailure::too_large, ErrorKind::protocol,
        fmt::format("{} answers with more than {} bytes", m_target, m_request.max_body));
  }
  m_response.body += bytes;
  return true;
}

int CurlTransfer::on_connected(void* self, char*, char*, int, int) {
  auto* transfer = static_cast<CurlTransfer*>(self);
  transfer->m_connected = true;
  transfer->m_multiplexed = is_http2(transfer->easy());
  return CURL_PREREQFUNC_OK;
}

std::size_t CurlTransfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto* transfer = static_cast<CurlTransfer*>(self);
  try {
    return transfer->take_header({data, size * count}) ? size * count : 0;
  } catch (...) {
    return 0;  // out of memory: ends as a write error
  }
}

std::size_t CurlTransfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto* transfer = static_cast<CurlTransfer*>(self);
  try {
    return transfer->take_body({data, size * count}) ? size * count : CURL_WRITEFUNC_ERROR;
  } catch (...) {
    return CURL_WRITEFUNC_ERROR;  // no exception may cross a C library
  }
}

std::chrono::microseconds CurlTransfer::duration() const {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(m_easy.get(), CURLINFO_TOTAL_TIME_T, &microseconds);
  return std::chrono::microseconds(microseconds);
}

HttpResult CurlTransfer::result(CURLcode code) {
  if (m_ended) {
    return std::unexpected(std::move(*m_ended));
  }
  if (code != CURLE_OK) {
    return std::unexpected(failure(code));
  }
  curl_easy_getinfo(m_easy.get(), CURLINFO_RESPONSE_CODE, &m_response.status);
  // To curl a connection that ends within the head, or after an interim answer, ends the answer.
  if (!m_head_ended || m_response.status < k_first_final_status) {
    return std::unexpected(failure(CURLE_PARTIAL_FILE));
  }
  if (m_proxy && m_response.status == k_proxy_login_wanted) {  // without a tunnel it comes this way
    return std::unexpected(proxy_refusal(*m_proxy, m_response.status, m_target));
  }
  const char* peer = nullptr;
  if (!m_proxy && m_request.unix_socket.empty() &&
      curl_easy_getinfo(m_easy.get(), CURLINFO_PRIMARY_IP, &peer) == CURLE_OK && peer != nullptr) {
    m_response.peer = peer;
  }
  return std::move(m_response);
}

TransportError CurlTransfer::failure(CURLcode code) const {
  return transport_error(code, {.easy = m_easy.get(),
                                .request = m_request,
                                .tls = m_tls,
                                .proxy = m_proxy,
                                .connected = m_connected,
                                .detail = m_detail.data()});
}

}  // namespace tallyman
