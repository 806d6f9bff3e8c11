#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "tallyman/model/time.hpp"

namespace tallyman {

/// Somebody said: leave this service alone.
struct Hold {
  std::string reason = {};                        ///< one line; empty: none was given
  std::optional<Timestamp> until = std::nullopt;  ///< from then on there is no hold any more
  std::string by;                                 ///< who: "anna"
  Timestamp at = {};                              ///< since when
  std::string command = std::string(k_by_hand);  ///< what put it: "hold", "deploy --to", "rollback"

  static constexpr std::string_view k_by_hand = "hold";

  [[nodiscard]] bool is_over(Timestamp now) const { return until && *until <= now; }
  /// "anna", "anna (rollback)"
  [[nodiscard]] std::string who() const;
  /// "held by anna (rollback) since 2026-11-22T19:45:14Z until 2026-12-01T08:00:00Z: reason"
  [[nodiscard]] std::string str() const;
};

/// Bytes of a reason.
inline constexpr std::size_t k_longest_hold_reason = 500;

}  // namespace tallyman
