#include "config/order.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "config/problem_list.hpp"

namespace tallyman::config {

namespace {

using Predecessors = std::map<ServiceName, std::vector<ServiceName>>;

/// The way from `name` back to itself: {"web", "db", "web"}; empty if there is none. `path` is
/// where the search stands, `seen` what it has been to.
std::vector<ServiceName> circle(const Predecessors& all, const ServiceName& name,
                                std::vector<ServiceName>& path, std::set<ServiceName>& seen) {
  const auto found = all.find(path.back());
  for (const ServiceName& next : found != all.end() ? found->second : std::vector<ServiceName>{}) {
    path.push_back(next);
    if (next == name) {
      return path;
    }
    if (seen.insert(next).second) {
      if (auto way = circle(all, name, path, seen); !way.empty()) {
        return way;
      }
    }
    path.pop_back();
  }
  return {};
}

std::string unknown_name(const ServiceName& name, const std::set<ServiceName>& names) {
  const std::string_view near = nearest(name, {names.begin(), names.end()});
  return fmt::format("conf.d has no {}.toml{}", name,
                     near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near));
}

std::vector<Problem> problems_of(const Watch& watch, const std::set<ServiceName>& names,
                                 const Predecessors& predecessors) {
  ProblemList problems(watch.file);
  for (const ServiceName& name : watch.after) {
    if (!names.contains(name)) {
      problems.add({}, "after", unknown_name(name, names));
    }
  }
  std::vector<ServiceName> path = {watch.name};
  std::set<ServiceName> seen;
  if (const auto way = circle(predecessors, watch.name, path, seen); !way.empty()) {
    problems.add({}, "after",
                 fmt::format("a circle, each waits for the next one: {}", fmt::join(way, " -> ")));
  }
  return problems.take();
}

}  // namespace

void check_order(Config& config) {
  std::set<ServiceName> names;
  Predecessors predecessors;
  for (const Watch& watch : config.watches) {
    names.insert(watch.name);
    predecessors.emplace(watch.name, watch.after);
  }
  for (const BrokenDropIn& broken : config.broken) {
    names.insert(broken.name);
  }
  std::erase_if(config.watches, [&](const Watch& watch) {
    std::vector<Problem> problems = problems_of(watch, names, predecessors);
    if (problems.empty()) {
      return false;
    }
    config.broken.push_back({watch.name, std::move(problems)});
    return true;
  });
  std::ranges::sort(config.broken, {}, &BrokenDropIn::name);
}

}  // namespace tallyman::config
