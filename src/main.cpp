#include <pwd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <map>
#include <string>
#include <vector>

#include "faults.hpp"
#include "tallyman/cli/arguments.hpp"
#include "tallyman/cli/commands.hpp"
#include "tallyman/config/config.hpp"
#include "tallyman/deploy/compose_target.hpp"
#include "tallyman/deploy/deployer.hpp"
#include "tallyman/deploy/gate.hpp"
#include "tallyman/deploy/hooks.hpp"
#include "tallyman/deploy/script_target.hpp"
#include "tallyman/engine/docker_engine.hpp"
#include "tallyman/io/curl_http.hpp"
#include "tallyman/io/encoding.hpp"
#include "tallyman/io/log.hpp"
#include "tallyman/io/process.hpp"
#include "tallyman/io/stop.hpp"
#include "tallyman/io/tcp.hpp"
#include "tallyman/registry/remote_registry.hpp"

namespace tallyman {
namespace {

constexpr const char* k_default_status_file = "/run/tallyman/status.json";
constexpr const char* k_default_engine = "unix:///run/docker.sock";
constexpr const char* k_default_path =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

Environment read_environment() {
  Environment environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    environment.emplace(text.substr(0, equals),
                        equals == std::string::npos ? "" : text.substr(equals + 1));
  }
  return environment;
}

std::string value(const Environment& environment, const std::string& name,
                  const std::string& otherwise = "") {
  const auto found = environment.find(name);
  return found != environment.end() && !found->second.empty() ? found->second : otherwise;
}

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

/// Who gives an order: the person behind sudo, if there is one.
std::string person(const Environment& environment) {
  constexpr std::size_t k_longest = 64;
  const std::string sudo_user = value(environment, "SUDO_USER");
  const passwd* user = sudo_user.empty() ? getpwuid(getuid()) : nullptr;
  const std::string name = user != nullptr ? user->pw_name : sudo_user;
  return name.empty() ? fmt::format("uid {}", getuid())
                      : std::string(cut_utf8(printable(name), k_longest));
}

Log::Options log_options(const Arguments& arguments, const Environment& environment,
                         bool journald) {
  const bool colour = isatty(STDERR_FILENO) == 1 && value(environment, "NO_COLOR").empty();
  return {arguments.log_level, arguments.log_format, journald, colour};
}

Terminal::Options terminal_options(const Environment& environment) {
  Terminal::Options options;
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  options.live = terminal && value(environment, "TERM") != "dumb";
  options.colour =
      terminal && value(environment, "NO_COLOR").empty() && value(environment, "TERM") != "dumb";
  winsize size{};
  if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40) {
    options.width = size.ws_col;
  }
  return options;
}

/// $DOCKER_HOST, then [engine] host, then the usual socket; as docker does with its flag, variable
/// and context.
Result<std::string> engine_socket(const Environment& environment, const Config& config) {
  const std::string variable = value(environment, "DOCKER_HOST");
  const std::string configured = config.engine_host.empty() ? k_default_engine : config.engine_host;
  const std::string url = variable.empty() ? configured : variable;
  constexpr std::string_view k_scheme = "unix://";
  if (!url.starts_with(k_scheme) || url.substr(k_scheme.size(), 1) != "/") {
    Error error{ErrorKind::config, fmt::format("DOCKER_HOST={} is no unix socket", printable(url))};
    error.remedy = "tallyman speaks to the engine of its own host: unix:///run/docker.sock";
    return std::unexpected(std::move(error));
  }
  return url.substr(k_scheme.size());
}

/// All that compose, scripts, hooks and health commands get of our environment.
Environment child_environment_of(const Environment& environment, const std::string& socket) {
  Environment result = {{"PATH", value(environment, "PATH", k_default_path)},
                        {"HOME", value(environment, "HOME", "/root")},
                        {"DOCKER_HOST", "unix://" + socket},
                        {"LC_ALL", "C"}};
  if (const std::string config = value(environment, "DOCKER_CONFIG"); !config.empty()) {
    result.emplace("DOCKER_CONFIG", config);
  }
  return result;
}

/// Where Docker and Podman keep certificates by registry (containers-certs.d(5)), for their own
/// users and for all.
std::vector<std::string> certs_folders(const Environment& environment) {
  const std::string user =
      value(environment, "XDG_CONFIG_HOME", value(environment, "HOME", "/root") + "/.config");
  return {user + "/docker/certs.d", user + "/containers/certs.d", "/etc/containers/certs.d",
          "/etc/docker/certs.d"};
}

