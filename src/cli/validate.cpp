#include "tallyman/cli/commands.hpp"
#include "tallyman/registry/remote_registry.hpp"

namespace tallyman {
namespace {

int print_problems(const Config& config, Terminal& out) {
  int count = 0;
  for (const BrokenDropIn& broken : config.broken) {
    for (const Problem& problem : broken.problems) {
      out.line(problem.str());
      ++count;
    }
  }
  return count;
}

int print_certificate_problems(const Config& config, const std::vector<std::string>& folders,
                               Terminal& out) {
  int count = 0;
  for (const auto& [domain, settings] : config.registries) {
    if (const auto good = check_certificate_files(domain, settings, folders); !good) {
      out.line(fmt::format("[registry.\"{}\"]: {}", domain, good.error().message));
      ++count;
    }
  }
  return count;
}

std::string counted(std::size_t count, std::string_view singular, std::string_view plural) {
  return fmt::format("{} {}", count, count == 1 ? singular : plural);
}

int conclude(const Config& config, int problems, Terminal& out) {
  const std::string services =
      counted(config.watches.size() + config.broken.size(), "drop-in", "drop-ins");
  out.line(problems == 0 ? services + ", no problems"
                         : services + ", " +
                               counted(static_cast<std::size_t>(problems), "problem", "problems"));
  return problems == 0 ? k_exit_ok : k_exit_failed;
}

void print_error(const ServiceLook& service, const Error& error, Terminal& out) {
  out.line(fmt::format("{}: {}", service.watch.file, error.message));
  if (!error.remedy.empty()) {
    out.print(labelled("fix", error.remedy, out.width()));
  }
}

}  // namespace

int validate_command(const Config& config, Terminal& out,
                     const std::vector<std::string>& certs_folders) {
  const int problems = print_problems(config, out);
  return conclude(config, problems + print_certificate_problems(config, certs_folders, out), out);
}

int validate_online_command(const Config& config, Registry& registry, Engine& engine,
                            Deployer& deployer, Memory memory, Terminal& out) {
  int problems = print_problems(config, out);
  Config readable = config;
  readable.broken.clear();
  const Look look = look_at(readable, {}, registry, engine, memory, {});
  for (const ServiceLook& service : look.services) {
    std::optional<Error> error = service.decision.error;
    if (service.decision.action == Decision::Action::deploy) {
      const auto prepared = prepare(service, *look.host, deployer);
      if (!prepared) {
        error = prepared.error();
      }
    }
    if (error) {
      print_error(service, *error, out);
      ++problems;
    }
  }
  return conclude(config, problems, out);
}

}  // namespace tallyman
