#include "engine/engine_api.hpp"

#include "engine/engine_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tallyman {

namespace {

constexpr std::size_t k_max_body = std::size_t{64} * 1024 * 1024;

bool is_success(const HttpResponse& answer) {
  return answer.status >= 200 && answer.status < 300;
}

ErrorKind kind_of_status(long status) {
  switch (status) {
    case 401:
      return ErrorKind::auth;
    case 403:
      return ErrorKind::denied;
    case 404:
      return ErrorKind::not_found;
    case 429:
      return ErrorKind::rate_limited;
    default:
      // 408 and 409: busy with something else, or in a state that passes.
      return status >= 500 || status == 408 || status == 409 ? ErrorKind::transient
                                                             : ErrorKind::protocol;
  }
}

/// There is no answer at all.
Error unanswered(const TransportError& failure, const std::string& socket, std::string_view what) {
  switch (failure.failure) {
    case TransportFailure::resolve:
    case TransportFailure::connect:
      return {ErrorKind::transient, fmt::format("no Docker Engine listens on {}", socket),
              "start it (systemctl start docker), or set host under [engine] in tallyman.toml"};
    case TransportFailure::denied:
      return {ErrorKind::denied,
              fmt::format("no permission on {}, the Docker Engine's socket", socket),
              "run as root or as a member of the docker group"};
    case TransportFailure::timeout:
      return {ErrorKind::transient,
              fmt::format("the Docker Engine on {} took too long to {}", socket, what),
              "see: journalctl -u docker"};
    case TransportFailure::cut:
      return {ErrorKind::transient,
              fmt::format("the Docker Engine on {} hung up when asked to {}", socket, what),
              "see: journalctl -u docker"};
    case TransportFailure::cancelled:
      return {ErrorKind::cancelled,
              fmt::format("stopped while the Docker Engine was asked to {}", what)};
    case TransportFailure::too_large:
      return {ErrorKind::protocol,
              fmt::format("the Docker Engine on {} answered more than {} MiB when asked to {}",
                          socket, k_max_body >> 20U, what)};
    case TransportFailure::tls:
    case TransportFailure::certificate:
    case TransportFailure::client_certificate:
    case TransportFailure::proxy:
    case TransportFailure::other:
      break;
  }
  return with_context(failure.error,
                      fmt::format("the Docker Engine on {} could not {}", socket, what));
}

}  // namespace

EngineApi::EngineApi(Http& http, std::string socket) : m_http(http), m_socket(std::move(socket)) {}

Result<ApiVersion> EngineApi::version() {
  if (m_version) {
    return *m_version;
  }
  const auto answer = ping();
  if (!answer) {
    return std::unexpected(answer.error());
  }
  const std::string_view header = answer->header("api-version");
  // Engines from before 1.26 do not say; they all know the oldest version, or tell in a 400.
  const auto theirs = header.empty() ? std::optional(k_oldest_api) : ApiVersion::parse(header);
  if (!theirs) {
    return fail(ErrorKind::protocol, "the Docker Engine on {} names \"{}\" as its API version",
                m_socket, one_line(header));
  }
  const auto agreed = agree_on(*theirs);
  if (agreed) {
    m_version = *agreed;
    m_podman = !answer->header("libpod-api-version").empty();
  }
  return agreed;
}

Result<HttpResponse> EngineApi::ping() {
  HttpRequest request;
  request.method = "HEAD";
  request.url = "http://docker/_ping";
  request.unix_socket = m_socket;
  HttpResult answer = m_http.fetch(request);
  if (answer && !is_success(*answer)) {
    request.method = "GET";
    answer = m_http.fetch(std::move(request));
  }
  if (!answer) {
    return std::unexpected(unanswered(answer.error(), m_socket, "answer a ping"));
  }
  if (!is_success(*answer)) {
    return std::unexpected(Error{kind_of_status(answer->status),
                                 fmt::format("the Docker Engine on {} could not answer a ping: {}",
                                             m_socket, message_of(*answer)),
                                 "see: journalctl -u docker"});
  }
  return std::move(*answer);
}

