#include "tallyman/model/memory.hpp"

#include <algorithm>

#include "tallyman/model/remote_image.hpp"

namespace tallyman {
namespace {

bool is_it(const Quarantined& entry, const RemoteImage& remote) {
  return entry.reference == remote.reference.str() &&
         (entry.digest == remote.digest ||
          (entry.manifest && remote.platform && *entry.manifest == remote.platform->manifest));
}

}  // namespace

const Quarantined* find_quarantined(const ServiceMemory& service, const RemoteImage& remote) {
  const auto found = std::ranges::find_if(
      service.quarantined, [&](const Quarantined& entry) { return is_it(entry, remote); });
  return found == service.quarantined.end() ? nullptr : &*found;
}

void release_moved(ServiceMemory& service, const RemoteImage& remote) {
  std::erase_if(service.quarantined, [&](const Quarantined& entry) {
    return entry.reference == remote.reference.str() && !is_it(entry, remote);
  });
  for (Quarantined& entry : service.quarantined) {
    if (is_it(entry, remote)) {
      entry.digest = remote.digest;  // the next look is told by the digest alone
    }
  }
}

std::optional<Timestamp> left_alone_until(const RegistryMemory& registry, Timestamp now) {
  const std::optional<Timestamp>& until = registry.not_before;
  return until && *until > now && *until <= now + k_longest_rate_limit ? until : std::nullopt;
}

void count_check(ServiceMemory& service, const RemoteImage& remote) {
  const int checks = std::min(checks_of(service, remote) + 1, k_most_stable_checks);
  service.candidates.insert_or_assign(remote.reference.str(), Candidate{remote.digest, checks});
}

int checks_of(const ServiceMemory& service, const RemoteImage& remote) {
  const auto candidate = service.candidates.find(remote.reference.str());
  return candidate != service.candidates.end() && candidate->second.digest == remote.digest
             ? candidate->second.checks
             : 0;
}

std::chrono::milliseconds backoff(int failures) {
  constexpr std::chrono::minutes k_first{5};
  constexpr std::chrono::hours k_longest{6};
  if (failures < 2) {
    return {};
  }
  std::chrono::milliseconds wait = k_first;
  for (int i = 2; i < failures && wait < k_longest; ++i) {
    wait *= 2;
  }
  return std::min<std::chrono::milliseconds>(wait, k_longest);
}

}  // namespace tallyman
