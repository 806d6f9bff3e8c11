#pragma once

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/fake_http.hpp"
#include "support/fake_process.hpp"
#include "support/temp_folder.hpp"
#include "tallyman/io/clock.hpp"
#include "tallyman/io/encoding.hpp"
#include "tallyman/io/fd.hpp"
#include "tallyman/io/log.hpp"
#include "tallyman/registry/remote_registry.hpp"

namespace tallyman::test {

/// Part of every secret of these tests, so that one look finds any of them.
inline constexpr std::string_view k_mark = "s3cr3t";

inline std::string digest_of(std::string_view body) {
  return "sha256:" + sha256_hex(body);
}
inline std::string some_digest(char hex) {
  return "sha256:" + std::string(64, hex);
}

inline ImageReference image_ref(std::string_view text) {
  Result<ImageReference> reference = ImageReference::parse(text);
  REQUIRE(reference.has_value());
  return std::move(*reference);
}

using HeaderList = std::vector<std::pair<std::string, std::string>>;

inline HttpResult answer(long status, HeaderList headers = {}, std::string body = {}) {
  return HttpResponse{status, std::move(headers), std::move(body)};
}
inline HttpResult tag(const std::string& digest) {
  return answer(200, {{"docker-content-digest", digest}});
}
inline HttpResult bearer(const std::string& parameters) {
  return answer(401, {{"www-authenticate", "Bearer " + parameters}});
}
inline HttpResult basic() {
  return answer(401, {{"www-authenticate", "Basic realm=\"x\""}});
}
inline HttpResult token(const std::string& value) {
  return answer(200, {{"content-type", "application/json"}}, "{\"token\":\"" + value + "\"}");
}
inline HttpResult redirect(const std::string& location, long status = 307) {
  return answer(status, {{"location", location}});
}
inline HttpResult no_answer(TransportFailure failure, std::string message = "host did not work") {
  const bool tls = failure == TransportFailure::tls || failure == TransportFailure::certificate;
  return std::unexpected(
      TransportError{failure, {tls ? ErrorKind::tls : ErrorKind::transient, std::move(message)}});
}
inline HttpResult error_body(long status, const std::string& message) {
  return answer(status, {{"content-type", "application/json"}},
                "{\"errors\":[{\"code\":\"X\",\"message\":\"" + message + "\"}]}");
}

/// What goes to stderr meanwhile.
class CapturedStderr {
 public:
  CapturedStderr() : m_file(::memfd_create("stderr", MFD_CLOEXEC)), m_stderr(::dup(2)) {
    std::fflush(stderr);
    if (!m_file.valid() || ::dup2(m_file.get(), 2) < 0) {
      throw std::runtime_error("cannot capture stderr");
    }
  }
  CapturedStderr(const CapturedStderr&) = delete;
  CapturedStderr& operator=(const CapturedStderr&) = delete;
  ~CapturedStderr() {
    std::fflush(stderr);
    ::dup2(m_stderr.get(), 2);
  }
  [[nodiscard]] std::string text() const {
    std::fflush(stderr);
    std::string text(static_cast<std::size_t>(::lseek(m_file.get(), 0, SEEK_END)), '\0');
    const ssize_t got = ::pread(m_file.get(), text.data(), text.size(), 0);
    REQUIRE(got == std::ssize(text));
    return text;
  }

 private:
  Fd m_file;
  Fd m_stderr;
};

class FakeClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return wall; }
  [[nodiscard]] std::chrono::steady_clock::time_point steady() const override { return running; }
  Timestamp wall{std::chrono::milliseconds(1'700'000'000'000)};
  void sleep(std::chrono::milliseconds /*span*/) const override {}
  std::chrono::steady_clock::time_point running{};
};

inline int occurrences(std::string_view text, std::string_view word) {
  int count = 0;
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    ++count;
  }
  return count;
}

