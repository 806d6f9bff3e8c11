#include "tallyman/deploy/compose_target.hpp"

#include <algorithm>
#include <utility>

#include "deploy/children.hpp"
#include "tallyman/deploy/project_settings.hpp"

namespace tallyman {
namespace {

constexpr std::chrono::seconds k_question_timeout{60};

Error child_error(const Command& command, const Exit& exit, std::string_view what) {
  const std::string output = end_of_output(exit.err.empty() ? exit.out : exit.err);
  return {ErrorKind::process, fmt::format("{}: {}{}{}", what, exit.describe(command),
                                          output.empty() ? "" : ": ", output)};
}

Error wrong_image(const ServicePlan& service, const std::string& resolved) {
  Error error{
      ErrorKind::config,
      fmt::format("compose resolves the image of service {} to {}, but its containers run {}",
                  service.name, resolved.empty() ? "none" : printable(resolved),
                  service.reference.familiar())};
  error.remedy =
      "if a variable of somebody's shell chose it, put it into the project's .env file, into "
      "env_files, or under "
      "[compose] environment; if the files changed, run compose up once by hand";
  return error;
}

/// The image that compose itself resolves must be the one that is watched: a variable that lived
/// only in somebody's shell would otherwise deploy another tag.
Result<void> check_images(const std::map<std::string, ComposeService>& answer,
                          const ProjectPlan& plan) {
  for (const ServicePlan* service : plan.all()) {
    const auto found = answer.find(service->name);
    if (found == answer.end()) {
      Error error{ErrorKind::config,
                  fmt::format("compose knows no service {} in project {} ({})", service->name,
                              plan.compose.project, plan.compose.directory)};
      error.remedy = "check files and profiles under [compose]";
      return std::unexpected(std::move(error));
    }
    const auto reference = ImageReference::parse(found->second.image);
    if (!reference || *reference != service->reference) {
      return std::unexpected(wrong_image(*service, found->second.image));
    }
  }
  return {};
}

/// A service that compose does not know any more has a model, too: that is what it is by now.
ComposeModels models_of(const std::map<std::string, ComposeService>& answer,
                        const ComposeTool& tool, const ProjectPlan& plan,
                        const ModelInputs& inputs) {
  ComposeModels models;
  for (const ServicePlan* service : plan.all()) {
    const auto found = answer.find(service->name);
    models.emplace(service->name, ComposeModel{.made_by = tool.version(),
                                               .hash = found != answer.end() ? found->second.hash
                                                                             : "no such service",
                                               .inputs = inputs});
  }
  return models;
}

}  // namespace

ComposeTarget::ComposeTarget(Process& process, Engine& engine,
                             std::map<std::string, std::string> environment, Log& log)
    : m_process(process), m_engine(engine), m_environment(std::move(environment)), m_log(log) {}

const Result<ComposeTool>& ComposeTarget::probe(const std::vector<std::string>& argv) {
  if (const auto known = m_tools.find(argv); known != m_tools.end()) {
    return known->second;
  }
  Command command{.argv = argv, .environment = m_environment, .timeout = k_question_timeout};
  command.argv.insert(command.argv.end(), {"version", "--short"});
  auto probed = [&]() -> Result<ComposeTool> {
    const auto exit = m_process.run(command);
    if (!exit) {
      return std::unexpected(exit.error());
    }
    if (!exit->ok()) {
      return std::unexpected(
          child_error(command, *exit, fmt::format("{} version", fmt::join(argv, " "))));
    }
    auto tool = parse_compose_version(exit->out);
    if (!tool) {
      return fail(ErrorKind::process, "{} version --short printed no version: {}",
                  fmt::join(argv, " "), printable(exit->out.substr(0, 80)));
    }
    tool->argv = argv;
    return *tool;
  }();
  return m_tools.emplace(argv, std::move(probed)).first->second;
}

Result<bool> ComposeTarget::engine_has_container_config(const ProjectPlan& plan) {
  const auto image = m_engine.inspect_image(plan.services.front().containers.front().image_id);
  if (!image) {
    return std::unexpected(image.error());
  }
  return image->has_container_config;
}

/// Prefers the generation that started the containers; compose v1 only where the engine still has
/// what it needs: without ContainerConfig it fails half way, with the old container already
/// stopped.
Result<ComposeTool> ComposeTarget::choose_tool(const ProjectPlan& plan) {
  std::vector<std::vector<std::string>> candidates = {{"docker", "compose"}, {"docker-compose"}};
  if (!plan.compose.command.empty()) {
    candidates = {plan.compose.command};
  } else if (plan.created_by_v1) {
    std::ranges::reverse(candidates);
  }
  std::optional<Error> refused;
  std::string tried;
  for (const auto& candidate : candidates) {
    const Result<ComposeTool>& tool = probe(candidate);
    if (!tool) {
      tried += (tried.empty() ? "" : "; ") + tool.error().message;
      continue;
    }
    if (!tool->is_v1() && !tool->at_least(2, 8)) {
      refused = Error{ErrorKind::config,
                      fmt::format("{} is too old: up --pull never came with 2.8", tool->str()),
                      "install a newer docker compose"};
      continue;
    }
    if (tool->is_v1()) {
      const auto usable = engine_has_container_config(plan);
      if (!usable) {
        return std::unexpected(usable.error());
      }
      if (!*usable) {
        refused =
            Error{ErrorKind::config,
                  fmt::format("{} cannot recreate containers on this engine: its images have no "
                              "ContainerConfig any more, and compose v1 fails half way",
                              tool->str()),
                  "install docker compose v2"};
        continue;
      }
    }
    return *tool;
  }
  return std::unexpected(
      refused.value_or(Error{ErrorKind::config, fmt::format("no usable Docker Compose: {}", tried),
                             "install docker compose v2, or set command under [compose]"}));
}

Command ComposeTarget::command_for(const ComposeTool& tool, const ProjectPlan& plan) const {
  const ComposeSettings& compose = plan.compose;
  Command command{.argv = tool.argv,
                  .directory = compose.directory,
                  .environment = m_environment,
                  .timeout = k_question_timeout};
  for (const auto& [name, value] : compose.environment) {
    command.environment.insert_or_assign(name, value);
  }
  std::vector<std::string>& argv = command.argv;
  const auto add = [&](std::initializer_list<std::string> arguments) {
    argv.insert(argv.end(), arguments);
  };
  if (tool.is_v1() && !tool.at_least(1, 28)) {
    add({"--no-ansi"});
  } else {
    add({"--ansi", "never"});
  }
  if (tool.at_least(2, 19)) {
    add({"--progress", "plain"});
  }
  add({"-p", compose.project, "--project-directory", compose.directory});
  for (const std::string& file : compose.files) {
    add({"-f", file});
  }
  for (const std::string& file : compose.env_files) {
    add({"--env-file", file});
  }
  for (const std::string& profile : compose.profiles) {
    add({"--profile", profile});
  }
  return command;
}

/// What compose makes of its files.
Result<ComposeTarget::Answer> ComposeTarget::ask(const ComposeTool& tool, const ProjectPlan& plan) {
  constexpr std::size_t k_largest_model = std::size_t{16} * 1024 * 1024;
  Command command = command_for(tool, plan);
  command.max_output = k_largest_model;
  command.argv.push_back("config");
  if (!tool.is_v1()) {
    // Naming a service makes v2 print it whatever its profile is; v1 prints them all and takes no
    // names.
    for (const ServicePlan* service : plan.all()) {
      command.argv.push_back(service->name);
    }
  }
  const auto exit = m_process.run(command);
  if (!exit) {
    return std::unexpected(exit.error());
  }
  if (!exit->ok()) {
    // Its stdout is the resolved model, with every password of the services' environments.
    Exit told = *exit;
    told.out.clear();
    return std::unexpected(child_error(command, told, "compose config"));
  }
  return parse_compose_model(exit->out);
}

Result<PreparedProject> ComposeTarget::prepare(const ProjectPlan& plan) {
  const auto tool = choose_tool(plan);
  if (!tool) {
    return std::unexpected(tool.error());
  }
  if (tool->is_v1() && plan.compose.env_files.size() > 1) {
    return fail(ErrorKind::config, "{} takes one env file, project {} has {}", tool->str(),
                plan.compose.project, plan.compose.env_files.size());
  }
  const ModelInputs inputs = inputs_of(plan.compose);  // before they are read: a later edit is seen
  const auto answer = ask(*tool, plan);
  if (!answer) {
    return std::unexpected(answer.error());
  }
  if (auto checked = check_images(*answer, plan); !checked) {
    return std::unexpected(checked.error());
  }
  return PreparedProject{.plan = plan,
                         .recreate = up_command(*tool, plan),
                         .models = models_of(*answer, *tool, plan, inputs)};
}

Result<ComposeModels> ComposeTarget::models(const ProjectPlan& plan) {
  const auto tool = choose_tool(plan);
  if (!tool) {
    return std::unexpected(tool.error());
  }
  const ModelInputs inputs = inputs_of(plan.compose);
  const auto answer = ask(*tool, plan);
  if (!answer) {
    return std::unexpected(answer.error());
  }
  return models_of(*answer, *tool, plan, inputs);
}

Command ComposeTarget::up_command(const ComposeTool& tool, const ProjectPlan& plan) const {
  Command command = command_for(tool, plan);
  command.timeout = plan.compose.timeout;
  std::vector<std::string>& argv = command.argv;
  argv.insert(argv.end(), {"up", "-d", "--no-deps", "--no-build"});
  if (!tool.is_v1()) {
    // Whatever pull_policy says: what was checked is deployed, not what the tag means by now.
    argv.insert(argv.end(), {"--pull", "never"});
  }
  if (!plan.followers.empty() || plan.forced) {
    // v1 takes a service in a dead network namespace for up to date.
    argv.push_back("--force-recreate");
  }
  const std::vector<const ServicePlan*> services = plan.all();
  for (const ServicePlan* service : services) {
    // A plain up would go back to the number in the file.
    argv.insert(argv.end(), {"--scale", fmt::format("{}={}", service->name, service->replicas())});
  }
  for (const ServicePlan* service : services) {
    argv.push_back(service->name);
  }
  return command;
}

Result<void> ComposeTarget::recreate(const PreparedProject& project, const Lock& lock) {
  Command command = project.recreate;
  command.keep_fd = lock.fd();
  LoggedLines lines(m_log, fmt::format("compose {}", project.plan.compose.project));
  command.on_line = [&](std::string_view line) { lines.add(line); };
  // Without [compose] environment: a password may be in it, and this goes to the log.
  m_log.debug("running {}", shell_line(command, {}));
  const auto exit = m_process.run(command);
  if (!exit) {
    return std::unexpected(exit.error());
  }
  if (!exit->ok()) {
    return std::unexpected(child_error(
        command, *exit, fmt::format("compose up of project {}", project.plan.compose.project)));
  }
  return {};
}

}  // namespace tallyman
