#include "tallyman/cli/arguments.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <sstream>

#include "cli/hand_arguments.hpp"
#include "tallyman/config/config.hpp"
#include "tallyman/io/files.hpp"
#include "tallyman/model/time.hpp"
#include "tallyman/state/state_directory.hpp"

namespace tallyman {
namespace {

const std::map<std::string, LogLevel>& log_levels() {
  static const std::map<std::string, LogLevel> k_levels = {{"debug", LogLevel::debug},
                                                           {"info", LogLevel::info},
                                                           {"warning", LogLevel::warning},
                                                           {"error", LogLevel::error},
                                                           {"off", LogLevel::off}};
  return k_levels;
}

template <class Value>
CLI::Validator one_of(const std::map<std::string, Value>& values) {
  std::vector<std::string> names;
  for (const auto& [name, value] : values) {
    names.push_back(name);
  }
  return CLI::IsMember(names);
}

struct Texts {
  std::string log_level = "info";
  std::string log_format = "text";
  std::string platform;
  std::string wait;
};

void add_global_options(CLI::App& app, Arguments& arguments, Texts& texts) {
  app.add_option("--config", arguments.config_directory, "Folder of tallyman.toml and conf.d")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_option("--state", arguments.state_directory, "Folder of what must survive a reboot")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_option("--status-file", arguments.status_file, "Status file [/run/tallyman/status.json]")
      ->type_name("FILE");
  app.add_option("--log-level", texts.log_level, "Least that is logged")
      ->type_name("LEVEL")
      ->check(one_of(log_levels()))
      ->capture_default_str();
  app.add_option("--log-format", texts.log_format, "Form of the log")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
}

void add_services(CLI::App* command, Arguments& arguments) {
  command->add_option("SERVICE", arguments.services, "Names of drop-ins; all without any")
      ->type_name("");
}

void add_commands(CLI::App& app, Arguments& arguments, Texts& texts) {
  CLI::App* run = add_command(app, arguments, CommandName::run, "run",
                              "One tick: look, deploy what differs, write the status file",
                              "  tallyman run\n"
                              "  tallyman run web --dry-run");
  add_services(run, arguments);
  run->add_flag("--dry-run", arguments.dry_run,
                "Print the compose commands that would run, touch nothing");

  CLI::App* check = add_command(app, arguments, CommandName::check, "check",
                                "Look and say what a run would do; touch nothing",
                                "  tallyman check\n"
                                "  tallyman check web --exit-code || echo \"update or trouble\"");
  add_services(check, arguments);
  check->add_flag("--json", arguments.json, "Print what the status file would say");
  check->add_flag("--exit-code", arguments.exit_code,
                  "Exit with 10 if an update is pending and nothing is wrong");

  CLI::App* status = add_command(app, arguments, CommandName::status, "status",
                                 "What the last run found; reads the status file only",
                                 "  tallyman status\n"
                                 "  tallyman status --json | jq .summary");
  status->add_flag("--json", arguments.json, "Print the status file");

  add_hand_commands(app, arguments, texts.wait);

  CLI::App* history = add_command(app, arguments, CommandName::history, "history",
                                  "What was deployed, newest first; of a service its steps",
                                  "  tallyman history\n"
                                  "  tallyman history web --limit 1\n"
                                  "  tallyman history --json | jq .deployments[0]");
  history->add_option("SERVICE", arguments.services, "Name of a drop-in; all without one")
      ->type_name("")
      ->expected(0, 1);
  history->add_flag("--json", arguments.json, "Print the records as JSON");
  history->add_option("--limit", arguments.limit, "At most so many deployments")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, StateDirectory::k_most_records).description(""))
      ->capture_default_str();

  CLI::App* explain = add_command(app, arguments, CommandName::explain, "explain",
                                  "Both sides of the comparison, and why it was decided so",
                                  "  tallyman explain web\n"
                                  "  tallyman explain web --json | jq .next");
  explain->add_option("SERVICE", arguments.services, "Name of a drop-in")
      ->type_name("")
      ->required()
      ->expected(1);
  explain->add_flag("--json", arguments.json, "Print JSON");

  CLI::App* digest = add_command(app, arguments, CommandName::digest, "digest",
                                 "The digest that a registry has for an image",
                                 "  tallyman digest ghcr.io/acme/web:latest\n"
                                 "  tallyman digest nginx:stable --platform linux/arm64 --json");
  digest->add_option("IMAGE", arguments.image, "Image reference")->type_name("")->required();
  digest->add_option("--platform", texts.platform, "Digest of this platform's own manifest")
      ->type_name("OS/ARCH[/VARIANT]");
  digest->add_flag("--json", arguments.json, "Print JSON");

  CLI::App* validate = add_command(app, arguments, CommandName::validate, "validate",
                                   "Every problem of the configuration at once",
                                   "  tallyman validate\n"
                                   "  tallyman validate --online");
  validate->add_flag("--online", arguments.online,
                     "Ask the engine and the registries, too; touch nothing");
}

std::string environment_value(const std::map<std::string, std::string>& environment,
                              const std::string& name) {
  const auto found = environment.find(name);
  return found != environment.end() ? found->second : "";
}

