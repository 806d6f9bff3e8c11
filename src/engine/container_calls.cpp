#include "engine/container_calls.hpp"

#include "engine/engine_text.hpp"
#include "engine/inspect_call.hpp"
#include "tallyman/io/encoding.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace tallyman {

namespace {

using std::chrono::minutes;

constexpr minutes k_start_timeout{5};     // the slowest storage and network plugins included
constexpr minutes k_restart_timeout{30};  // a stop_grace_period, which nothing bounds, comes first
constexpr minutes k_removal_timeout{5};
constexpr long k_not_modified = 304;

/// `verb` is for people, `action` for the path: "/start", "?force=1".
Result<ApiCall> container_call(std::string_view method, const std::string& id,
                               std::string_view action, std::string_view verb, minutes timeout) {
  const auto part = path_part(id);
  if (!part) {
    return fail(ErrorKind::not_found, "no container can be called \"{}\"", one_line(id));
  }
  // The engine says nothing until it is done: that is no stall.
  return ApiCall{.method = std::string(method),
                 .path = fmt::format("/containers/{}{}", *part, action),
                 .what = fmt::format("{} container {}", verb, one_line(id)),
                 .timeout = timeout,
                 .stall_timeout = timeout};
}

Result<void> ask(EngineApi& api, const Result<ApiCall>& call) {
  if (!call) {
    return std::unexpected(call.error());
  }
  auto answer = api.call(*call);
  if (answer && answer->status == k_not_modified) {  // it is so already
    return {};
  }
  const auto body = api.body_of(*call, std::move(answer));
  return body ? Result<void>() : std::unexpected(body.error());
}

Result<void> fine_if_missing(Result<void> done) {
  return done || done.error().kind != ErrorKind::not_found ? done : Result<void>();
}

/// Somebody else removes it: `--rm`, or our own predecessor's call, which the engine goes on with.
Result<void> wait_until_removed(EngineApi& api, const std::string& id) {
  // The engine itself waits. One from before API 1.30 does not know the condition and answers once
  // the container has stopped, so look.
  const Result<void> waited =
      ask(api, container_call("POST", id, "/wait?condition=removed", "wait for the removal of",
                              k_removal_timeout));
  if (!waited) {
    return fine_if_missing(waited);
  }
  const auto call = inspect_call("container", id);
  const Result<void> found = ask(api, call);
  if (!found) {
    return fine_if_missing(found);
  }
  return fail(
      ErrorKind::transient,
      "the Docker Engine could not remove container {}: a removal of it that is in progress "
      "does not end",
      one_line(id));
}

}  // namespace

Result<void> remove_container(EngineApi& api, const std::string& id) {
  const auto call = container_call("DELETE", id, "?force=1&v=0", "remove", k_removal_timeout);
  Result<void> removed = ask(api, call);
  if (!removed && removed.error().kind == ErrorKind::transient &&
      removed.error().message.ends_with("is already in progress")) {
    return wait_until_removed(api, id);
  }
  return fine_if_missing(std::move(removed));
}

Result<void> rename_container(EngineApi& api, const std::string& id, const std::string& name) {
  return ask(api,
             container_call("POST", id, "/rename?name=" + percent_encode(name),
                            fmt::format("give the name {} to", one_line(name)), k_start_timeout));
}

Result<void> start_container(EngineApi& api, const std::string& id) {
  return ask(api, container_call("POST", id, "/start", "start", k_start_timeout));
}

Result<void> restart_container(EngineApi& api, const std::string& id) {
  return ask(api, container_call("POST", id, "/restart", "restart", k_restart_timeout));
}

}  // namespace tallyman
