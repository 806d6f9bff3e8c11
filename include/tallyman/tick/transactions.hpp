#pragma once

#include "tallyman/config/config.hpp"
#include "tallyman/model/memory.hpp"
#include "tallyman/tick/look.hpp"

namespace tallyman {

/// The drop-ins that are one transaction with `service`: itself, and those that share a reference
/// with one of them on this host.
[[nodiscard]] std::vector<ServiceName> transaction_of(const ServiceName& service,
                                                      const Config& config, const Host& host);

/// Holds back what shares a reference with a drop-in that is held, whether that one was looked at
/// or not.
void hold_transactions(const Config& config, const Memory& memory, Timestamp now, Look& look);

}  // namespace tallyman
