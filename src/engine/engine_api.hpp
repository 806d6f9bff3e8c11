#pragma once

#include "engine/api_version.hpp"
#include "tallyman/io/http.hpp"
#include "tallyman/model/error.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tallyman {

/// One call of the Engine API.
struct ApiCall {
  std::string method = "GET";
  std::string path;  ///< without the version: "/containers/json?all=1"
  std::string what;  ///< for messages, after "could not": "list the containers"
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::chrono::milliseconds timeout = std::chrono::seconds(60);
  std::chrono::seconds stall_timeout = std::chrono::seconds(60);
  std::function<bool(std::string_view)> on_body = {};
};

/// The engine's socket: speaks its version, and turns what goes wrong there into errors for people.
class EngineApi {
 public:
  EngineApi(Http& http, std::string socket);

  [[nodiscard]] const std::string& socket() const { return m_socket; }
  /// The one that is spoken; asks the engine for its own before the first call.
  [[nodiscard]] Result<ApiVersion> version();
  /// Podman's compatible API, whose pull ends with other words. Known after version().
  [[nodiscard]] bool is_podman() const { return m_podman; }

  /// An answer of any status; the error is that there is none.
  [[nodiscard]] Result<HttpResponse> call(const ApiCall& call);
  /// All side by side; as many results, in the same order.
  [[nodiscard]] std::vector<Result<HttpResponse>> call_all(const std::vector<ApiCall>& calls);
  /// The body of a 2xx answer; the error is also what the engine refused.
  [[nodiscard]] Result<std::string> body_of(const ApiCall& call);
  [[nodiscard]] Result<std::string> body_of(const ApiCall& call, Result<HttpResponse> answer) const;

 private:
  [[nodiscard]] std::vector<HttpResult> exchange(std::vector<HttpRequest> requests);
  [[nodiscard]] HttpRequest request_for(const ApiCall& call, ApiVersion version) const;
  [[nodiscard]] Result<HttpResponse> ping();
  [[nodiscard]] Result<ApiVersion> agree_on(ApiVersion theirs) const;
  /// The version to try again with, if one of the answers asks for it.
  [[nodiscard]] std::optional<ApiVersion> other_version(
      const std::vector<HttpResult>& answers) const;

  Http& m_http;
  std::string m_socket;
  std::optional<ApiVersion> m_version;
  bool m_podman = false;
};

}  // namespace tallyman
