#include "registry/credential_helper.hpp"

#include <cstddef>
#include <string_view>
#include <utility>

#include "registry/json.hpp"
#include "tallyman/io/log.hpp"

namespace tallyman {
namespace {

constexpr std::size_t k_max_answer = std::size_t{64} * 1024;
constexpr std::string_view k_not_found = "credentials not found in native keychain";
constexpr std::string_view k_identity_token_user = "<token>";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  return begin == std::string_view::npos
             ? std::string_view()
             : text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

/// Those keep their secrets in what a login on the desktop or its agent unlocks.
bool needs_session(std::string_view name) {
  return name == "secretservice" || name == "pass" || name == "gopass" || name == "kwallet" ||
         name.starts_with("desktop");
}

Error helper_failed(const HelperQuestion& question, std::string_view what) {
  Error error{
      ErrorKind::process,
      fmt::format("docker-credential-{}, which {} names for {}, {}", question.name, question.file,
                  question.server, what),
      fmt::format("echo {} | docker-credential-{} get shows why", question.server, question.name)};
  if (needs_session(question.name)) {
    error.message += "; it needs a user session, which a systemd service has not";
    error.remedy = "give the credential under [registry.\"DOMAIN\"] in tallyman.toml instead";
  }
  return error;
}

Error helper_missing(const HelperQuestion& question, const Command& command) {
  const auto path = command.environment.find("PATH");
  return {ErrorKind::process,
          fmt::format("docker-credential-{}, which {} names for {}, could not be started: it is "
                      "not in PATH {}, or no program",
                      question.name, question.file, question.server,
                      path == command.environment.end() ? "" : path->second),
          "install it there, or give the credential under [registry.\"DOMAIN\"] in tallyman.toml"};
}

}  // namespace

Command helper_command(const HelperQuestion& question,
                       const std::map<std::string, std::string>& environment,
                       std::chrono::milliseconds timeout) {
  return {.argv = {"docker-credential-" + question.name, "get"},
          .environment = environment,
          .input = question.server,
          .timeout = timeout,
          .grace = std::chrono::milliseconds(0),
          .max_output = k_max_answer};
}

Result<std::optional<Credential>> helper_answer(const HelperQuestion& question,
                                                const Command& command, const Result<Exit>& exit) {
  if (!exit) {
    return std::unexpected(helper_missing(question, command));
  }
  if (!exit->ok()) {
    if (!exit->timed_out && trimmed(exit->out) == k_not_found) {
      return std::nullopt;
    }
    return std::unexpected(
        helper_failed(question, fmt::format("gave no credential ({})", exit->describe(command))));
  }
  const std::optional<nlohmann::json> json =
      exit->out.size() < k_max_answer ? parse_json(exit->out) : std::nullopt;
  if (!json || !json->is_object()) {
    return std::unexpected(helper_failed(question, exit->out.size() < k_max_answer
                                                       ? "did not answer with JSON"
                                                       : "answered too much"));
  }
  Credential credential{string_member(*json, "Username"), Secret(string_member(*json, "Secret")),
                        "docker-credential-" + question.name};
  if (credential.username.empty() || credential.secret.empty()) {
    return std::unexpected(helper_failed(question, "answered without Username and Secret"));
  }
  if (printable(credential.username) != credential.username) {
    return std::unexpected(helper_failed(question, "answered with a Username that is no text"));
  }
  if (credential.username == k_identity_token_user) {
    credential.username.clear();
    credential.kind = CredentialKind::identity_token;
  }
  return credential;
}

}  // namespace tallyman
