#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "tallyman/io/log.hpp"
#include "tallyman/tick/order.hpp"

namespace tallyman {
namespace {

/// What runs or ran, by reference; none where replicas differ or nobody knows.
using Images = std::map<ImageReference, Digest>;

bool runs_it(const Replica& replica, const ImageReference& reference, const Digest& digest) {
  const std::vector<Digest> own = own_digests(reference, replica);
  return std::ranges::find(own, digest) != own.end();
}

bool all_run(const Comparison& comparison, const Digest& digest) {
  return std::ranges::all_of(comparison.running.replicas, [&](const Replica& replica) {
    return runs_it(replica, comparison.running.reference, digest);
  });
}

const Comparison* find_comparison(const ServiceLook& service, const ImageReference& reference) {
  const auto found = std::ranges::find_if(service.comparisons, [&](const Comparison& one) {
    return one.running.reference == reference;
  });
  return found != service.comparisons.end() ? &*found : nullptr;
}

/// The containers may run it under any of an image's digests.
bool is_running(const ServiceLook& service, const Images& images) {
  bool any = false;
  for (const auto& [reference, digest] : images) {
    if (const Comparison* comparison = find_comparison(service, reference)) {
      if (!all_run(*comparison, digest)) {
        return false;
      }
      any = true;
    }
  }
  return any;
}

Images images_before(const PastDeployment& past, Images known) {
  for (const PastDeployment::DeployedImage& image : past.images) {
    const bool one_digest =
        !image.old.empty() && std::ranges::all_of(image.old, [&](const OldImage& old) {
          return old.digest && old.digest == image.old.front().digest;
        });
    if (one_digest) {
      known.insert_or_assign(image.reference, *image.old.front().digest);
    } else {
      known.erase(image.reference);
    }
  }
  return known;
}

Images images_after(const PastDeployment& past, Images known) {
  for (const PastDeployment::DeployedImage& image : past.images) {
    known.insert_or_assign(image.reference, image.digest);
  }
  return known;
}

/// Everything that ran and was good, oldest first. A rollback takes away what it came from.
std::vector<Images> good_states(const std::vector<PastDeployment>& past) {
  std::vector<Images> states;
  for (auto one = past.rbegin(); one != past.rend(); ++one) {
    if (one->result != ServiceState::updated) {
      continue;
    }
    const Images known = states.empty() ? Images{} : states.back();
    if (Images old = images_before(*one, known); old != known) {
      states.push_back(std::move(old));
    }
    Images now = images_after(*one, states.empty() ? Images{} : states.back());
    const auto again = std::ranges::find(states.rbegin(), states.rend(), now);
    if (one->trigger == "rollback" && again != states.rend()) {
      states.erase(again.base(), states.end());
    } else if (states.empty() || states.back() != now) {
      states.push_back(std::move(now));
    }
  }
  return states;
}

std::vector<Goal> goals_of(const Images& images, const ServiceLook& service) {
  std::vector<Goal> goals;
  for (const auto& [reference, digest] : images) {
    const Comparison* comparison = find_comparison(service, reference);
    if (comparison != nullptr && !all_run(*comparison, digest)) {
      goals.push_back({reference, digest});
    }
  }
  return goals;
}

Result<std::vector<Goal>> last_good(const ServiceLook& service,
                                    const std::vector<PastDeployment>& past) {
  std::vector<Images> states = good_states(past);
  const auto current = std::ranges::find_if(
      states.rbegin(), states.rend(), [&](const Images& one) { return is_running(service, one); });
  if (current != states.rend()) {
    states.erase(current.base() - 1, states.end());
  }
  for (auto state = states.rbegin(); state != states.rend(); ++state) {
    if (auto goals = goals_of(*state, service); !goals.empty()) {
      return goals;
    }
  }
  Error error{ErrorKind::not_found,
              fmt::format("nothing to roll back to: no image is known to have run well as {} "
                          "before what runs now",
                          service.watch.name)};
  error.remedy = fmt::format("name one: tallyman rollback {} --to DIGEST", service.watch.name);
  return std::unexpected(std::move(error));
}

/// What came of one that did not end as updated, for people.
std::string_view end_of(ServiceState result) {
  switch (result) {
    case ServiceState::pending:
      return "was given up before anything was touched";
    case ServiceState::rolled_back:
      return "was rolled back";
    default:
      return "failed";
  }
}

Result<std::vector<Goal>> nth_last(std::size_t number, const ServiceLook& service,
                                   const std::vector<PastDeployment>& past) {
  if (number < 1 || number > past.size()) {
    return fail(ErrorKind::not_found,
                "nothing to roll back to: {} has a history of {} deployment{}", service.watch.name,
                past.size(), past.size() == 1 ? "" : "s");
  }
  const PastDeployment& one = past[number - 1];
  if (one.result != ServiceState::updated) {
    return fail(ErrorKind::not_found, "deployment {} of {} {}{}", one.id, service.watch.name,
                end_of(one.result), one.error ? ": " + one.error->message : "");
  }
  std::vector<Goal> goals;
  for (const PastDeployment::DeployedImage& image : one.images) {
    if (find_comparison(service, image.reference) != nullptr) {
      goals.push_back({image.reference, image.digest});
    }
  }
  if (goals.empty()) {
    return fail(ErrorKind::not_found, "deployment {} had none of the images that {} runs now",
                one.id, service.watch.name);
  }
  return goals;
}

/// All digests of a repository that this host has heard of.
std::set<Digest> known_digests(const ImageReference& reference, const ServiceName& service,
                               const Host& host, const Memory& memory,
                               const std::vector<PastDeployment>& past) {
  std::set<Digest> known;
  for (const auto& [id, image] : host.images) {
    for (const std::string& text : image.repo_digests) {
      if (const auto digest = repo_digest_of(text, reference)) {
        known.insert(*digest);
      }
    }
  }
  if (const auto found = memory.services.find(service); found != memory.services.end()) {
    for (const KeptImage& kept : found->second.kept) {
      if (kept.reference == reference.str() && kept.digest) {
        known.insert(*kept.digest);
      }
    }
  }
  for (const PastDeployment& one : past) {
    for (const PastDeployment::DeployedImage& image : one.images) {
      if (image.reference == reference) {
        known.insert(image.digest);
      }
    }
  }
  return known;
}

Result<Digest> digest_meant(std::string_view text, const std::set<Digest>& known) {
  if (auto digest = Digest::parse(text)) {
    return digest;
  }
  constexpr std::string_view k_algorithm = "sha256:";
  const std::string_view hex =
      text.starts_with(k_algorithm) ? text.substr(k_algorithm.size()) : text;
  constexpr std::size_t k_shortest = 8;  // as status shows them
  std::vector<Digest> fitting;
  for (const Digest& digest : known) {
    if (hex.size() >= k_shortest && digest.hex().starts_with(hex)) {
      fitting.push_back(digest);
    }
  }
  if (fitting.size() == 1) {
    return fitting.front();
  }
  Error error{
      ErrorKind::not_found,
      fitting.empty()
          ? fmt::format("no such digest: nothing here is known as {}", printable(text))
          : fmt::format("{} is the beginning of {} digests", printable(text), fitting.size())};
  error.remedy = "name the whole digest (sha256:...), or N for the N-th last deployment";
  return std::unexpected(std::move(error));
}

std::optional<std::size_t> parse_number(std::string_view text) {
  constexpr std::size_t k_most_digits = 4;  // longer ones are the beginning of a digest
  std::size_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  return code == std::errc() && end == text.data() + text.size() && text.size() <= k_most_digits
             ? std::optional(number)
             : std::nullopt;
}

}  // namespace

Result<std::vector<Goal>> rollback_goals(const Order& order, const ServiceLook& service,
                                         const Host& host, const Memory& memory,
                                         const std::vector<PastDeployment>& past) {
  if (order.to.empty()) {
    return last_good(service, past);
  }
  if (const auto number = parse_number(order.to)) {
    return nth_last(*number, service, past);
  }
  const auto reference = only_reference(service);
  if (!reference) {
    return std::unexpected(reference.error());
  }
  const auto digest =
      digest_meant(order.to, known_digests(*reference, service.watch.name, host, memory, past));
  if (!digest) {
    return std::unexpected(digest.error());
  }
  return std::vector<Goal>{{*reference, *digest}};
}

}  // namespace tallyman
