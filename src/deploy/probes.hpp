#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tallyman/deploy/gate.hpp"

namespace tallyman {

/// What one try of a probe gave.
struct Probed {
  bool good = false;
  std::string name;         ///< "http://127.0.0.1:3000/health"
  std::string result;       ///< "503"
  std::string error = {};   ///< "http://127.0.0.1:3000/health answered 503 (expected 200 to 399)"
  std::string output = {};  ///< of a command, its last line
};

/// No redirects, no certificates checked; without `wanted`, any status from 200 to 399 is good.
[[nodiscard]] Probed probe_http(Http& http, const std::string& url, std::optional<int> wanted);
[[nodiscard]] Probed probe_tcp(const HealthGate::Connect& connect, const std::string& address);
[[nodiscard]] Probed probe_command(Process& process, const std::vector<std::string>& argv,
                                   const std::map<std::string, std::string>& environment,
                                   const HealthGate::OnOutput& on_output = {});

/// The first or last line of foreign text that is not blank, for a message: printable, not too
/// long.
[[nodiscard]] std::string first_line(std::string_view text);
[[nodiscard]] std::string last_line(std::string_view text);

}  // namespace tallyman