/// systemd names the timer that started a service (systemd.exec(5), TRIGGER_UNIT, since version
/// 252).
std::string trigger(const Environment& environment) {
  return value(environment, "TRIGGER_UNIT").ends_with(".timer") ? "timer" : "manual";
}

Result<Config> load(const Arguments& arguments, Log& log) {
  // These need no configuration; one that is there is respected.
  const bool can_do_without =
      arguments.command == CommandName::digest ||
      (arguments.command == CommandName::status && !arguments.status_file.empty());
  if (can_do_without && access(arguments.config_directory.c_str(), F_OK) != 0) {
    return Config{};
  }
  auto config = load_config(arguments.config_directory);
  if (!config) {
    for (const Problem& problem : config.error()) {
      log.error("{}", problem.str());
    }
    return fail(ErrorKind::config, "the configuration cannot be used; nothing was touched");
  }
  return std::move(*config);
}

/// Memory for those that only look: whoever may not read it looks without.
Memory memory_to_look_with(const StateDirectory& state, const Clock& clock, Log& log) {
  auto memory = state.load_memory();
  if (!memory) {
    log.warning("looking without memory: {}", memory.error().message);
    return {};
  }
  std::erase_if(memory->holds, [&](const auto& entry) {
    return entry.second && entry.second->is_over(clock.now());
  });
  return std::move(*memory);
}

Order order_of(const Arguments& arguments, const Environment& environment) {
  const bool back = arguments.command == CommandName::rollback;
  return {.kind = back ? Order::Kind::rollback : Order::Kind::deploy,
          .service = arguments.services.front(),
          .to = arguments.to,
          .retry_quarantined = arguments.retry_quarantined,
          .recreate = arguments.recreate,
          .by = person(environment)};
}

InsecureRegistries insecure_registries(Engine& engine, Log& log) {
  const auto info = engine.info();
  if (!info) {
    log.debug("the engine does not tell its insecure registries: {}", info.error().message);
    return {};
  }
  return {info->insecure_cidrs, info->insecure_registries};
}

