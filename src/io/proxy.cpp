#include "io/proxy.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <utility>

#include "io/curl_errors.hpp"
#include "io/curl_url.hpp"
#include "tallyman/io/log.hpp"

namespace tallyman {

namespace {

using IpAddress = std::array<std::uint8_t, 16>;

constexpr unsigned k_ipv4_prefix = 96;

std::string lower_name(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

/// IPv4 as ::ffff:a.b.c.d
std::optional<IpAddress> ip_address(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) {
    text = text.substr(1, text.size() - 2);
  }
  IpAddress address{};
  if (inet_pton(AF_INET, std::string(text).c_str(), &address[12]) == 1) {
    address[10] = address[11] = 0xff;
    return address;
  }
  return inet_pton(AF_INET6, std::string(text).c_str(), address.data()) == 1
             ? std::optional(address)
             : std::nullopt;
}

bool in_network(const IpAddress& address, std::string_view network_text, std::string_view length) {
  const std::optional<IpAddress> network = ip_address(network_text);
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
  bits += network_text.contains(':') ? 0 : k_ipv4_prefix;
  if (!network || error != std::errc() || end != length.data() + length.size() || bits > 128) {
    return false;
  }
  const auto bit_of = [](const IpAddress& bytes, unsigned bit) {
    return (bytes[bit / 8] >> (7 - bit % 8)) & 1U;
  };
  for (unsigned bit = 0; bit < bits; ++bit) {
    if (bit_of(address, bit) != bit_of(*network, bit)) {
      return false;
    }
  }
  return true;
}

bool is_loopback_host(std::string_view host) {
  const std::optional<IpAddress> address = ip_address(host);
  return host == "localhost" || host.ends_with(".localhost") ||
         (address &&
          (in_network(*address, "127.0.0.0", "8") || in_network(*address, "::1", "128")));
}

/// `entry` in lower case.
bool is_for(std::string_view entry, std::string_view host, std::string_view port) {
  if (entry == "*") {
    return true;
  }
  const std::size_t colon = entry.rfind(':');
  const bool is_ipv6 = entry.find(':') != colon && !entry.starts_with('[');
  if (colon != std::string_view::npos && !is_ipv6 && !entry.ends_with(']')) {
    if (entry.substr(colon + 1) != port) {
      return false;
    }
    entry = entry.substr(0, colon);
  }
  if (const std::optional<IpAddress> address = ip_address(host)) {
    const std::size_t slash = entry.find('/');
    return slash == std::string_view::npos
               ? ip_address(entry) == address
               : in_network(*address, entry.substr(0, slash), entry.substr(slash + 1));
  }
  entry.remove_prefix(entry.starts_with("*.") ? 2 : entry.starts_with('.') ? 1 : 0);
  return !entry.empty() && host.ends_with(entry) &&
         (host.size() == entry.size() || host[host.size() - entry.size() - 1] == '.');
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets any
  return value == nullptr ? std::string() : value;
}

/// The first that is set: value and name.
std::pair<std::string, std::string> first_of(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (std::string value = environment(name); !value.empty()) {
      return {std::move(value), name};
    }
  }
  return {};
}

/// A URL that curl cannot read stays as it is: curl says so.
Proxy read_proxy(std::string text, std::string source) {
  if (!text.contains("://")) {
    text = "http://" + text;
  }
  Proxy proxy;
  proxy.url = text;
  proxy.name = "(no valid URL)";
  proxy.source = std::move(source);
  const CurlUrl url = parse_url(text, CURLU_NON_SUPPORT_SCHEME);
  if (url == nullptr) {
    return proxy;
  }
  const std::string scheme = url_part(url.get(), CURLUPART_SCHEME);
  proxy.host = url_part(url.get(), CURLUPART_HOST);
  proxy.port = url_part(url.get(), CURLUPART_PORT);
  if (proxy.port.empty()) {  // curl would take 1080
    proxy.port = scheme == "http" ? "80" : scheme == "https" ? "443" : "1080";
    curl_url_set(url.get(), CURLUPART_PORT, proxy.port.c_str(), 0);
    proxy.url = url_part(url.get(), CURLUPART_URL);
  }
  proxy.has_login = !url_part(url.get(), CURLUPART_USER).empty();
  proxy.name = printable(fmt::format("{}://{}:{}", scheme, proxy.host, proxy.port));
  return proxy;
}

}  // namespace

bool is_exempt(std::string_view list, std::string_view host, std::string_view port) {
  const std::string name = lower_name(host);
  const std::string entries = lower_name(list);
  constexpr std::string_view k_separators = ", \t";
  for (std::size_t begin = 0; begin < entries.size();) {
    const std::size_t end = std::min(entries.find_first_of(k_separators, begin), entries.size());
    if (is_for(std::string_view(entries).substr(begin, end - begin), name, port)) {
      return true;
    }
    begin = end + 1;
  }
  return false;
}

std::optional<Proxy> proxy_for(const HttpRequest& request) {
  if (!request.unix_socket.empty()) {
    return std::nullopt;
  }
  if (request.route && request.route->proxy) {
    const std::string& url = *request.route->proxy;
    return url.empty() ? std::nullopt : std::optional(read_proxy(url, request.route->proxy_source));
  }
  auto [value, name] = request.url.starts_with("https:")
                           ? first_of({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
                           : first_of({"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"});
  if (value.empty()) {
    return std::nullopt;
  }
  const std::string target = target_of(request);
  const std::size_t colon = target.rfind(':');
  const std::string host = target.substr(0, colon);
  if (is_loopback_host(lower_name(host)) ||
      is_exempt(first_of({"no_proxy", "NO_PROXY"}).first, host, target.substr(colon + 1))) {
    return std::nullopt;
  }
  return read_proxy(std::move(value), "$" + name);
}

}  // namespace tallyman
