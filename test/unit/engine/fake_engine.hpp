#pragma once

#include <fmt/format.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/fake_http.hpp"
#include "tallyman/engine/docker_engine.hpp"

namespace tallyman::test {

inline HttpResponse json_answer(std::string_view body, long status = 200) {
  return {.status = status,
          .headers = {{"content-type", "application/json"}},
          .body = std::string(body)};
}

inline HttpResponse engine_error(long status, std::string_view message) {
  return json_answer(fmt::format(R"({{"message":"{}"}})", message), status);
}

inline HttpResponse podman_ping() {
  return {.status = 200,
          .headers = {{"api-version", "1.41"}, {"libpod-api-version", "4.3.1"}},
          .body = "OK"};
}

/// A DockerEngine on a socket whose other side answers from a table; what is not in it is 404, as
/// an engine's router says it.
class FakeEngine {
 public:
  explicit FakeEngine(std::string api = "1.41") : m_api(std::move(api)) {}

  /// `line` is without the version: "GET /containers/json?all=1".
  FakeEngine& on(const std::string& line, HttpResult answer) {
    m_answers.insert_or_assign(line, std::move(answer));
    return *this;
  }
  FakeEngine& on(const std::string& line, std::string_view body) {
    return on(line, json_answer(body));
  }
  FakeEngine& ping(HttpResult head, HttpResult get = engine_error(404, "page not found")) {
    return on("HEAD /_ping", std::move(head)).on("GET /_ping", std::move(get));
  }
  FakeEngine& lists(std::string_view containers, std::string_view images) {
    return on("GET /containers/json?all=1", containers).on("GET /images/json", images);
  }

  /// What was asked after the ping, with the version: "GET /v1.41/info".
  [[nodiscard]] std::vector<std::string> asked() const {
    std::vector<std::string> lines;
    for (const HttpRequest& request : http.requests) {
      if (!request.url.ends_with("/_ping")) {
        lines.push_back(request.method + " " + request.url.substr(k_host.size()));
      }
    }
    return lines;
  }

  FakeHttp http{[this](const HttpRequest& request) { return answer(request); }};
  DockerEngine engine{http, http, "/run/docker.sock"};

 private:
  static constexpr std::string_view k_host = "http://docker";

  HttpResult answer(const HttpRequest& request) {
    std::string path = request.url.substr(k_host.size());
    if (path.starts_with("/v")) {
      path = path.substr(path.find('/', 1));
    }
    const auto found = m_answers.find(request.method + " " + path);
    if (found != m_answers.end()) {
      return found->second;
    }
    if (path == "/_ping") {
      return HttpResponse{.status = 200, .headers = {{"api-version", m_api}}, .body = "OK"};
    }
    return engine_error(404, "page not found");
  }

  std::string m_api;
  std::map<std::string, HttpResult> m_answers;
};

inline HttpResult transport(TransportFailure failure) {
  return std::unexpected(
      TransportError{failure, Error{ErrorKind::transient, "docker: it did not work"}});
}

}  // namespace tallyman::test