/// Everything concrete, in the order in which one needs the other.
int work(const Arguments& arguments, const Environment& environment, const Config& config,
         const Stop& stop, bool journald, Log& log) {
  Terminal out(stdout, terminal_options(environment));
  const std::string status_file =
      !arguments.status_file.empty()
          ? arguments.status_file
          : (config.status_file.empty() ? k_default_status_file : config.status_file);
  SystemClock clock;
  if (arguments.command == CommandName::status) {
    return status_command(status_file, arguments.json, clock, out, log);
  }
  if (arguments.command == CommandName::validate && !arguments.online) {
    return validate_command(config, out, certs_folders(environment));
  }
  const StateDirectory state(arguments.state_directory);
  if (arguments.command == CommandName::history) {
    const HistoryOptions options{.service = arguments.services.empty()
                                                ? std::nullopt
                                                : std::optional(arguments.services.front()),
                                 .json = arguments.json,
                                 .limit = arguments.limit};
    return history_command(config, state, options, out, log);
  }
  if (auto known = check_service_names(config, arguments.services); !known) {
    log.error(known.error());
    return k_exit_usage;
  }
  if (arguments.command == CommandName::hold) {
    const HoldOptions options{
        .reason = arguments.reason, .until = arguments.until, .by = person(environment)};
    return hold_command(state, arguments.services.front(), options, clock, out, log);
  }
  if (arguments.command == CommandName::release) {
    return release_command(state, arguments.services.front(), clock, out, log);
  }
  const auto socket = engine_socket(environment, config);
  if (!socket) {
    log.error(socket.error());
    return k_exit_usage;
  }

  const std::string agent = "tallyman/" TALLYMAN_VERSION;
  // The engine has its own: the registry asks it from within run(), and what was begun on it is
  // finished, whoever wants a stop.
  const Stop never;
  CurlHttp registry_http(stop, agent);
  CurlHttp engine_http(never, agent, registry_http);
  // A pull can take long, and touches no container: a stop ends it.
  CurlHttp pull_http(stop, agent);
#ifdef TALLYMAN_FAULTS
  Impatient engine_calls(engine_http, environment);
  Impatient pull_calls(pull_http, environment);
#else
  Http& engine_calls = engine_http;
  Http& pull_calls = pull_http;
#endif
  DockerEngine engine(engine_calls, pull_calls, *socket);
  PosixProcess process;
  CredentialStore credentials(
      config.registries, credential_places(environment, getuid(), k_default_path), process, log);
  RemoteRegistry registry(
      registry_http, credentials, config.registries,
      [&] { return insecure_registries(engine, log); }, clock, log, certs_folders(environment));
  if (arguments.command == CommandName::digest) {
    return digest_command(registry, arguments.image, arguments.platform, arguments.json, out, log);
  }
  const Environment child_environment = child_environment_of(environment, *socket);
  ComposeTarget compose(process, engine, child_environment, log);
  ScriptTarget script(process, child_environment, log);
  TargetOfPlan target(compose, script);
  HealthGate gate(engine, engine_http, process, clock, child_environment, connect_tcp);
  Hooks hooks(process, child_environment, log);
  Deployer deployer({registry, engine, target, gate, hooks, state, clock, stop, log,
                     phase_hook(environment, process)});

  switch (arguments.command) {
    case CommandName::run: {
      if (arguments.dry_run) {
        return dry_run_command(config, arguments.services, registry, engine, deployer,
                               memory_to_look_with(state, clock, log), clock, out);
      }
      Tick tick(config, registry, engine, deployer, state, clock, log);
      const TickOptions options{.only = arguments.services,
                                .trigger = trigger(environment),
                                .version = TALLYMAN_VERSION,
                                .host_name = host_name(),
                                .status_file = status_file};
      return run_command(tick, options, state, clock, journald, out, log);
    }
    case CommandName::deploy:
    case CommandName::rollback: {
      Tick tick(config, registry, engine, deployer, state, clock, log);
      const TickOptions options{.version = TALLYMAN_VERSION,
                                .host_name = host_name(),
                                .status_file = status_file,
                                .order = order_of(arguments, environment)};
      return order_command(tick, options, {state, clock, stop, arguments.wait, journald}, out, log);
    }
    case CommandName::check: {
      const CheckOptions options{.services = arguments.services,
                                 .json = arguments.json,
                                 .exit_code = arguments.exit_code,
                                 .version = TALLYMAN_VERSION,
                                 .host_name = host_name()};
      return check_command(config, options, registry, engine,
                           memory_to_look_with(state, clock, log), clock, out);
    }
    case CommandName::explain:
      return explain_command(config,
                             {.service = arguments.services.front(),
                              .json = arguments.json,
                              .version = TALLYMAN_VERSION,
                              .host_name = host_name()},
                             registry, engine, deployer, memory_to_look_with(state, clock, log),
                             clock, out);
    case CommandName::validate:
      return validate_online_command(config, registry, engine, deployer,
                                     memory_to_look_with(state, clock, log), out);
    case CommandName::status:
    case CommandName::digest:
    case CommandName::hold:
    case CommandName::release:
    case CommandName::history:
      break;
  }
  return k_exit_usage;
}

int run_program(const std::vector<std::string>& words) {
  const Stop stop = Stop::on_signals();
  const CurlGlobal curl;
  const Environment environment = read_environment();
  const auto arguments = parse_arguments(words, environment, TALLYMAN_VERSION);
  if (!arguments) {
    std::fputs(arguments.error().out.c_str(), stdout);
    std::fputs(arguments.error().err.c_str(), stderr);
    return arguments.error().status;
  }
  const bool journald = is_journal_stream(STDERR_FILENO, value(environment, "JOURNAL_STREAM"));
  Log log(log_options(*arguments, environment, journald));
  const auto config = load(*arguments, log);
  if (!config) {
    log.error(config.error());
    return k_exit_usage;
  }
  return work(*arguments, environment, *config, stop, journald, log);
}

}  // namespace
}  // namespace tallyman

int main(int argc, char** argv) {
  try {
    return tallyman::run_program({argv + 1, argv + argc});
  } catch (const std::exception& exception) {
    // Nothing here throws on purpose: a bug, or no memory left.
    std::fprintf(stderr, "tallyman: internal error: %s\n", exception.what());
  } catch (...) {
    std::fputs("tallyman: internal error\n", stderr);
  }
  return tallyman::k_exit_failed;
}
