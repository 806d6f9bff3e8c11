#include "deploy/probes.hpp"

#include <utility>

#include "tallyman/io/encoding.hpp"
#include "tallyman/io/log.hpp"

namespace tallyman {
namespace {

constexpr std::chrono::seconds k_probe_timeout{5};
constexpr std::size_t k_max_body = std::size_t{64} * 1024;  // of an answer that nobody reads
constexpr std::size_t k_max_output = std::size_t{64} * 1024;
constexpr std::size_t k_longest_line = 200;
constexpr std::string_view k_white = " \t\r\n";

std::string shown(std::string_view line) {
  const std::size_t last = line.find_last_not_of(k_white);
  line = line.substr(0, last + 1);  // npos + 1 is 0
  return printable(cut_utf8(line, k_longest_line)) + (line.size() > k_longest_line ? "…" : "");
}

/// A query may hold a token.
std::string without_query(std::string_view url) {
  return printable(url.substr(0, url.find_first_of("?#")));
}

std::string how_it_ended(const Exit& exit, const Command& command) {
  std::string end = exit.describe(command);
  if (exit.timed_out) {
    return end;
  }
  return (exit.signal != 0 ? "was " : "ended with ") + end;
}

}  // namespace

std::string first_line(std::string_view text) {
  const std::size_t first = text.find_first_not_of(k_white);
  return first == std::string_view::npos
             ? ""
             : shown(text.substr(first, text.find('\n', first) - first));
}

std::string last_line(std::string_view text) {
  text = text.substr(0, text.find_last_not_of(k_white) + 1);
  return first_line(text.substr(text.rfind('\n') + 1));
}

Probed probe_http(Http& http, const std::string& url, std::optional<int> wanted) {
  HttpRequest request;
  request.url = url;
  request.verify_tls = false;
  request.max_body = k_max_body;
  request.connect_timeout = k_probe_timeout;
  request.timeout = k_probe_timeout;
  request.stall_timeout = k_probe_timeout;
  request.on_body = [](std::string_view) { return true; };  // a good answer may be long
  const HttpResult answer = http.fetch(std::move(request));
  const std::string name = without_query(url);
  if (!answer) {
    return {.name = name,
            .result = "no answer",
            .error = fmt::format("{}: {}", name, answer.error().error.message)};
  }
  const long status = answer->status;
  const bool good = wanted ? status == *wanted : status >= 200 && status <= 399;
  const std::string expected = wanted ? fmt::format("{}", *wanted) : "200 to 399";
  return {.good = good,
          .name = name,
          .result = fmt::format("{}", status),
          .error = fmt::format("{} answered {} (expected {})", name, status, expected)};
}

Probed probe_tcp(const HealthGate::Connect& connect, const std::string& address) {
  const Result<void> connected = connect(address, k_probe_timeout);
  return {.good = connected.has_value(),
          .name = printable(address),
          .result = connected ? "accepts" : "no connection",
          .error = connected ? "" : connected.error().message};
}

Probed probe_command(Process& process, const std::vector<std::string>& argv,
                     const std::map<std::string, std::string>& environment,
                     const HealthGate::OnOutput& on_output) {
  const Command command{.argv = argv,
                        .environment = environment,
                        .timeout = k_probe_timeout,
                        .max_output = k_max_output,
                        .on_output = on_output};
  // The program alone: its arguments are long, and may hold a password.
  const std::string name =
      fmt::format("`{}{}`", printable(argv.front()), argv.size() > 1 ? " …" : "");
  const Result<Exit> exit = process.run(command);
  if (!exit) {
    return {.name = name,
            .result = "cannot be started",
            .error = fmt::format("health command {}: {}", name, exit.error().message)};
  }
  return {.good = exit->ok(),
          .name = name,
          .result = exit->describe(command),
          .error = fmt::format("health command {} {}", name, how_it_ended(*exit, command)),
          .output = last_line(
              exit->err.find_first_not_of(k_white) == std::string::npos ? exit->out : exit->err)};
}

}  // namespace tallyman
