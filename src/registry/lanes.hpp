#pragma once

#include "registry/url.hpp"
#include "tallyman/io/http.hpp"
#include "tallyman/io/log.hpp"

#include <cstddef>
#include <deque>
#include <map>
#include <string>

namespace tallyman {

/// Requests to each origin, a bounded number at a time. If an origin gives no answer at all while
/// nothing else of it succeeds, what waits for it fails in the same way instead of waiting for a
/// time-out each.
class Lanes {
 public:
  static constexpr std::size_t k_requests_per_origin = 16;

  Lanes(Http& http, Log& log) : m_http(http), m_log(log) {}
  /// Sets request.url.
  void send(const Url& url, HttpRequest request, Http::Done done);

 private:
  struct Waiting {
    HttpRequest request;
    Http::Done done;
  };
  struct Lane {
    std::size_t under_way = 0;
    std::size_t answers = 0;
    std::deque<Waiting> waiting = {};
  };
  void start(Lane& lane, Waiting next);
  void finish(Lane& lane, HttpResult result, std::size_t answers_before, Http::Done done);

  Http& m_http;
  Log& m_log;
  std::map<std::string, Lane> m_lanes;
};

}  // namespace tallyman
