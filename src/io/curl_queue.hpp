#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tallyman/io/http.hpp"

namespace tallyman {

/// Requests that curl does not have yet, by where they go to. Curl alone would try a dead host once
/// for every request that waits for it, one after the other, while their time runs. So one goes
/// ahead; the rest follows once that one is connected, or shares its failure. Where a connection
/// takes one request at a time, no more go than there are connections; over HTTP/2 all go: how many
/// a registry is asked at once is the registry room's business.
class CurlQueue {
 public:
  struct Waiting {
    HttpRequest request;
    Http::Done done;
    std::string place = {};
  };

  /// Where a request goes to: those of one place share their connections.
  [[nodiscard]] static std::string place_of(const HttpRequest& request);

  void push(HttpRequest request, Http::Done done);
  [[nodiscard]] bool empty() const;
  /// The next requests that may start, at most so many; counted as under way from now on.
  [[nodiscard]] std::vector<Waiting> take_what_may_start(std::size_t at_most);
  [[nodiscard]] bool may_start() const;
  [[nodiscard]] std::vector<Waiting> take_all();
  /// The one that went ahead is connected, with HTTP/2 or without.
  void connected(const std::string& place, bool multiplexed);
  /// One that was under way is over.
  void over(const std::string& place);
  /// There was an answer from there, at `when`.
  void answered(const std::string& place, std::chrono::steady_clock::time_point when);
  [[nodiscard]] bool has_answered_since(const std::string& place,
                                        std::chrono::steady_clock::time_point when) const;
  /// Those that wait for the same, and would have tried no longer.
  [[nodiscard]] std::vector<Waiting> take_who_share(const std::string& place,
                                                    const HttpRequest& failed);

 private:
  struct Place {
    std::deque<Waiting> queue = {};
    std::size_t under_way = 0;
    bool multiplexed = false;
    bool connected = false;
    std::optional<std::chrono::steady_clock::time_point> answered = std::nullopt;  // last

    [[nodiscard]] bool may_start() const;
  };

  std::map<std::string, Place> m_places;
};

}  // namespace tallyman
