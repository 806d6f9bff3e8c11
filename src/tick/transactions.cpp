#include "tallyman/tick/transactions.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace tallyman {
namespace {

using References = std::set<ImageReference>;

References references_of(const Watch& watch, const Host& host) {
  References references;
  for (const WatchedImage& image : select(watch, host).images) {
    if (!image.reference.digest()) {
      references.insert(image.reference);
    }
  }
  return references;
}

References references_to_deploy(const ServiceLook& service) {
  References references;
  for (std::size_t i = 0; i < service.comparisons.size(); ++i) {
    if (service.decision.images.at(i).deploy) {
      references.insert(service.comparisons[i].running.reference);
    }
  }
  return references;
}

const ImageReference* common(const References& a, const References& b) {
  const auto found = std::ranges::find_if(a, [&](const auto& one) { return b.contains(one); });
  return found != a.end() ? &*found : nullptr;
}

/// A drop-in that is not deployed, and why.
struct Held {
  ServiceName name;
  References references;
  std::string why;
};

}  // namespace

std::vector<ServiceName> transaction_of(const ServiceName& service, const Config& config,
                                        const Host& host) {
  std::vector<ServiceName> members = {service};
  References references;
  std::vector<std::pair<ServiceName, References>> others;
  for (const Watch& watch : config.watches) {
    References its = references_of(watch, host);
    if (watch.name == service) {
      references = std::move(its);
    } else {
      others.emplace_back(watch.name, std::move(its));
    }
  }
  for (bool grown = true; grown;) {
    grown = std::erase_if(others, [&](const auto& other) {
              if (common(other.second, references) == nullptr) {
                return false;
              }
              members.push_back(other.first);
              references.insert(other.second.begin(), other.second.end());
              return true;
            }) > 0;
  }
  return members;
}

void hold_transactions(const Config& config, const Memory& memory, Timestamp now, Look& look) {
  std::vector<Held> held;
  for (const Watch& watch : config.watches) {
    const auto hold = memory.holds.find(watch.name);
    if (hold == memory.holds.end() || (hold->second && hold->second->is_over(now))) {
      continue;
    }
    held.push_back({watch.name, references_of(watch, *look.host),
                    hold->second ? hold->second->str() : "held: " + hold->second.error().message});
  }
  // Whoever is held back by this holds back others in turn.
  for (std::size_t i = 0; i < held.size(); ++i) {
    for (ServiceLook& service : look.services) {
      if (service.decision.action != Decision::Action::deploy) {
        continue;
      }
      References its = references_to_deploy(service);
      const Held holder = held[i];
      if (const ImageReference* shared = common(its, holder.references)) {
        const std::string why =
            fmt::format("one transaction with {}, with which it shares {}; {} is {}", holder.name,
                        shared->familiar(), holder.name, holder.why);
        hold_back(service.decision, why);
        held.push_back({service.watch.name, std::move(its), "held back: " + why});
      }
    }
  }
}

}  // namespace tallyman
