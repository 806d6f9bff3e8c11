#include <nlohmann/json.hpp>

#include "fuzz/fuzz.hpp"
#include "tallyman/state/state_directory.hpp"

namespace tallyman {

FUZZ_TARGET(memory) {
  const auto memory = parse_memory(input);
  if (!memory) {
    HOLDS(memory.error().kind == ErrorKind::protocol);
    return;
  }
  HOLDS(nlohmann::json::parse(input).at("schema") == 1);
  const std::string written = memory_to_json(*memory);
  const auto again = parse_memory(written);
  HOLDS(again && memory_to_json(*again) == written);
  HOLDS(again->seen.size() == memory->seen.size());
  HOLDS(again->equivalent == memory->equivalent);
  for (const auto& [name, service] : memory->services) {
    const ServiceMemory& back = again->services.at(name);
    HOLDS(back.last_good == service.last_good && back.settled == service.settled);
    HOLDS(back.quarantined.size() == service.quarantined.size());
    HOLDS(back.kept.size() == service.kept.size());
    HOLDS(back.consecutive_failures == service.consecutive_failures);
    (void)backoff(service.attempts.count);
  }
}

}  // namespace tallyman
