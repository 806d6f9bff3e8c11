#include "engine/pull_stream.hpp"

#include "engine/json_fields.hpp"

#include <algorithm>
#include <utility>

namespace tallyman {

namespace {

constexpr std::size_t k_max_layers = 10'000;
constexpr std::int64_t k_max_layer_bytes = std::int64_t{1} << 48;

std::int64_t bytes_of(const Fields& detail, const char* key) {
  return std::clamp<std::int64_t>(detail.number(key).value_or(0), 0, k_max_layer_bytes);
}

bool is_layer_end(std::string_view status) {
  return status == "Download complete" || status == "Pull complete";
}

}  // namespace

bool PullStream::feed(std::string_view bytes) {
  const bool good =
      m_splitter.feed(bytes, [this](std::string_view text) { return read_object(text); });
  if (!good && m_broken.empty()) {
    m_broken = "it is not a stream of JSON objects of at most 1 MiB";
  }
  return good;
}

bool PullStream::complete(bool podman) const {
  return m_splitter.at_boundary() && (m_done || (podman && m_layer_ended));
}

bool PullStream::read_object(std::string_view text) {
  FieldProblem problem{"the progress of a pull"};
  const auto document = parse_json(text, problem.what);
  if (!document) {
    m_broken = document.error().message;
    return false;
  }
  const Fields message(*document, "", problem);
  const Fields detail = message.object("errorDetail");
  std::string error = detail.text("message");
  if (error.empty()) {
    error = message.text("error");
  }
  if (!error.empty() && !m_failure) {
    m_failure = PullFailure{std::move(error), detail.small_number("code").value_or(0)};
  }
  read_status(message);
  if (problem.error) {
    m_broken = problem.error->message;
    return false;
  }
  return true;
}

void PullStream::read_status(const Fields& message) {
  constexpr std::string_view k_digest = "Digest: ";
  const std::string status = message.text("status");
  m_layer_ended = is_layer_end(status);
  if (status.starts_with(k_digest)) {
    m_digest = status.substr(k_digest.size());
  } else if (status.starts_with("Status: ")) {
    m_done = true;
  } else {
    read_layer(message, status);
  }
}

void PullStream::read_layer(const Fields& message, const std::string& status) {
  const std::string id = message.text("id");
  // The second is that of engines from 29 on.
  const bool downloading = status == "Downloading" || status == "Pulling layer fs";
  if (id.empty() || (!downloading && !is_layer_end(status))) {
    return;
  }
  if (!m_layers.contains(id) && (!downloading || m_layers.size() >= k_max_layers)) {
    return;
  }
  PullProgress& layer = m_layers[id];
  if (downloading) {
    const Fields detail = message.object("progressDetail");
    layer.current = bytes_of(detail, "current");
    layer.total = std::max(bytes_of(detail, "total"), layer.current);
  } else {
    layer.current = layer.total;
  }
  report();
}

void PullStream::report() {
  PullProgress sum;
  for (const auto& [id, layer] : m_layers) {
    sum.current += layer.current;
    sum.total += layer.total;
  }
  if (sum.current != m_reported.current || sum.total != m_reported.total) {
    m_reported = sum;
    if (m_progress) {
      m_progress(sum);
    }
  }
}

}  // namespace tallyman
