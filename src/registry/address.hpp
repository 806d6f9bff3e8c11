#pragma once

#include "tallyman/registry/remote_registry.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tallyman {

/// An IP address in network order; an IPv4 one as ::ffff:a.b.c.d, so that both forms are equal.
using Address = std::array<std::uint8_t, 16>;

/// "10.0.0.1", "::1" or "[::1]"; nothing for names.
[[nodiscard]] std::optional<Address> parse_address(std::string_view host);

/// "10.0.0.0/8", "fd00::/8"; false if it is malformed.
[[nodiscard]] bool cidr_contains(std::string_view cidr, const Address& address);

// By what the host's name says: addresses behind other names are not looked up.
/// 127.0.0.0/8, ::1, the unspecified addresses, localhost and *.localhost
[[nodiscard]] bool is_loopback(std::string_view host);
/// 169.254.0.0/16, fe80::/10
[[nodiscard]] bool is_link_local(std::string_view host);
/// RFC 1918, RFC 6598 (100.64.0.0/10) and fc00::/7
[[nodiscard]] bool is_private(std::string_view host);

/// Does the engine list `domain` ("harbor.lan:8080") as insecure: by name and port as written, or
/// by a CIDR around its address?
[[nodiscard]] bool is_listed(const InsecureRegistries& insecure, std::string_view domain);

}  // namespace tallyman
