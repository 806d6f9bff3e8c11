#include "registry/lanes.hpp"

#include <string_view>
#include <utility>

namespace tallyman {
namespace {

/// Would the next request to this origin end in the same way?
bool concerns_origin(TransportFailure failure) {
  switch (failure) {
    case TransportFailure::resolve:
    case TransportFailure::connect:
    case TransportFailure::tls:
    case TransportFailure::certificate:
    case TransportFailure::client_certificate:
    case TransportFailure::proxy:
    case TransportFailure::timeout:
    case TransportFailure::cancelled:
      return true;
    default:
      return false;
  }
}

}  // namespace

void Lanes::send(const Url& url, HttpRequest request, Http::Done done) {
  request.url = url.str();
  Lane& lane = m_lanes[url.origin()];
  Waiting next{std::move(request), std::move(done)};
  if (lane.under_way < k_requests_per_origin) {
    start(lane, std::move(next));
  } else {
    lane.waiting.push_back(std::move(next));
  }
}

void Lanes::start(Lane& lane, Waiting next) {
  ++lane.under_way;
  // Without the query: a redirect may have put something secret there.
  std::string name = fmt::format("{} {}", next.request.method,
                                 next.request.url.substr(0, next.request.url.find('?')));
  m_http.send(std::move(next.request), [this, &lane, name = std::move(name), answers = lane.answers,
                                        done = std::move(next.done)](HttpResult result) mutable {
    if (result) {
      m_log.debug("{}: {}", name, result->status);
    } else {
      m_log.debug("{}: {}", name, result.error().error.message);
    }
    finish(lane, std::move(result), answers, std::move(done));
  });
}

void Lanes::finish(Lane& lane, HttpResult result, std::size_t answers_before, Http::Done done) {
  --lane.under_way;
  std::deque<Waiting> hopeless;
  if (result) {
    ++lane.answers;
  } else if (concerns_origin(result.error().failure) && lane.answers == answers_before) {
    hopeless = std::exchange(lane.waiting, {});
  }
  for (Waiting& waiting : hopeless) {
    waiting.done(std::unexpected(result.error()));
  }
  done(std::move(result));
  while (lane.under_way < k_requests_per_origin && !lane.waiting.empty()) {
    Waiting next = std::move(lane.waiting.front());
    lane.waiting.pop_front();
    start(lane, std::move(next));
  }
}

}  // namespace tallyman
