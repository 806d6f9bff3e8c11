#include "engine/logs.hpp"

#include "engine/containers.hpp"
#include "engine/engine_text.hpp"
#include "engine/inspect_call.hpp"
#include "engine/log_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace tallyman {

namespace {

constexpr std::size_t k_max_logs = std::size_t{1024} * 1024;
/// From here on the answer's Content-Type tells frames from a TTY's raw output. Asked in an older
/// version, a newer engine calls both raw (moby api/server/router/container/container_routes.go).
constexpr ApiVersion k_content_type_api{1, 42};

Result<bool> has_frames(EngineApi& api, const std::string& id, std::string_view content_type) {
  if (content_type == "application/vnd.docker.multiplexed-stream") {
    return true;
  }
  const auto version = api.version();
  if (content_type == "application/vnd.docker.raw-stream" && version &&
      *version >= k_content_type_api) {
    return false;
  }
  const auto call = inspect_call("container", id);
  if (!call) {
    return std::unexpected(call.error());
  }
  const auto body = api.body_of(*call);
  if (!body) {
    return std::unexpected(body.error());
  }
  const auto tty = parse_tty(*body);
  return tty ? Result<bool>(!*tty) : std::unexpected(tty.error());
}

}  // namespace

Result<std::string> read_logs(EngineApi& api, const std::string& id, int lines) {
  const auto part = path_part(id);
  if (!part) {
    return fail(ErrorKind::not_found, "no container can be called \"{}\"", one_line(id));
  }
  // Which of the two it is, is known only afterwards, and all of it may be too much to keep.
  TextTail raw(k_max_logs);
  LogFrames frames(k_max_logs);
  const ApiCall call{.path = fmt::format("/containers/{}/logs?stdout=1&stderr=1&tail={}", *part,
                                         std::max(lines, 0)),
                     .what = fmt::format("show the logs of container {}", one_line(id)),
                     .on_body = [&raw, &frames](std::string_view bytes) {
                       raw.add(bytes);
                       frames.add(bytes);
                       return true;
                     }};
  auto answer = api.call(call);
  const std::string content_type(answer ? answer->header("content-type") : "");
  const auto body = api.body_of(call, std::move(answer));
  if (!body) {
    return std::unexpected(body.error());
  }
  const auto framed = has_frames(api, id, content_type);
  if (!framed) {
    return std::unexpected(framed.error());
  }
  return *framed ? frames.text() : raw.text();
}

}  // namespace tallyman
