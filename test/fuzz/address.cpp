#include "registry/address.hpp"

#include "fuzz/fuzz.hpp"

namespace tallyman {

// A host on the first line, a CIDR on the second.
FUZZ_TARGET(address) {
  const std::string_view host = fuzz::take_line(input);
  const auto address = parse_address(host);
  // All three at once would make one of the messages wrong.
  HOLDS(is_loopback(host) + is_link_local(host) + is_private(host) <= 1);
  const InsecureRegistries none;
  HOLDS(!is_listed(none, host));
  const InsecureRegistries listed{.hosts = {std::string(host)}};
  HOLDS(host.empty() || is_listed(listed, host));
  HOLDS(!address || !host.contains('\0'));
  if (address) {
    HOLDS(cidr_contains("::/0", *address) || cidr_contains("0.0.0.0/0", *address));
    const std::string host_route = std::string(host) + (host.contains(':') ? "/128" : "/32");
    HOLDS(host.starts_with('[') || cidr_contains(host_route, *address));
    (void)cidr_contains(input, *address);
  }
}

}  // namespace tallyman