Result<ApiVersion> EngineApi::agree_on(ApiVersion theirs) const {
  if (theirs < k_oldest_api) {
    return std::unexpected(
        Error{ErrorKind::protocol,
              fmt::format("the Docker Engine on {} speaks API {} at most, tallyman {} to {}",
                          m_socket, theirs.str(), k_oldest_api.str(), k_newest_api.str()),
              "upgrade the Docker Engine"});
  }
  return std::min(theirs, k_newest_api);
}

std::vector<HttpResult> EngineApi::exchange(std::vector<HttpRequest> requests) {
  std::vector<HttpResult> answers(
      requests.size(),
      HttpResult(std::unexpected(TransportError{
          TransportFailure::other, Error{ErrorKind::bug, "the transfer was never finished"}})));
  for (std::size_t i = 0; i < requests.size(); ++i) {
    m_http.send(std::move(requests[i]),
                [&slot = answers[i]](HttpResult answer) { slot = std::move(answer); });
  }
  m_http.run();
  return answers;
}

HttpRequest EngineApi::request_for(const ApiCall& call, ApiVersion version) const {
  HttpRequest request;
  request.method = call.method;
  request.url = fmt::format("http://docker/v{}{}", version.str(), call.path);
  request.unix_socket = m_socket;
  request.headers = call.headers;
  request.max_body = k_max_body;
  request.timeout = call.timeout;
  request.stall_timeout = call.stall_timeout;
  request.on_body = call.on_body;
  return request;
}

std::optional<ApiVersion> EngineApi::other_version(const std::vector<HttpResult>& answers) const {
  for (const HttpResult& answer : answers) {
    if (answer && answer->status == 400) {
      if (const auto asked = version_asked_for(message_of(*answer)); asked != m_version) {
        return asked;
      }
    }
  }
  return std::nullopt;
}

std::vector<Result<HttpResponse>> EngineApi::call_all(const std::vector<ApiCall>& calls) {
  const auto all_fail = [&calls](const Error& error) {
    return std::vector<Result<HttpResponse>>(calls.size(), std::unexpected(error));
  };
  const auto send = [this, &calls](ApiVersion version) {
    std::vector<HttpRequest> requests;
    requests.reserve(calls.size());
    for (const ApiCall& call : calls) {
      requests.push_back(request_for(call, version));
    }
    return exchange(std::move(requests));
  };
  const auto agreed = version();
  if (!agreed) {
    return all_fail(agreed.error());
  }
  std::vector<HttpResult> answers = send(*agreed);
  // The engine was replaced under us, or did not say its version in the ping: once more, not twice.
  if (const auto asked = other_version(answers)) {
    if (*asked < k_oldest_api || *asked > k_newest_api) {
      return all_fail(
          Error{ErrorKind::protocol,
                fmt::format("the Docker Engine on {} wants API {}, tallyman speaks {} to {}",
                            m_socket, asked->str(), k_oldest_api.str(), k_newest_api.str()),
                *asked > k_newest_api ? "upgrade tallyman" : "upgrade the Docker Engine"});
    }
    m_version = *asked;
    answers = send(*asked);
  }
  std::vector<Result<HttpResponse>> results;
  results.reserve(answers.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i]) {
      results.emplace_back(std::move(*answers[i]));
    } else {
      results.emplace_back(
          std::unexpected(unanswered(answers[i].error(), m_socket, calls[i].what)));
    }
  }
  return results;
}

Result<HttpResponse> EngineApi::call(const ApiCall& call) {
  return std::move(call_all({call}).front());
}

Result<std::string> EngineApi::body_of(const ApiCall& api_call) {
  return body_of(api_call, call(api_call));
}

Result<std::string> EngineApi::body_of(const ApiCall& call, Result<HttpResponse> answer) const {
  if (!answer) {
    return std::unexpected(std::move(answer.error()));
  }
  if (!is_success(*answer)) {
    return fail(kind_of_status(answer->status), "the Docker Engine could not {}: {}", call.what,
                message_of(*answer));
  }
  return std::move(answer->body);
}

}  // namespace tallyman
