#pragma once

namespace tallyman {

inline constexpr long k_connections_per_host = 6;

}  // namespace tallyman
