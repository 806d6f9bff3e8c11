#include "registry/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <initializer_list>
#include <string>

namespace tallyman {
namespace {

constexpr int k_ipv4_prefix = 96;

Address mapped(const std::array<std::uint8_t, 4>& ipv4) {
  Address address{};
  address[10] = address[11] = 0xff;
  std::ranges::copy(ipv4, address.begin() + 12);
  return address;
}

bool matches(const Address& a, const Address& b, int bits) {
  const auto whole = static_cast<std::size_t>(bits / 8);
  if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin())) {
    return false;
  }
  const int rest = bits % 8;
  return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

bool in_any(std::string_view host, std::initializer_list<std::string_view> cidrs) {
  const std::optional<Address> address = parse_address(host);
  return address && std::ranges::any_of(cidrs, [&](std::string_view cidr) {
           return cidr_contains(cidr, *address);
         });
}

bool is_localhost(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost");
}

/// "harbor.lan" of "harbor.lan:8080", "[::1]" of "[::1]:5000"
std::string_view without_port(std::string_view domain) {
  const std::size_t colon = domain.rfind(':');
  return colon == std::string_view::npos || domain.ends_with(']') ? domain
                                                                  : domain.substr(0, colon);
}

}  // namespace

std::optional<Address> parse_address(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  if (host.contains('\0')) {
    return std::nullopt;  // inet_pton() would read what is before it
  }
  const std::string text(host);
  std::array<std::uint8_t, 4> ipv4{};
  if (inet_pton(AF_INET, text.c_str(), ipv4.data()) == 1) {
    return mapped(ipv4);
  }
  Address address{};
  if (inet_pton(AF_INET6, text.c_str(), address.data()) == 1) {
    return address;
  }
  return std::nullopt;
}

bool cidr_contains(std::string_view cidr, const Address& address) {
  const std::size_t slash = cidr.find('/');
  if (slash == std::string_view::npos) {
    return false;
  }
  const std::string_view network_text = cidr.substr(0, slash);
  const std::string_view length = cidr.substr(slash + 1);
  const std::optional<Address> network = parse_address(network_text);
  int bits = -1;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
  const int first = network_text.find(':') == std::string_view::npos ? k_ipv4_prefix : 0;
  if (!network || error != std::errc() || end != length.data() + length.size() || bits < 0 ||
      bits + first > 128) {
    return false;
  }
  return matches(*network, address, bits + first);
}

bool is_loopback(std::string_view host) {
  return is_localhost(host) || in_any(host, {"127.0.0.0/8", "0.0.0.0/8", "::1/128", "::/128"});
}

bool is_link_local(std::string_view host) {
  return in_any(host, {"169.254.0.0/16", "fe80::/10"});
}

bool is_private(std::string_view host) {
  return in_any(host,
                {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"});
}

bool is_listed(const InsecureRegistries& insecure, std::string_view domain) {
  if (std::ranges::find(insecure.hosts, domain) != insecure.hosts.end()) {
    return true;
  }
  const std::string_view host = without_port(domain);
  const auto listed = [&](std::string_view text) {
    const std::optional<Address> address = parse_address(text);
    return address && std::ranges::any_of(insecure.cidrs, [&](const std::string& cidr) {
             return cidr_contains(cidr, *address);
           });
  };
  return is_localhost(host) ? listed("127.0.0.1") || listed("::1") : listed(host);
}

}  // namespace tallyman