/// systemd joins several folders with colons; ours is the first.
std::string default_state_directory(const std::map<std::string, std::string>& environment) {
  const std::string value = environment_value(environment, "STATE_DIRECTORY");
  const std::string first = value.substr(0, value.find(':'));
  return first.empty() ? "/var/lib/tallyman" : first;
}

std::string working_directory() {
  std::error_code error;
  return std::filesystem::current_path(error).string();
}

/// CLI11 would only say that a command is missing.
std::string unknown_command(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) {
    names.push_back(command->get_name());
  }
  const std::string_view near = nearest(word, {names.begin(), names.end()});
  return fmt::format("no {} {}{}", word.starts_with('-') ? "option" : "command", printable(word),
                     near.empty() ? "" : fmt::format("; did you mean {}?", near));
}

std::string unknown_option(const CLI::App& app, const CLI::App* command, std::string_view word) {
  const std::string_view name = word.substr(0, word.find('='));
  std::vector<std::string> names;
  for (const CLI::App* one : {&app, command}) {
    for (const CLI::Option* option : one->get_options()) {
      for (const std::string& known : option->get_lnames()) {
        names.push_back("--" + known);
      }
    }
  }
  const std::string_view near = nearest(name, {names.begin(), names.end()});
  return fmt::format("no option {} here{}", printable(name),
                     near.empty() ? "" : fmt::format("; did you mean {}?", near));
}

EarlyExit usage_error(const std::string& message, const CLI::App* command = nullptr) {
  return {k_exit_usage, "",
          fmt::format("tallyman: {}\nsee: tallyman {}--help\n", message,
                      command != nullptr ? command->get_name() + " " : "")};
}

/// What CLI11 objects to, in words that name what was typed.
EarlyExit explained(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<std::string> unknown = app.remaining(true);
  const std::vector<const CLI::App*> commands = [&] {
    const auto chosen = app.get_subcommands();
    return std::vector<const CLI::App*>(chosen.begin(), chosen.end());
  }();
  if (commands.empty()) {
    return usage_error(unknown.empty() ? "a COMMAND is missing"
                                       : unknown_command(app, unknown.front()));
  }
  const CLI::App* command = commands.front();
  const auto option =
      std::ranges::find_if(unknown, [](const std::string& word) { return word.starts_with("--"); });
  if (option != unknown.end()) {
    // Its value would count as one more SERVICE, and that would be all that is said.
    return usage_error(unknown_option(app, command, *option), command);
  }
  const std::string_view text = error.what();
  if (text.starts_with("SERVICE: At Most 1")) {
    return usage_error(fmt::format("{} takes one SERVICE", command->get_name()), command);
  }
  return usage_error(std::string(text), command);
}

}  // namespace

CLI::App* add_command(CLI::App& app, Arguments& arguments, CommandName name, const char* word,
                      const char* description, const char* examples) {
  CLI::App* command = app.add_subcommand(word, description);
  command->group("Commands");
  command->fallthrough();
  command->footer(std::string("Examples:\n") + examples);
  command->callback([&arguments, name] { arguments.command = name; });
  return command;
}

std::expected<Arguments, EarlyExit> parse_arguments(
    const std::vector<std::string>& arguments,
    const std::map<std::string, std::string>& environment, const std::string& version) {
  Arguments result;
  result.state_directory = default_state_directory(environment);
  Texts texts;
  CLI::App app("Watches the registries of this host's compose services and deploys new digests.",
               "tallyman");
  app.get_formatter()->column_width(22);  // so that no line is longer than 80 columns
  app.get_formatter()->label("SUBCOMMAND", "COMMAND");
  app.require_subcommand(1);
  app.set_version_flag("--version", "tallyman " + version);
  app.footer(
      "Exit status: 0 all well; 1 a service failed or could not be determined;\n"
      "2 wrong usage or an unusable tallyman.toml; 3 another run is at work;\n"
      "4 rolled back and verified, nothing is worse.\n"
      "'tallyman COMMAND --help' shows examples.");
  add_global_options(app, result, texts);
  add_commands(app, result, texts);

  // CLI11 reports by exceptions, help included; this is the room's edge.
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(reversed);
  } catch (const CLI::Success& success) {
    std::ostringstream out;
    std::ostringstream err;
    app.exit(success, out, err);
    return std::unexpected(EarlyExit{k_exit_ok, out.str(), err.str()});
  } catch (const CLI::ParseError& error) {
    return std::unexpected(explained(app, error));
  }

  const CLI::App* command = app.get_subcommands().front();
  if (!texts.platform.empty()) {
    auto platform = Platform::parse(texts.platform);
    if (!platform) {
      return std::unexpected(usage_error("--platform: " + platform.error().message, command));
    }
    result.platform = std::move(*platform);
  }
  if (!texts.wait.empty()) {
    const auto wait = parse_duration(texts.wait);
    if (!wait) {
      return std::unexpected(usage_error("--wait: " + wait.error().message, command));
    }
    result.wait = *wait;
  }
  result.log_level = log_levels().at(texts.log_level);
  result.log_format = texts.log_format == "json" ? LogFormat::json : LogFormat::text;
  const std::string here = working_directory();
  result.config_directory = absolute_path(result.config_directory, here);
  result.state_directory = absolute_path(result.state_directory, here);
  if (!result.status_file.empty()) {
    result.status_file = absolute_path(result.status_file, here);
  }
  return result;
}

}  // namespace tallyman
