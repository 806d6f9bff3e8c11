#pragma once

#include <string>
#include <utility>

namespace tallyman {

/// A password or token. It has no formatter and no operator<<, so that it cannot slip into a
/// message or a log; reveal() is said only where it goes onto the wire.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : m_value(std::move(value)) {}
  [[nodiscard]] const std::string& reveal() const { return m_value; }
  [[nodiscard]] bool empty() const { return m_value.empty(); }
  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  std::string m_value;
};

/// Who we are to a registry.
struct Credential {
  std::string username;
  Secret password = {};
  std::string origin = {};  ///< where it was found, for people: `[registry."harbor.lan"]`,
                            ///< "/root/.docker/config.json"
};

}  // namespace tallyman
