#include "engine/events.hpp"

#include "engine/json_fields.hpp"
#include "engine/json_splitter.hpp"
#include "tallyman/io/encoding.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace tallyman {

namespace {

/// An engine remembers 256; those that come in meanwhile are not many.
constexpr std::size_t k_max_events = 10'000;

/// "1795389872.661000000"
std::string seconds_text(Timestamp time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const std::chrono::nanoseconds rest = time - seconds;
  return fmt::format("{}.{:09}", seconds.time_since_epoch().count(), rest.count());
}

/// Podman 4.3 calls "die" "died" in its filters, though not in its answers, and where `until` is
/// given as well as `since` it tells of one event at most: it is asked for all until now.
ApiCall events_call(const std::string& project, Timestamp since, Timestamp until, bool podman) {
  nlohmann::json filters{{"type", {"container"}}, {"event", {"start", podman ? "died" : "die"}}};
  if (!project.empty()) {
    filters["label"] = {fmt::format("{}={}", k_label_project, project)};
  }
  const std::string text = filters.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const std::string end = podman ? "stream=false" : "until=" + seconds_text(until);
  return {.path = fmt::format("/events?since={}&{}&filters={}", seconds_text(since), end,
                              percent_encode(text)),
          .what = fmt::format("list the events of project {}", project)};
}

/// Reads the answer to GET /events: concatenated JSON objects (moby api/types/events.Message).
class EventStream {
 public:
  /// False: this is not such a stream; see failure().
  bool feed(std::string_view bytes) {
    const bool good =
        m_splitter.feed(bytes, [this](std::string_view text) { return read_object(text); });
    if (!good && !m_failure) {
      m_failure =
          Error{ErrorKind::protocol,
                "the Docker Engine's events are no stream of JSON objects of at most 1 MiB"};
    }
    return good;
  }
  [[nodiscard]] const std::optional<Error>& failure() const { return m_failure; }
  [[nodiscard]] bool complete() const { return m_splitter.at_boundary(); }
  [[nodiscard]] std::vector<ContainerEvent> take() { return std::move(m_events); }

 private:
  bool read_object(std::string_view text) {
    FieldProblem problem{"an event"};
    const auto document = parse_json(text, problem.what);
    if (!document) {
      m_failure = document.error();
      return false;
    }
    read_event(Fields(*document, "", problem));
    if (m_events.size() > k_max_events) {
      problem.error =
          Error{ErrorKind::protocol,
                fmt::format("the Docker Engine tells of more than {} events", k_max_events)};
    }
    m_failure = std::move(problem.error);
    return !m_failure;
  }

  void read_event(const Fields& fields) {
    ContainerEvent event;
    event.action = fields.required_text("Action");
    event.container = fields.object("Actor").required_text("ID");
    const std::chrono::nanoseconds since_1970(fields.number("timeNano").value_or(0));
    event.at = Timestamp(std::chrono::floor<Timestamp::duration>(since_1970));
    // Whatever an engine makes of the filters.
    if (event.action == "start" || event.action == "die") {
      m_events.push_back(std::move(event));
    }
  }

  JsonSplitter m_splitter;
  std::vector<ContainerEvent> m_events;
  std::optional<Error> m_failure;
};

}  // namespace

Result<std::vector<ContainerEvent>> read_events(EngineApi& api, const std::string& project,
                                                Timestamp since, Timestamp until) {
  if (const auto version = api.version(); !version) {  // which also tells whether it is Podman
    return std::unexpected(version.error());
  }
  EventStream stream;
  ApiCall call = events_call(project, since, until, api.is_podman());
  call.on_body = [&stream](std::string_view bytes) { return stream.feed(bytes); };
  const auto body = api.body_of(call);
  if (stream.failure()) {  // we ended it then, so `body` is an error as well
    return std::unexpected(*stream.failure());
  }
  if (!body) {
    return std::unexpected(body.error());
  }
  if (!stream.complete()) {
    return fail(ErrorKind::transient, "the Docker Engine's events of project {} end within one",
                project);
  }
  std::vector<ContainerEvent> events = stream.take();
  if (api.is_podman()) {
    std::erase_if(events, [until](const ContainerEvent& event) { return event.at > until; });
  }
  return events;
}

}  // namespace tallyman
