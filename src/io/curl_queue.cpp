#include "io/curl_queue.hpp"

#include <algorithm>
#include <utility>

#include "io/curl_errors.hpp"
#include "io/curl_limits.hpp"

namespace tallyman {

namespace {

bool is_tls(const HttpRequest& request) {
  return request.url.starts_with("https:");
}

std::chrono::milliseconds patience_of(const HttpRequest& request) {
  return request.timeout.count() > 0 ? std::min(request.timeout, request.connect_timeout)
                                     : request.connect_timeout;
}

}  // namespace

std::string CurlQueue::place_of(const HttpRequest& request) {
  const std::string_view transport = !is_tls(request)     ? "plain"
                                     : request.verify_tls ? "verified"
                                                          : "unverified";
  const void* route = request.route.get();
  return fmt::format("{} {} {}", transport, target_of(request), route);
}

void CurlQueue::push(HttpRequest request, Http::Done done) {
  std::string place = place_of(request);
  m_places[place].queue.push_back({std::move(request), std::move(done), place});
}

bool CurlQueue::empty() const {
  return std::all_of(m_places.begin(), m_places.end(),
                     [](const auto& named) { return named.second.queue.empty(); });
}

bool CurlQueue::Place::may_start() const {
  const std::size_t limit = !connected ? 1 : k_connections_per_host;
  return !queue.empty() && (under_way < limit || (connected && multiplexed));
}

bool CurlQueue::may_start() const {
  return std::ranges::any_of(m_places, [](const auto& named) { return named.second.may_start(); });
}

std::vector<CurlQueue::Waiting> CurlQueue::take_what_may_start(std::size_t at_most) {
  std::vector<Waiting> taken;
  for (auto& [name, place] : m_places) {
    while (taken.size() < at_most && place.may_start()) {
      taken.push_back(std::move(place.queue.front()));
      place.queue.pop_front();
      ++place.under_way;
    }
  }
  return taken;
}

std::vector<CurlQueue::Waiting> CurlQueue::take_all() {
  std::vector<Waiting> taken;
  for (auto& [name, place] : m_places) {
    std::ranges::move(place.queue, std::back_inserter(taken));
    place.queue.clear();
  }
  return taken;
}

void CurlQueue::connected(const std::string& name, bool multiplexed) {
  Place& place = m_places[name];
  place.connected = true;
  place.multiplexed = multiplexed;
}

void CurlQueue::over(const std::string& name) {
  Place& place = m_places[name];
  if (--place.under_way == 0) {  // by the next time the connections may be gone
    place.connected = false;
  }
}

void CurlQueue::answered(const std::string& name, std::chrono::steady_clock::time_point when) {
  m_places[name].answered = when;
}

bool CurlQueue::has_answered_since(const std::string& name,
                                   std::chrono::steady_clock::time_point when) const {
  const auto found = m_places.find(name);
  return found != m_places.end() && found->second.answered && *found->second.answered >= when;
}

std::vector<CurlQueue::Waiting> CurlQueue::take_who_share(const std::string& name,
                                                          const HttpRequest& failed) {
  std::deque<Waiting>& queue = m_places[name].queue;
  const auto impatient = std::stable_partition(
      queue.begin(), queue.end(), [limit = patience_of(failed)](const Waiting& waiting) {
        return patience_of(waiting.request) > limit;
      });
  std::vector<Waiting> taken;
  std::move(impatient, queue.end(), std::back_inserter(taken));
  queue.erase(impatient, queue.end());
  return taken;
}

}  // namespace tallyman
