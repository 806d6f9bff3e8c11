#include "registry/lanes.hpp"

#include <array>
#include <chrono>
#include <string_view>
#include <utility>

namespace tallyman {
namespace {

constexpr std::array<std::chrono::milliseconds, Lanes::k_retries> k_pauses{
    std::chrono::milliseconds(200), std::chrono::milliseconds(1000)};

bool may_work_in_a_moment(const HttpRequest& request, const HttpResult& result) {
  if (request.method == "POST") {  // may have been done
    return false;
  }
  if (!result) {
    return result.error().failure == TransportFailure::cut;
  }
  const bool is_busy = result->status == 502 || result->status == 503 || result->status == 504;
  return is_busy && result->header("retry-after").empty();
}

}  // namespace

void Lanes::send(const Url& url, HttpRequest request, Http::Done done) {
  request.url = url.str();
  Lane& lane = m_lanes[url.origin()];
  Waiting next{std::move(request), std::move(done)};
  if (lane.under_way < lane.bound) {
    start(lane, std::move(next));
  } else {
    lane.waiting.push_back(std::move(next));
  }
}

void Lanes::start(Lane& lane, Waiting next) {
  ++lane.under_way;
  ask(lane, std::move(next), lane.answers);
}

void Lanes::ask(Lane& lane, Waiting next, std::size_t answers_before) {
  HttpRequest request = next.request;
  m_http.send(std::move(request), [this, &lane, answers_before,
                                   next = std::move(next)](HttpResult result) mutable {
    // Without the query: a redirect may have put something secret there.
    m_log.debug("{} {}: {}", next.request.method,
                next.request.url.substr(0, next.request.url.find('?')),
                result ? fmt::format("{}", result->status) : result.error().error.message);
    if (next.retries < k_retries && may_work_in_a_moment(next.request, result)) {
      next.request.delay = k_pauses.at(static_cast<std::size_t>(next.retries++));
      ask(lane, std::move(next), answers_before);
      return;
    }
    finish(lane, std::move(result), answers_before, std::move(next.done));
  });
}

void Lanes::fail_waiting(const Url& url, const TransportError& failure) {
  for (Waiting& waiting : std::exchange(m_lanes[url.origin()].waiting, {})) {
    waiting.done(std::unexpected(failure));
  }
}

void Lanes::finish(Lane& lane, HttpResult result, std::size_t answers_before, Http::Done done) {
  --lane.under_way;
  std::deque<Waiting> hopeless;
  if (result) {
    ++lane.answers;
  } else if (concerns_place(result.error().failure) && lane.answers == answers_before) {
    hopeless = std::exchange(lane.waiting, {});
  }
  for (Waiting& waiting : hopeless) {
    waiting.done(std::unexpected(result.error()));
  }
  done(std::move(result));
  while (lane.under_way < lane.bound && !lane.waiting.empty()) {
    Waiting next = std::move(lane.waiting.front());
    lane.waiting.pop_front();
    start(lane, std::move(next));
  }
}

}  // namespace tallyman
