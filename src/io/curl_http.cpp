#include "tallyman/io/curl_http.hpp"

#include <curl/curl.h>

#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "io/curl_errors.hpp"
#include "io/curl_limits.hpp"
#include "io/curl_queue.hpp"
#include "io/curl_transfer.hpp"

namespace tallyman {

namespace {

constexpr int k_poll_ms = 1000;
constexpr long k_kept_connections = 64;

struct CurlMultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

/// A failure that everybody meets who goes to the same place.
bool is_of_the_place(TransportFailure failure) {
  switch (failure) {
    case TransportFailure::resolve:
    case TransportFailure::connect:
    case TransportFailure::tls:
    case TransportFailure::certificate:
    case TransportFailure::client_certificate:
    case TransportFailure::proxy:
    case TransportFailure::denied:
      return true;
    default:
      return false;
  }
}

TransportError cancelled(const HttpRequest& request) {
  return {TransportFailure::cancelled,
          {ErrorKind::cancelled, fmt::format("asked to stop while asking {}", target_of(request))}};
}

TransportError broken(const HttpRequest& request, const char* why) {
  return {TransportFailure::other,
          {ErrorKind::bug, fmt::format("cannot ask {}: {}", target_of(request), why)}};
}

}  // namespace

CurlGlobal::CurlGlobal() {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    throw std::runtime_error("libcurl cannot be initialised");
  }
}

CurlGlobal::~CurlGlobal() {
  curl_global_cleanup();
}

struct CurlHttp::Impl {
  Impl(const Stop& its_stop, std::string its_user_agent)
      : stop(its_stop), user_agent(std::move(its_user_agent)), multi(curl_multi_init()) {
    if (multi == nullptr) {
      throw std::bad_alloc();
    }
    curl_multi_setopt(multi.get(), CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_MULTIPLEX));
    curl_multi_setopt(multi.get(), CURLMOPT_MAX_HOST_CONNECTIONS, k_connections_per_host);
    // By default it closes all but four for each transfer that is under way at the moment.
    curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, k_kept_connections);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    for (const auto& [easy, transfer] : transfers) {
      curl_multi_remove_handle(multi.get(), easy);
    }
  }

  CurlEasy spare_easy() {
    if (spare.empty()) {
      return CurlEasy(curl_easy_init());
    }
    CurlEasy easy = std::move(spare.back());
    spare.pop_back();
    return easy;
  }

  void start(CurlQueue::Waiting waiting) {
    auto transfer = std::make_unique<CurlTransfer>(spare_easy(), std::move(waiting.request),
                                                   std::move(waiting.done));
    std::optional<TransportError> failure = transfer->easy() == nullptr
                                                ? broken(transfer->request(), "out of memory")
                                                : transfer->prepare(user_agent);
    if (!failure) {
      const CURLMcode code = curl_multi_add_handle(multi.get(), transfer->easy());
      if (code == CURLM_OK) {
        CURL* easy = transfer->easy();
        transfers.emplace(easy, std::move(transfer));
        return;
      }
      failure = broken(transfer->request(), curl_multi_strerror(code));
    }
    queue.over(CurlQueue::place_of(transfer->request()), 0);
    transfer->take_done()(std::unexpected(std::move(*failure)));
  }

  void start_what_may() {
    for (CurlQueue::Waiting& waiting : queue.take_what_may_start()) {
      start(std::move(waiting));
    }
  }

  std::unique_ptr<CurlTransfer> remove(CURL* easy) {
    const auto found = transfers.find(easy);
    if (found == transfers.end()) {
      return nullptr;
    }
    std::unique_ptr<CurlTransfer> transfer = std::move(found->second);
    transfers.erase(found);
    curl_multi_remove_handle(multi.get(), easy);
    long version = 0;
    curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
    queue.over(CurlQueue::place_of(transfer->request()), version);
    return transfer;
  }

  void note_who_connected() {
    for (const auto& [easy, transfer] : transfers) {
      if (transfer->connected()) {
        queue.connected(CurlQueue::place_of(transfer->request()));
      }
    }
  }

  void finish(CURL* easy, CURLcode code) {
    const std::unique_ptr<CurlTransfer> transfer = remove(easy);
    if (transfer == nullptr) {
      return;
    }
    HttpResult result = transfer->result(code);
    if (result) {  // after a failure a handle keeps its errno, whatever is reset
      CurlEasy handle = transfer->take_easy();
      curl_easy_reset(handle.get());
      spare.push_back(std::move(handle));
    }
    std::vector<CurlQueue::Waiting> sharing;
    if (!result && !transfer->connected() && is_of_the_place(result.error().failure)) {
      sharing = queue.take_who_share(CurlQueue::place_of(transfer->request()), transfer->request());
    }
    for (CurlQueue::Waiting& waiting : sharing) {
      waiting.done(std::unexpected(result.error()));
    }
    transfer->take_done()(std::move(result));
  }

  void finish_what_ended() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left)) {
      if (message->msg == CURLMSG_DONE) {
        finish(message->easy_handle, message->data.result);
      }
    }
  }

  template <class MakeError>
  void end_all(MakeError make_error) {
    while (!transfers.empty()) {
      const std::unique_ptr<CurlTransfer> transfer = remove(transfers.begin()->first);
      transfer->take_done()(std::unexpected(make_error(transfer->request())));
    }
    for (CurlQueue::Waiting& waiting : queue.take_all()) {
      waiting.done(std::unexpected(make_error(waiting.request)));
    }
  }

  /// One round. Not CURLM_OK: curl itself is broken.
  CURLMcode work() {
    start_what_may();
    int running = 0;
    if (const CURLMcode code = curl_multi_perform(multi.get(), &running); code != CURLM_OK) {
      return code;
    }
    note_who_connected();
    finish_what_ended();
    start_what_may();
    if (transfers.empty()) {
      return CURLM_OK;
    }
    curl_waitfd stop_fd{stop.fd(), CURL_WAIT_POLLIN, 0};
    const bool has_stop = stop.fd() >= 0;
    return curl_multi_poll(multi.get(), has_stop ? &stop_fd : nullptr, has_stop ? 1U : 0U,
                           k_poll_ms, nullptr);
  }

  const Stop& stop;
  std::string user_agent;
  std::unique_ptr<CURLM, CurlMultiDeleter> multi;
  std::vector<CurlEasy> spare;
  std::unordered_map<CURL*, std::unique_ptr<CurlTransfer>> transfers;
  CurlQueue queue;
};

CurlHttp::CurlHttp(const Stop& stop, std::string user_agent)
    : m_impl(std::make_unique<Impl>(stop, std::move(user_agent))) {}

CurlHttp::~CurlHttp() = default;

void CurlHttp::send(HttpRequest request, Done done) {
  m_impl->queue.push(std::move(request), std::move(done));
}

void CurlHttp::run() {
  while (!m_impl->transfers.empty() || !m_impl->queue.empty()) {
    if (m_impl->stop.requested()) {
      m_impl->end_all(cancelled);
      continue;
    }
    const CURLMcode code = m_impl->work();
    if (code != CURLM_OK) {
      m_impl->end_all([code](const HttpRequest& request) {
        return broken(request, curl_multi_strerror(code));
      });
    }
  }
}

}  // namespace tallyman
