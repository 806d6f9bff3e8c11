#include "tallyman/io/curl_http.hpp"

#include <curl/curl.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <iterator>
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
constexpr std::size_t k_smallest_batch = 8;
constexpr std::size_t k_largest_batch = 1024;
constexpr long k_kept_connections = 64;
// Beyond it curl opens another connection; servers say themselves what they take, mostly 100 to
// 250.
constexpr long k_streams_per_connection = 1000;

struct CurlMultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

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
    curl_multi_setopt(multi.get(), CURLMOPT_MAX_CONCURRENT_STREAMS, k_streams_per_connection);
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

  void start(CurlQueue::Waiting waiting) {
    auto transfer =
        std::make_unique<CurlTransfer>(CurlEasy(curl_easy_init()), std::move(waiting.request),
                                       std::move(waiting.place), std::move(waiting.done));
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
    queue.over(transfer->place());
    transfer->take_done()(std::unexpected(std::move(*failure)));
  }

  std::unique_ptr<CurlTransfer> remove(CURL* easy) {
    const auto found = transfers.find(easy);
    if (found == transfers.end()) {
      return nullptr;
    }
    std::unique_ptr<CurlTransfer> transfer = std::move(found->second);
    transfers.erase(found);
    curl_multi_remove_handle(multi.get(), easy);
    queue.over(transfer->place());
    return transfer;
  }

  void note_who_connected() {
    std::vector<std::function<void()>> told;
    for (const auto& [easy, transfer] : transfers) {
      if (transfer->take_news_of_connection()) {
        queue.connected(transfer->place(), transfer->multiplexed());
        if (transfer->request().on_connected) {
          told.push_back(transfer->request().on_connected);
        }
      }
    }
    for (const std::function<void()>& tell : told) {
      tell();
    }
  }

  /// Would those that wait for the same place fail in the same way? Of a time-out that is so where
  /// nobody else got an answer meanwhile: otherwise each of a dead registry would have its own.
  [[nodiscard]] bool is_shared(const CurlTransfer& transfer, TransportFailure failure) const {
    if (failure == TransportFailure::timeout) {
      const auto began = std::chrono::steady_clock::now() - transfer.duration();
      return !queue.has_answered_since(transfer.place(), began);
    }
    return !transfer.connected() && concerns_place(failure);
  }

  void finish(CURL* easy, CURLcode code) {
    const std::unique_ptr<CurlTransfer> transfer = remove(easy);
    if (transfer == nullptr) {
      return;
    }
    HttpResult result = transfer->result(code);
    std::vector<CurlQueue::Waiting> sharing;
    if (result) {
      queue.answered(transfer->place(), std::chrono::steady_clock::now());
    } else if (is_shared(*transfer, result.error().failure)) {
      sharing = queue.take_who_share(transfer->place(), transfer->request());
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
    for (Delayed& waiting : std::exchange(delayed, {})) {
      waiting.done(std::unexpected(make_error(waiting.request)));
    }
  }

  void push(HttpRequest request, Http::Done done) {
    if (request.delay.count() <= 0) {
      queue.push(std::move(request), std::move(done));
      return;
    }
    const auto due = std::chrono::steady_clock::now() + request.delay;
    delayed.push_back({due, std::move(request), std::move(done)});
  }

  /// Those whose time has come go on; how long the next one has to wait, at most k_poll_ms.
  int push_what_is_due() {
    const auto now = std::chrono::steady_clock::now();
    std::chrono::milliseconds wait(k_poll_ms);
    for (std::size_t i = 0; i < delayed.size();) {
      if (delayed[i].due <= now) {
        queue.push(std::move(delayed[i].request), std::move(delayed[i].done));
        delayed.erase(delayed.begin() + static_cast<std::ptrdiff_t>(i));
      } else {
        wait = std::min(wait, std::chrono::ceil<std::chrono::milliseconds>(delayed[i].due - now));
        ++i;
      }
    }
    return static_cast<int>(wait.count());
  }

  /// One round. Not CURLM_OK: curl itself is broken.
  CURLMcode work() {
    int wait_ms = push_what_is_due();
    if (const CURLMcode code = step(); code != CURLM_OK) {
      return code;
    }
    const bool can_wait = !transfers.empty() || !delayed.empty() || !watched.empty();
    if (!can_wait || queue.may_start()) {
      return CURLM_OK;
    }
    return wait(wait_ms);
  }

  /// Until one of all that goes on has something to tell, or somebody wants a stop.
  CURLMcode wait(int wait_ms) {
    std::vector<curl_waitfd> fds = watched_fds();
    if (stop.fd() >= 0 && !stop.requested()) {
      fds.push_back({stop.fd(), CURL_WAIT_POLLIN, 0});
    }
    wait_ms = step_beside(wait_ms, fds);
    return curl_multi_poll(multi.get(), fds.data(), static_cast<unsigned>(fds.size()), wait_ms,
                           nullptr);
  }

  /// What can be done without waiting. Of many requests the first are on their way while the next
  /// ones are made; there are more at a time from step to step, for each looks at all of them.
  CURLMcode step() {
    for (CurlQueue::Waiting& waiting : queue.take_what_may_start(batch)) {
      start(std::move(waiting));
    }
    int running = 0;
    if (const CURLMcode code = curl_multi_perform(multi.get(), &running); code != CURLM_OK) {
      return code;
    }
    note_who_connected();
    finish_what_ended();
    batch = queue.may_start() ? std::min(batch * 2, k_largest_batch) : k_smallest_batch;
    return CURLM_OK;
  }

  /// The other one goes on. What it waits for is added to `fds`; returns for how long at most. Its
  /// callbacks may run() this one again: it is left alone then.
  int step_beside(int wait_ms, std::vector<curl_waitfd>& fds) {
    if (beside == nullptr || beside->idle() || beside->stop.requested() ||
        std::exchange(is_beside, true)) {
      return wait_ms;
    }
    beside->call_who_is_ready();
    wait_ms = std::min(wait_ms, beside->push_what_is_due());
    const bool works = beside->step() == CURLM_OK;  // its own run() will tell
    is_beside = false;
    wait_ms = beside->queue.may_start() ? 0 : wait_ms;
    std::ranges::copy(beside->watched_fds(), std::back_inserter(fds));
    fd_set readable, writable, broken_fds;
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    FD_ZERO(&broken_fds);
    int highest = -1;
    long timeout_ms = -1;
    if (!works || beside->transfers.empty() ||
        curl_multi_fdset(beside->multi.get(), &readable, &writable, &broken_fds, &highest) !=
            CURLM_OK ||
        curl_multi_timeout(beside->multi.get(), &timeout_ms) != CURLM_OK) {
      return wait_ms;
    }
    for (int fd = 0; fd <= highest; ++fd) {
      const int events = (FD_ISSET(fd, &readable) ? CURL_WAIT_POLLIN : 0) |
                         (FD_ISSET(fd, &writable) ? CURL_WAIT_POLLOUT : 0);
      if (events != 0) {
        fds.push_back({fd, static_cast<short>(events), 0});
      }
    }
    // Without a socket it is waiting for a resolver's thread.
    constexpr int k_without_socket_ms = 20;
    wait_ms = highest < 0 ? std::min(wait_ms, k_without_socket_ms) : wait_ms;
    return timeout_ms < 0 ? wait_ms : std::min(wait_ms, static_cast<int>(timeout_ms));
  }

  [[nodiscard]] std::vector<curl_waitfd> watched_fds() const {
    std::vector<curl_waitfd> fds;
    for (const Watched& one : watched) {
      fds.push_back({one.fd, CURL_WAIT_POLLIN, 0});
    }
    return fds;
  }

  void call_who_is_ready() {
    for (Watched& one : std::exchange(watched, {})) {
      pollfd entry{one.fd, POLLIN, 0};
      if (::poll(&entry, 1, 0) == 1) {
        one.ready();
      } else {
        watched.push_back(std::move(one));
      }
    }
  }

  [[nodiscard]] bool idle() const {
    return transfers.empty() && queue.empty() && delayed.empty() && watched.empty();
  }

  const Stop& stop;
  std::string user_agent;
  Impl* beside = nullptr;
  bool is_beside = false;
  std::unique_ptr<CURLM, CurlMultiDeleter> multi;
  std::unordered_map<CURL*, std::unique_ptr<CurlTransfer>> transfers;
  CurlQueue queue;
  std::size_t batch = k_smallest_batch;
  struct Delayed {
    std::chrono::steady_clock::time_point due;
    HttpRequest request;
    Http::Done done;
  };
  std::vector<Delayed> delayed;
  struct Watched {
    int fd;
    std::move_only_function<void()> ready;
  };
  std::vector<Watched> watched;
};

CurlHttp::CurlHttp(const Stop& stop, std::string user_agent)
    : m_impl(std::make_unique<Impl>(stop, std::move(user_agent))) {}

CurlHttp::CurlHttp(const Stop& stop, std::string user_agent, CurlHttp& beside)
    : CurlHttp(stop, std::move(user_agent)) {
  m_impl->beside = beside.m_impl.get();
}

CurlHttp::~CurlHttp() = default;

void CurlHttp::send(HttpRequest request, Done done) {
  m_impl->push(std::move(request), std::move(done));
}

void CurlHttp::watch(int fd, std::move_only_function<void()> ready) {
  m_impl->watched.push_back({fd, std::move(ready)});
}

void CurlHttp::run() {
  while (!m_impl->idle()) {
    m_impl->call_who_is_ready();
    if (m_impl->stop.requested()) {
      m_impl->end_all(cancelled);
      if (!m_impl->watched.empty()) {
        m_impl->wait(k_poll_ms);
      }
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
