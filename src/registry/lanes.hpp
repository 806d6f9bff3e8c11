#pragma once

#include "registry/url.hpp"
#include "tallyman/io/http.hpp"
#include "tallyman/io/log.hpp"

#include <cstddef>
#include <deque>
#include <map>
#include <string>

namespace tallyman {

/// Requests to each origin, a bounded number at a time: this is the place that bounds them. If an
/// origin gives no answer at all while nothing else of it succeeds, what waits for it fails in the
/// same way instead of waiting for a time-out each. What may work in a moment (a connection that
/// was cut, 502, 503, 504 without a Retry-After) is asked twice more.
class Lanes {
 public:
  /// Until a server has said how many streams it takes, curl counts on 100 (RFC 9113 section 6.5.2
  /// recommends no fewer), and opens another connection for more.
  static constexpr std::size_t k_requests_per_origin = 100;
  static constexpr int k_retries = 2;

  Lanes(Http& http, Log& log) : m_http(http), m_log(log) {}
  /// Sets request.url.
  void send(const Url& url, HttpRequest request, Http::Done done);
  /// For those of this origin.
  void bound(const Url& url, std::size_t requests) { m_lanes[url.origin()].bound = requests; }
  /// What waits for this origin gets `failure` instead of being asked.
  void fail_waiting(const Url& url, const TransportError& failure);

 private:
  struct Waiting {
    HttpRequest request;
    Http::Done done;
    int retries = 0;
  };
  struct Lane {
    std::size_t bound = k_requests_per_origin;
    std::size_t under_way = 0;
    std::size_t answers = 0;
    std::deque<Waiting> waiting = {};
  };
  void start(Lane& lane, Waiting next);
  void ask(Lane& lane, Waiting next, std::size_t answers_before);
  void finish(Lane& lane, HttpResult result, std::size_t answers_before, Http::Done done);

  Http& m_http;
  Log& m_log;
  std::map<std::string, Lane> m_lanes;
};

}  // namespace tallyman
