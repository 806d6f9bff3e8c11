#include "registry/url.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <utility>

#include "registry/address.hpp"

namespace tallyman {
namespace {

constexpr std::size_t k_max_length = std::size_t{16} * 1024;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return result;
}

bool is_label(std::string_view label) {
  return !label.empty() && std::ranges::all_of(label, [](char c) {
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_';
  });
}

/// A name whose last label is a number is read as an IPv4 address by curl and others.
bool ends_in_number(std::string_view last_label) {
  return last_label.starts_with("0x") || std::ranges::all_of(last_label, is_digit);
}

std::optional<std::string> parse_name(std::string_view text) {
  std::string host = lower(text);
  std::string_view rest = host;
  while (true) {
    const std::size_t dot = rest.find('.');
    if (!is_label(rest.substr(0, dot))) {
      return std::nullopt;
    }
    if (dot == std::string_view::npos) {
      break;
    }
    rest.remove_prefix(dot + 1);
  }
  if (host.size() > 253 || (ends_in_number(rest) && !parse_address(host))) {
    return std::nullopt;
  }
  return host;
}

std::optional<std::string> parse_ipv6(std::string_view text) {
  std::array<unsigned char, 16> address{};
  std::array<char, INET6_ADDRSTRLEN> shortest{};
  if (inet_pton(AF_INET6, std::string(text).c_str(), address.data()) != 1 ||
      inet_ntop(AF_INET6, address.data(), shortest.data(), shortest.size()) == nullptr) {
    return std::nullopt;
  }
  return fmt::format("[{}]", shortest.data());
}

bool parse_port(std::string_view text, std::uint16_t& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port != 0;
}

bool parse_authority(std::string_view text, Url& url) {
  std::optional<std::string> host;
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) {
      return false;
    }
    host = parse_ipv6(text.substr(1, bracket - 1));
    text.remove_prefix(bracket + 1);
  } else {
    const std::size_t colon = text.find(':');
    host = parse_name(text.substr(0, colon));
    text.remove_prefix(std::min(colon, text.size()));
  }
  if (!host) {
    return false;
  }
  url.host = std::move(*host);
  url.port = url.scheme == "https" ? 443 : 80;
  return text.empty() || (text.starts_with(':') && parse_port(text.substr(1), url.port));
}

bool is_clean(std::string_view text) {
  return text.size() <= k_max_length &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~' && c != '\\'; });
}

void set_path_and_query(std::string_view text, Url& url) {
  text = text.substr(0, text.find('#'));
  const std::size_t question = text.find('?');
  url.path = std::string(text.substr(0, question));
  url.query =
      question == std::string_view::npos ? std::string() : std::string(text.substr(question + 1));
  if (url.path.empty()) {
    url.path = "/";
  }
}

bool has_scheme(std::string_view text) {
  const std::size_t colon = text.find(':');
  return colon != std::string_view::npos && colon < text.find_first_of("/?#");
}

}  // namespace

std::optional<Url> Url::parse(std::string_view text) {
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos || !is_clean(text)) {
    return std::nullopt;
  }
  Url url;
  url.scheme = lower(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https") {
    return std::nullopt;
  }
  text.remove_prefix(colon + 3);
  const std::size_t end = std::min(text.find_first_of("/?#"), text.size());
  if (!parse_authority(text.substr(0, end), url)) {
    return std::nullopt;
  }
  set_path_and_query(text.substr(end), url);
  return url;
}

std::optional<Url> Url::resolve(std::string_view text) const {
  if (text.empty() || !is_clean(text)) {
    return std::nullopt;
  }
  if (has_scheme(text)) {
    return parse(text);
  }
  if (text.starts_with("//")) {
    return parse(fmt::format("{}:{}", scheme, text));
  }
  Url url = *this;
  if (text.starts_with('/')) {
    set_path_and_query(text, url);
  } else if (text.starts_with('?')) {
    url.query = std::string(text.substr(1, text.find('#') - 1));
  } else {
    set_path_and_query(fmt::format("{}/{}", path.substr(0, path.rfind('/')), text), url);
  }
  return url;
}

Url Url::with_path(std::string new_path) const {
  Url url = *this;
  url.path = std::move(new_path);
  url.query.clear();
  return url;
}

std::string Url::authority() const {
  const bool is_default = port == (scheme == "https" ? 443 : 80);
  return is_default ? host : fmt::format("{}:{}", host, port);
}

std::string Url::origin() const {
  return fmt::format("{}://{}", scheme, authority());
}

std::string Url::str() const {
  return fmt::format("{}{}{}{}", origin(), path, query.empty() ? "" : "?", query);
}

bool same_origin(const Url& a, const Url& b) {
  return a.scheme == b.scheme && a.host == b.host && a.port == b.port;
}

}  // namespace tallyman
