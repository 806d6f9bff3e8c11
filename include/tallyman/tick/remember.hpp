#pragma once

#include "tallyman/deploy/deployer.hpp"
#include "tallyman/model/memory.hpp"

namespace tallyman {

/// What memory learns of a deployment that has ended, for each of its services: the record, what is
/// good, settled, quarantined, kept or broken now, and failed attempts. Learning the same journal
/// twice changes nothing: a crash may come between this and the closing of the journal.
void remember_deployment(const Outcome& outcome, Memory& memory);

/// The same of one that could not even begin.
void remember_refusal(const ServiceName& service, const std::optional<Digest>& wanted,
                      Timestamp now, Memory& memory);

/// A digest whose deployments failed this often after containers were touched is quarantined,
/// whatever the reasons were.
inline constexpr int k_most_touching_failures = 3;

}  // namespace tallyman
