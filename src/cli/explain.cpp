#include "tallyman/cli/commands.hpp"
#include "tallyman/deploy/compose_target.hpp"

namespace tallyman {
namespace {

std::string_view match_text(Match match) {
  switch (match) {
    case Match::same:
      return "runs the registry's digest";
    case Match::same_content:
      return "another digest, the same image for this platform";
    case Match::differs:
      return "differs";
    case Match::unclear:
      break;
  }
  return "not known";
}

std::string registry_text(const Comparison& comparison, Registry& registry) {
  switch (comparison.question) {
    case Question::pinned:
      return "not asked: runs by digest";
    case Question::no_origin:
      return "not asked: no registry in its name, and nothing shows that it came from Docker Hub";
    case Question::ask:
      break;
  }
  const std::string access = registry.describe_access(comparison.running.reference);
  if (!comparison.remote || !comparison.remote->has_value()) {
    return fmt::format("no answer ({})", access);
  }
  return fmt::format("{}\n({})", (*comparison.remote)->digest.str(), access);
}

void print_image(const Comparison& comparison, Registry& registry, const Memory& memory,
                 const Clock& clock, Terminal& out) {
  const int width = out.width();
  out.print(labelled("image", comparison.running.reference.familiar(), width));
  out.print(labelled("registry", registry_text(comparison, registry), width));
  if (comparison.remote && comparison.remote->has_value() && (*comparison.remote)->platform) {
    const PlatformImage& platform = *(*comparison.remote)->platform;
    out.print(labelled(
        "", fmt::format("for {}: {}", comparison.platform.str(), platform.manifest.str()), width));
  }
  for (const Replica& replica : comparison.running.replicas) {
    std::string text = fmt::format(
        "{}, {} for {}", replica.container.name, to_string(replica.container.status),
        humanize(std::max(clock.now() - replica.container.created, std::chrono::milliseconds(0))));
    for (const Digest& digest : own_digests(comparison.running.reference, replica)) {
      text += "\n" + digest.str();
    }
    if (comparison.remote && comparison.remote->has_value()) {
      text += fmt::format("\n{}", match_text(match(**comparison.remote, replica, memory)));
    }
    out.print(labelled("container", text, width));
  }
}

void print_plan(const ServiceLook& service, const Host& host, Deployer& deployer, Terminal& out) {
  const auto prepared = prepare(service, host, deployer);
  if (!prepared) {
    out.print(labelled("obstacle", prepared.error().message, out.width()));
    if (!prepared.error().remedy.empty()) {
      out.print(labelled("fix", prepared.error().remedy, out.width()));
    }
    return;
  }
  for (const PreparedProject& project : *prepared) {
    out.print(labelled("would run", shell_line(project.recreate, project.plan.shown_environment()),
                       out.width()));
  }
}

}  // namespace

int explain_command(const Config& config, const ServiceName& service, Registry& registry,
                    Engine& engine, Deployer& deployer, Memory memory, const Clock& clock,
                    Terminal& out) {
  const Look look = look_at(config, {service}, registry, engine, memory, {.now = clock.now()});
  const ServiceLook& seen = look.services.front();
  const Decision& decision = seen.decision;
  const bool deploys = decision.action == Decision::Action::deploy;
  out.line(fmt::format("{}: {} ({})", service,
                       out.styled(to_string(decision.state), style_of(decision.state)),
                       to_string(decision.reason_code)));
  if (!seen.watch.file.empty()) {
    out.print(labelled("drop-in",
                       fmt::format("{}, mode {}", seen.watch.file,
                                   seen.watch.mode == Mode::notify ? "notify" : "auto"),
                       out.width()));
  }
  for (const Comparison& comparison : seen.comparisons) {
    print_image(comparison, registry, memory, clock, out);
  }
  for (const Container& container : seen.by_id) {
    out.print(labelled("container", container.name + ", created from an image id", out.width()));
  }
  if (decision.error) {
    out.print(labelled("error", decision.error->message, out.width()));
    if (!decision.error->remedy.empty()) {
      out.print(labelled("fix", decision.error->remedy, out.width()));
    }
  } else if (!decision.reason.empty()) {
    out.print(labelled("because", decision.reason, out.width()));
  }
  if (deploys) {
    print_plan(seen, *look.host, deployer, out);
  }
  return decision.error ? k_exit_failed : k_exit_ok;
}

}  // namespace tallyman