/// A RemoteRegistry on a network of scripted answers. Whatever a test does, no secret may be in
/// the log at its end.
struct World {
  std::map<std::string, RegistrySettings> settings = {};
  InsecureRegistries insecure = {};
  int insecure_asked = 0;
  std::string docker_config = {};
  CredentialPlaces places = {};  ///< besides docker_config, which goes before them
  FakeProcess process;
  Process* runs_programs = nullptr;  ///< instead of `process`
  TempFolder folder;
  CapturedStderr captured;
  Log log{{.level = LogLevel::debug}};
  FakeClock clock;
  /// "HEAD https://…": the answers in their order; the last one stays.
  std::map<std::string, std::vector<HttpResult>> network = {};
  FakeHttp http{[this](const HttpRequest& request) { return answer_to(request); }};

  World() = default;
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World() {
    const std::string text = captured.text();
    CHECK_FALSE(contains(text, k_mark));
    for (const std::string& authorization : authorizations()) {
      CHECK_FALSE((!authorization.empty() &&
                   contains(text, authorization.substr(authorization.find(' ') + 1))));
    }
  }

  HttpResult answer_to(const HttpRequest& request) {
    const auto found = network.find(line_of(request));
    if (found == network.end() || found->second.empty()) {
      return no_answer(TransportFailure::other, "the test has no answer to " + line_of(request));
    }
    HttpResult result = found->second.front();
    if (found->second.size() > 1) {
      found->second.erase(found->second.begin());
    }
    return result;
  }

  CredentialStore& credentials() {
    if (!m_credentials) {
      if (!docker_config.empty()) {
        places.files.insert(places.files.begin(), docker_config);
      }
      places.helper_environment.emplace("PATH", "/usr/bin");
      m_credentials.emplace(settings, places, runs_programs != nullptr ? *runs_programs : process,
                            log);
    }
    return *m_credentials;
  }
  RemoteRegistry& registry() {
    if (!m_registry) {
      m_registry.emplace(
          http, credentials(), settings,
          [this] {
            ++insecure_asked;
            return insecure;
          },
          clock, log);
    }
    return *m_registry;
  }

  /// A [registry] section with a password.
  void section(const std::string& domain, const std::string& username, const std::string& password,
               bool plain_http = false) {
    const std::string path = folder.write("password-" + domain, password + "\n");
    REQUIRE(::chmod(path.c_str(), 0600) == 0);
    settings[domain] = {.plain_http = plain_http, .username = username, .password_file = path};
  }

  /// The auth.json or config.json that is looked at next.
  std::string add_file(const std::string& name, std::string_view text) {
    const std::string path = folder.write(name, text);
    REQUIRE(::chmod(path.c_str(), 0600) == 0);
    places.files.push_back(path);
    return path;
  }

  Result<RemoteImage> resolve(std::string_view text) {
    return registry().resolve({image_ref(text)}).front();
  }
  /// The error of a tag that cannot be resolved.
  Error failure(std::string_view text) {
    const Result<RemoteImage> image = resolve(text);
    REQUIRE_FALSE(image.has_value());
    CHECK_FALSE(contains(image.error().message + image.error().remedy, k_mark));
    CHECK(contains(image.error().message, std::string(text)));
    return image.error();
  }

  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    for (const HttpRequest& request : http.requests) {
      lines.push_back(line_of(request));
    }
    return lines;
  }
  /// The Authorization of each request, "" for none.
  [[nodiscard]] std::vector<std::string> authorizations() const {
    std::vector<std::string> values;
    for (const HttpRequest& request : http.requests) {
      values.push_back(header_of(request, "Authorization"));
    }
    return values;
  }
  [[nodiscard]] int asked(std::string_view part) const {
    int count = 0;
    for (const HttpRequest& request : http.requests) {
      count += contains(line_of(request), part) ? 1 : 0;
    }
    return count;
  }

 private:
  std::optional<CredentialStore> m_credentials;
  std::optional<RemoteRegistry> m_registry;
};

using Lines = std::vector<std::string>;

}  // namespace tallyman::test
