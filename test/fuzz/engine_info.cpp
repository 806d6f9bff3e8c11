#include "engine/info.hpp"
#include "fuzz/fuzz.hpp"
#include "registry/address.hpp"

namespace tallyman {

FUZZ_TARGET(engine_info) {
  const auto own = parse_own_platform(input);
  HOLDS(own || own.error().kind == ErrorKind::protocol);
  const auto info = parse_info(input);
  if (!info) {
    HOLDS(info.error().kind == ErrorKind::protocol);
    return;
  }
  HOLDS(info->socket.empty() && info->api_version.empty());
  HOLDS(info->platform == info->platform.normalised());
  const InsecureRegistries listed{info->insecure_cidrs, info->insecure_registries};
  for (const std::string& domain : info->insecure_registries) {
    HOLDS(domain.empty() || is_listed(listed, domain));
  }
  (void)is_listed(listed, "172.21.138.103:5000");
}

}  // namespace tallyman
