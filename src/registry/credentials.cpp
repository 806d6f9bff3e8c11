#include "tallyman/registry/credentials.hpp"

#include <sys/eventfd.h>
#include <sys/stat.h>

#include <cstddef>
#include <future>

#include "registry/credential_helper.hpp"
#include "registry/docker_config.hpp"
#include "tallyman/io/encoding.hpp"
#include "tallyman/io/files.hpp"

namespace tallyman {
namespace {

constexpr std::size_t k_max_secret_file = std::size_t{64} * 1024;
constexpr std::string_view k_variable = "$DOCKER_AUTH_CONFIG";

std::unexpected<Error> unusable(std::string message, std::string remedy) {
  return std::unexpected(Error{ErrorKind::auth, std::move(message), std::move(remedy)});
}

Result<DockerConfig> parse_auths_only(const std::string& text, const std::string& name) {
  Result<DockerConfig> config = DockerConfig::parse(text, name);
  if (config && config->names_helpers()) {
    return fail(ErrorKind::config, "{} may have auths only, no credsStore and no credHelpers",
                name);
  }
  return config;
}

/// Says that a thread is about to end, however it does.
struct Notice {
  int fd;
  ~Notice() { ::eventfd_write(fd, 1); }
};

/// What is wrong with a section's file; a password can have no control characters (RFC 7617,
/// section 2).
std::string_view flaw_of(std::string_view text, bool is_password) {
  if (text.find_first_not_of("\r\n") == std::string_view::npos) {
    return "is empty";
  }
  if (!is_password) {
    return "";
  }
  if (text.starts_with("\xef\xbb\xbf")) {
    return "begins with a byte order mark";
  }
  if (text.contains('\n')) {
    return "has more than one line";
  }
  return has_control_characters(text) ? "has a control character in it" : "";
}

}  // namespace

struct CredentialStore::Source {
  std::string name;  // "$DOCKER_AUTH_CONFIG" or a path
  bool is_loaded = false;
  std::optional<Result<DockerConfig>> config = std::nullopt;  // nothing: there is no such file
};

struct CredentialStore::HelperCall {
  HelperQuestion question;
  Command command;
  Fd ended = {};
  std::future<Result<Exit>> exit = {};
  std::vector<std::move_only_function<void()>> waiting = {};
};

CredentialStore::CredentialStore(const std::map<std::string, RegistrySettings>& registries,
                                 CredentialPlaces places, Process& process, Log& log)
    : m_registries(registries), m_places(std::move(places)), m_process(process), m_log(log) {
  if (!m_places.docker_auth_config.empty()) {
    m_sources.push_back({std::string(k_variable)});
  }
  for (const std::string& file : m_places.files) {
    m_sources.push_back({file});
  }
}

CredentialStore::~CredentialStore() = default;

std::string CredentialStore::places() const {
  std::string text = "tallyman.toml";
  for (const Source& source : m_sources) {
    text += ", " + source.name;
  }
  return text;
}

CredentialStore::Found CredentialStore::find(const std::string& domain, const std::string& path) {
  auto result = search(domain, path);
  while (const auto* question = std::get_if<HelperQuestion>(&result)) {
    const Command command =
        helper_command(*question, m_places.helper_environment, m_places.helper_timeout);
    remember(*question, command, m_process.run(command));
    result = search(domain, path);
  }
  return std::get<Found>(std::move(result));
}

void CredentialStore::find(const std::string& domain, const std::string& path, Http& http,
                           std::move_only_function<void(Found)> done) {
  auto result = search(domain, path);
  if (auto* found = std::get_if<Found>(&result)) {
    done(std::move(*found));
    return;
  }
  const HelperQuestion& question = std::get<HelperQuestion>(result);
  std::unique_ptr<HelperCall>& call = m_calls[{question.name, question.server}];
  const bool is_first = call == nullptr;
  if (is_first) {
    call = std::make_unique<HelperCall>(HelperCall{
        question, helper_command(question, m_places.helper_environment, m_places.helper_timeout)});
  }
  call->waiting.emplace_back([this, domain, path, &http, done = std::move(done)]() mutable {
    find(domain, path, http, std::move(done));
  });
  if (is_first) {
    begin(question, *call, http);
  }
}

void CredentialStore::begin(const HelperQuestion& question, HelperCall& call, Http& http) {
  call.ended = Fd(::eventfd(0, EFD_CLOEXEC));
  call.exit = std::async(std::launch::async,
                         [&process = m_process, &command = call.command, fd = call.ended.get()] {
                           const Notice notice{fd};
                           return process.run(command);
                         });
  const HelperKey key{question.name, question.server};
  if (call.ended.valid()) {
    http.watch(call.ended.get(), [this, key] { on_helper_end(key); });
  } else {
    on_helper_end(key);  // no descriptors left: then it is waited for
  }
}

void CredentialStore::on_helper_end(const HelperKey& key) {
  const auto node = m_calls.extract(key);
  HelperCall& call = *node.mapped();
  remember(call.question, call.command, call.exit.get());
  for (auto& go_on : call.waiting) {
    go_on();
  }
}

void CredentialStore::remember(const HelperQuestion& question, const Command& command,
                               const Result<Exit>& exit) {
  Found answer = helper_answer(question, command, exit);
  if (!answer) {
    m_log.warning("{}; going on without its credential", answer.error().message);
  }
  m_helped.insert_or_assign({question.name, question.server}, std::move(answer));
}

std::variant<CredentialStore::Found, HelperQuestion> CredentialStore::search(
    const std::string& domain, const std::string& path) {
  if (const auto section = m_registries.find(domain);
      section != m_registries.end() &&
      (!section->second.username.empty() || !section->second.credential.empty())) {
    const auto known = m_sections.find(domain);
    return known != m_sections.end()
               ? known->second
               : m_sections.emplace(domain, from_section(domain, section->second)).first->second;
  }
  std::optional<Error> trouble;
  const auto note = [&trouble](const Error& error) { trouble = trouble.value_or(error); };
  for (Source& source : m_sources) {
    const Result<DockerConfig>* config = load(source);
    if (config == nullptr) {
      continue;
    }
    const Result<DockerConfig::Found> entry =
        *config ? (*config)->find(domain, path) : std::unexpected(config->error());
    if (!entry) {
      note(entry.error());
    } else if (entry->credential) {
      warn_if_readable_by_others(source.name);
      return Found(entry->credential);
    } else if (entry->helper) {
      const auto known = m_helped.find({entry->helper->name, entry->helper->server});
      if (known == m_helped.end()) {
        return HelperQuestion{entry->helper->name, entry->helper->server, source.name};
      }
      if (!known->second) {
        note(known->second.error());
      } else if (*known->second) {
        return known->second;
      }
    }
  }
  if (trouble) {
    if (trouble->remedy.empty()) {
      trouble->remedy = fmt::format("docker login {} writes the entry anew", domain);
    }
    return Found(std::unexpected(*std::move(trouble)));
  }
  return Found(std::nullopt);
}

/// nullptr: there is no such file.
const Result<DockerConfig>* CredentialStore::load(Source& source) {
  if (!source.is_loaded) {
    source.is_loaded = true;
    if (source.name == k_variable) {
      source.config =
          parse_auths_only(m_places.docker_auth_config.reveal(), std::string(k_variable));
    } else if (const Result<std::string> text = read_file(source.name)) {
      source.config = DockerConfig::parse(*text, source.name);
    } else if (text.error().kind != ErrorKind::not_found) {
      source.config = std::unexpected(text.error());
    }
    if (source.config && !*source.config) {
      Error& error = source.config->error();
      error.kind = ErrorKind::config;
      error.remedy =
          source.name == k_variable
              ? R"(it is JSON: {"auths":{"HOST":{"auth":"…"}}})"
              : fmt::format("correct {}, or write it anew with docker login", source.name);
      m_log.warning("{}; going on without its credentials", error.message);
    }
  }
  return source.config ? &*source.config : nullptr;
}

CredentialStore::Found CredentialStore::from_section(const std::string& domain,
                                                     const RegistrySettings& settings) {
  const std::string section = fmt::format("[registry.\"{}\"]", domain);
  Result<std::string> text = secret_of(section, settings);
  if (!text) {
    return std::unexpected(std::move(text.error()));
  }
  if (!settings.username.empty()) {
    return Credential{settings.username, Secret(std::move(*text)), section};
  }
  const Result<DockerConfig> config = parse_auths_only(*text, "systemd's credential");
  const Result<DockerConfig::Found> found =
      config ? config->find(domain, "") : std::unexpected(config.error());
  if (!found || !found->credential) {
    return unusable(
        fmt::format("the credential {} of {} has no login for {}: {}", settings.credential, section,
                    domain, found ? "its auths do not name it" : found.error().message),
        fmt::format(R"(without a username under {} it holds {{"auths":{{"{}":{{"auth":"…"}}}}}}, )"
                    "with one the password and nothing else",
                    section, domain));
  }
  Credential credential = *found->credential;
  credential.origin = section;
  return credential;
}

/// What a section's file has, whatever form that is.
Result<std::string> CredentialStore::secret_of(const std::string& section,
                                               const RegistrySettings& settings) {
  const bool of_systemd = !settings.credential.empty();
  if (!of_systemd && settings.password_file.empty()) {
    return unusable(
        fmt::format("{} has a username but neither password_file nor credential", section),
        fmt::format("set password_file under {} in tallyman.toml", section));
  }
  if (of_systemd && m_places.credentials_directory.empty()) {
    return unusable(
        fmt::format("{} names the systemd credential {}, and there are none: CREDENTIALS_DIRECTORY "
                    "is not set",
                    section, settings.credential),
        fmt::format(
            "only a service has them: systemctl start tallyman; by hand: systemd-run --pipe "
            "--wait -p LoadCredential={}:/FOLDER/FILE tallyman check",
            settings.credential));
  }
  const std::string path = of_systemd ? m_places.credentials_directory + "/" + settings.credential
                                      : settings.password_file;
  Result<std::string> text = read_file(path, k_max_secret_file);
  if (!text && of_systemd && text.error().kind == ErrorKind::not_found) {
    return unusable(
        fmt::format("systemd gave this service no credential {}, which {} names",
                    settings.credential, section),
        fmt::format("systemctl edit tallyman, and there under [Service]: LoadCredential={}:/FOLDER/"
                    "FILE",
                    settings.credential));
  }
  const std::string_view what = of_systemd ? "credential" : "password_file";
  if (!text) {
    return unusable(
        fmt::format("the {} of {} is unusable: {}", what, section, text.error().message),
        text.error().remedy);
  }
  if (!settings.username.empty()) {
    text->erase(text->find_last_not_of("\r\n") + 1);
  }
  const std::string_view flaw = flaw_of(*text, !settings.username.empty());
  if (!flaw.empty()) {
    return unusable(
        fmt::format("{}, the {} of {}, {}", path, what, section, flaw),
        fmt::format("write the password or token of {} into {}, and nothing else",
                    settings.username, of_systemd ? "the file that LoadCredential= names" : path));
  }
  if (!of_systemd) {  // systemd guards its own: an access list may look like a group's right there
    warn_if_readable_by_others(path);
  }
  return text;
}

void CredentialStore::warn_if_readable_by_others(const std::string& path) {
  struct stat status{};
  const bool readable =
      ::stat(path.c_str(), &status) == 0 && (status.st_mode & (S_IRGRP | S_IROTH)) != 0;
  if (readable && m_warned_about.insert(path).second) {
    m_log.warning("{} holds a secret and others than its owner can read it: chmod 600 {}", path,
                  path);
  }
}

}  // namespace tallyman
