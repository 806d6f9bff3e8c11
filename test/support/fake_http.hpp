#pragma once

#include <poll.h>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tallyman/io/http.hpp"

namespace tallyman::test {

/// An Http that records what it is asked and answers from a function, in the order of the requests;
/// those that `hold` picks are answered only when nothing else is left to answer.
class FakeHttp final : public Http {
 public:
  using Answer = std::function<HttpResult(const HttpRequest&)>;
  explicit FakeHttp(Answer answer) : m_answer(std::move(answer)) {}

  void send(HttpRequest request, Done done) override {
    m_queue.emplace_back(std::move(request), std::move(done));
    most_under_way = std::max(most_under_way, m_queue.size());
  }

  void watch(int fd, std::move_only_function<void()> ready) override {
    m_watched.emplace_back(fd, std::move(ready));
  }

  void run() override {
    while (!m_queue.empty() || !m_watched.empty()) {
      if (m_queue.empty()) {
        call_who_is_ready();
        continue;
      }
      auto next = std::ranges::find_if(
          m_queue, [this](const auto& queued) { return !hold || !hold(queued.first); });
      next = next == m_queue.end() ? m_queue.begin() : next;
      auto [request, done] = std::move(*next);
      m_queue.erase(next);
      requests.push_back(request);
      HttpResult result = m_answer(request);
      if (result && request.on_body && result->status >= 200 && result->status < 300) {
        request.on_body(result->body);
        result->body.clear();
      }
      done(std::move(result));
    }
  }

  std::vector<HttpRequest> requests;  ///< everything that was asked, in the order of the answers
  std::size_t most_under_way = 0;     ///< at one time
  std::function<bool(const HttpRequest&)> hold = {};

 private:
  void call_who_is_ready() {
    for (auto& [fd, ready] : std::exchange(m_watched, {})) {
      pollfd entry{fd, POLLIN, 0};
      if (::poll(&entry, 1, 10) == 1) {
        ready();
      } else {
        m_watched.emplace_back(fd, std::move(ready));
      }
    }
  }

  Answer m_answer;
  std::vector<std::pair<int, std::move_only_function<void()>>> m_watched;
  std::deque<std::pair<HttpRequest, Done>> m_queue;
};

/// "GET https://host/path"
inline std::string line_of(const HttpRequest& request) {
  return request.method + " " + request.url;
}

inline std::string header_of(const HttpRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) {
      return value;
    }
  }
  return "";
}

}  // namespace tallyman::test
