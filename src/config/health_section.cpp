#include "config/health_section.hpp"

#include "config/checks.hpp"
#include "config/table_reader.hpp"
#include "tallyman/io/encoding.hpp"
#include "tallyman/model/time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>
#include <utility>

namespace tallyman::config {

namespace {

constexpr std::chrono::milliseconds k_longest = std::chrono::hours(1);
constexpr int k_max_port = 65535;

void read_span(TableReader& reader, std::string_view key, std::string_view example,
               std::chrono::seconds shortest, std::chrono::milliseconds& span) {
  const auto text = reader.text(key, example);
  if (!text) {
    return;
  }
  const auto duration = parse_duration(text->text);
  if (!duration) {
    reader.report(text->at, key, message_of(duration.error()));
  } else if (*duration < shortest || *duration > k_longest) {
    reader.report(text->at, key,
                  fmt::format("{} is out of bounds: from \"{}s\" to \"1h\"", quoted(text->text),
                              shortest.count()));
  } else {
    span = *duration;
  }
}

bool is_port(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port >= 1 &&
         port <= k_max_port;
}

bool has_space(std::string_view text) {
  return text.find(' ') != std::string_view::npos || has_control_characters(text);
}

/// "" if it is "host:port", or "host" alone where no port is needed.
std::string_view flaw_of_address(std::string_view address, bool port_needed) {
  std::size_t host_end = address.find(':');
  if (address.starts_with('[')) {
    const std::size_t bracket = address.find(']');
    if (bracket == std::string_view::npos || bracket == 1) {
      return "no IPv6 address ends within these brackets";
    }
    host_end = bracket + 1 == address.size() ? std::string_view::npos : bracket + 1;
  } else if (std::ranges::count(address, ':') > 1) {
    return "an IPv6 address stands in brackets: \"[::1]:5432\"";
  }
  if (address.substr(0, host_end).empty()) {
    return "it names no host";
  }
  if (host_end == std::string_view::npos) {
    return port_needed ? "it names no port; write \"HOST:PORT\"" : "";
  }
  return address[host_end] == ':' && is_port(address.substr(host_end + 1))
             ? ""
             : "its port is no number from 1 to 65535";
}

bool is_url(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

std::string_view flaw_of_url(std::string_view url) {
  if (!is_url(url)) {
    return "a URL begins with http:// or https://";
  }
  if (has_space(url)) {
    return "a space or a control character in it; write %20 for a space";
  }
  url.remove_prefix(url.find("//") + 2);
  const auto authority = url.substr(0, url.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos) {
    return "user and password do not belong into a URL: they would be seen in messages; ask for "
           "something that needs none, or write a command";
  }
  return flaw_of_address(authority, false);
}

std::string_view flaw_of_tcp(std::string_view address) {
  if (is_url(address)) {
    return "that is a URL; write it under http, or only its \"HOST:PORT\" here";
  }
  if (has_space(address) || address.find_first_of("/@") != std::string_view::npos) {
    return "no address; write \"HOST:PORT\"";
  }
  return flaw_of_address(address, true);
}

std::vector<std::string> read_targets(TableReader& reader, std::string_view key,
                                      std::string_view (*flaw_of)(std::string_view)) {
  std::vector<std::string> targets;
  for (auto& target : without_duplicates(reader, key, reader.texts(key))) {
    if (const auto flaw = flaw_of(target.text); !flaw.empty()) {
      const bool secret = target.text.find('@') != std::string::npos;
      reader.report(target.at, key,
                    secret ? std::string(flaw) : fmt::format("{}: {}", quoted(target.text), flaw));
    }
    targets.push_back(std::move(target.text));
  }
  return targets;
}

}  // namespace

HealthSettings read_health(const TomlNode& table, ProblemList& problems) {
  const TomlSection section{ConfigFile::drop_in, "health", "health"};
  TableReader reader(table, section, problems);
  HealthSettings settings;
  read_span(reader, "timeout", "90s", std::chrono::seconds(1), settings.timeout);
  read_span(reader, "settle", "10s", std::chrono::seconds(0), settings.settle);
  settings.http = read_targets(reader, "http", flaw_of_url);
  settings.http_status = reader.integer("http_status", "200", 100, 599);
  settings.tcp = read_targets(reader, "tcp", flaw_of_tcp);
  settings.command = read_command(reader);
  reader.finish();
  return settings;
}

RollbackSettings read_rollback(const TomlNode& table, ProblemList& problems) {
  const TomlSection section{ConfigFile::drop_in, "rollback", "rollback"};
  TableReader reader(table, section, problems);
  RollbackSettings settings;
  settings.enabled = reader.boolean("enabled").value_or(settings.enabled);
  settings.keep = reader.integer("keep", "3", 0, 100).value_or(settings.keep);
  reader.finish();
  return settings;
}

}  // namespace tallyman::config
