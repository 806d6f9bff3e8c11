#pragma once

#include <optional>
#include <vector>

#include "tallyman/config/config.hpp"
#include "tallyman/engine/engine.hpp"
#include "tallyman/model/decision.hpp"
#include "tallyman/registry/registry.hpp"

namespace tallyman {

/// One service with both sides known, and what follows from them.
struct ServiceLook {
  Watch watch;  ///< of a broken drop-in only the name
  std::vector<Comparison> comparisons = {};
  std::vector<Container> by_id = {};
  Decision decision = {};
  std::optional<Drift> drift = std::nullopt;  ///< look_for_drift() (tick/drift.hpp) tells
};

/// Everything a tick knows before it acts.
struct Look {
  std::optional<Host> host;           ///< nothing if the engine did not answer
  std::vector<ServiceLook> services;  ///< by name
};

/// The first half of the walk: observes the host and the registries, and decides. Changes nothing
/// on either side. `only`: the services to look at; empty: all. `memory` learns what registries
/// have, which digests are equivalent, how often a digest was seen (where `moment` counts), that a
/// tag moved away from a quarantined digest, and that a broken service runs well again. What people
/// hold, and what is one transaction with it, is held. Whatever goes wrong is a service's decision:
/// unknown, with its error.
[[nodiscard]] Look look_at(const Config& config, const std::vector<ServiceName>& only,
                           Registry& registry, Engine& engine, Memory& memory,
                           const Moment& moment);

/// What an image was made for; where the engine has forgotten it, what the engine's containers run
/// on.
[[nodiscard]] Result<Platform> platform_of(const std::string& image_id, Engine& engine);

}  // namespace tallyman
