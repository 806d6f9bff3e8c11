#pragma once

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "io/curl_tls.hpp"
#include "io/proxy.hpp"
#include "tallyman/io/http.hpp"

namespace tallyman {

struct CurlEasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using CurlEasy = std::unique_ptr<CURL, CurlEasyDeleter>;

struct CurlListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlList = std::unique_ptr<curl_slist, CurlListDeleter>;

/// One request on one easy handle, from its options to its result. Stays where it is: curl holds
/// pointers into it.
class CurlTransfer {
 public:
  /// `place`: CurlQueue::place_of the request.
  CurlTransfer(CurlEasy easy, HttpRequest request, std::string place, Http::Done done);
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  /// The one place that sets options. On failure there is a result already.
  [[nodiscard]] std::optional<TransportError> prepare(const std::string& user_agent);

  [[nodiscard]] CURL* easy() const { return m_easy.get(); }
  [[nodiscard]] const HttpRequest& request() const { return m_request; }
  /// There was a connection to send the request on.
  [[nodiscard]] bool connected() const { return m_connected; }
  /// That connection takes many requests at once: HTTP/2, as the TLS handshake said.
  [[nodiscard]] bool multiplexed() const { return m_multiplexed; }
  /// True once: the connection is there, and nobody was told.
  [[nodiscard]] bool take_news_of_connection() {
    return m_connected && !std::exchange(m_connection_told, true);
  }
  [[nodiscard]] const std::string& place() const { return m_place; }
  [[nodiscard]] HttpResult result(CURLcode code);
  /// From its start until now, or until it was over.
  [[nodiscard]] std::chrono::microseconds duration() const;
  /// Who waits for the result.
  [[nodiscard]] Http::Done take_done() { return std::move(m_done); }

 private:
  template <class Value>
  void set(CURLoption option, Value value);
  void set_target();
  void set_proxy();
  void set_method();
  void set_limits();
  void set_callbacks();
  void set_headers();
  bool take_header(std::string_view line);
  bool take_body(std::string_view bytes);
  [[nodiscard]] TransportError failure(CURLcode code) const;
  bool end_early(TransportFailure failure, ErrorKind kind, std::string message);
  static int on_connected(void* self, char*, char*, int, int);
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);

  CurlEasy m_easy;
  HttpRequest m_request;
  std::string m_place;
  Http::Done m_done;
  std::string m_target;
  std::optional<Proxy> m_proxy;
  CurlTls m_tls;
  CurlList m_headers;
  CURLcode m_option_error = CURLE_OK;
  HttpResponse m_response;
  std::size_t m_header_bytes = 0;
  bool m_head_ended = false;
  bool m_connected = false;
  bool m_multiplexed = false;
  bool m_connection_told = false;
  std::optional<TransportError> m_ended;  ///< by us, whatever curl calls it
  std::array<char, CURL_ERROR_SIZE> m_detail{};
};

}  // namespace tallyman
