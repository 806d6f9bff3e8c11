#include "tallyman/io/tcp.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string_view>

#include "io/errno_text.hpp"
#include "tallyman/model/time.hpp"

namespace tallyman {

namespace {

using std::chrono::milliseconds;

struct CurlDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};

constexpr milliseconds k_longest = std::chrono::hours(1);

/// Without a port curl would take that of its protocol, and "host:80/x" or "user@host:80" would
/// reach something, too.
bool is_address(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  return colon != std::string_view::npos && colon > 0 && colon + 1 < address.size() &&
         address.find_first_not_of("0123456789", colon + 1) == std::string_view::npos &&
         address.find_first_of("/@?#\\ ") == std::string_view::npos;
}

std::string reason_of(CURL* easy, CURLcode code, milliseconds timeout) {
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return fmt::format("no connection within {}", humanize(timeout));
  }
  if (code == CURLE_COULDNT_RESOLVE_HOST) {
    return "no such host";
  }
  long number = 0;
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);
  std::string text = number != 0 ? errno_text(static_cast<int>(number)) : curl_easy_strerror(code);
  if (text.front() >= 'A' && text.front() <= 'Z') {
    text.front() = static_cast<char>(text.front() + ('a' - 'A'));
  }
  return text;
}

}  // namespace

Result<void> connect_tcp(const std::string& address, milliseconds timeout) {
  if (!is_address(address)) {
    return fail(ErrorKind::config, "\"{}\" is no HOST:PORT", address);
  }
  const std::unique_ptr<CURL, CurlDeleter> easy(curl_easy_init());
  if (!easy) {
    return fail(ErrorKind::bug, "curl cannot be used");
  }
  timeout = std::clamp(timeout, milliseconds(1), k_longest);  // 0 would be curl's own: minutes
  const std::string url = "http://" + address;
  curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(timeout.count()));
  const CURLcode code = curl_easy_perform(easy.get());
  if (code != CURLE_OK) {
    const bool malformed = code == CURLE_URL_MALFORMAT;
    return fail(malformed ? ErrorKind::config : ErrorKind::transient, "{}: {}", address,
                malformed ? "it is no HOST:PORT" : reason_of(easy.get(), code, timeout));
  }
  return {};
}

}  // namespace tallyman
