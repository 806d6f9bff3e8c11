#include "engine/containers.hpp"

#include "engine/image_ids.hpp"
#include "engine/json_fields.hpp"
#include "tallyman/io/encoding.hpp"

#include <string>
#include <utility>

namespace tallyman {

namespace {

/// Of ["/other/alias", "/web"] it is "web": a second slash is somebody's link to this container.
std::string own_name(const std::vector<std::string>& names) {
  for (std::string_view name : names) {
    if (name.starts_with('/')) {
      name.remove_prefix(1);
    }
    if (!name.empty() && !name.contains('/')) {
      return std::string(name);
    }
  }
  return "";
}

/// A container that is just being removed may have no name any more.
std::string name_or_id(const std::string& name, const std::string& id) {
  return name.empty() ? id.substr(0, 12) : name;
}

/// The list has the health only within a text: "Up 2 hours (healthy)".
Health health_of_status_text(std::string_view text) {
  if (text.contains("(healthy)")) {
    return Health::healthy;
  }
  if (text.contains("(unhealthy)")) {
    return Health::unhealthy;
  }
  return text.contains("(health: starting)") ? Health::starting : Health::none;
}

/// "none", podman's "" and whatever comes later are no health check.
Health parse_health(std::string_view text) {
  for (const Health health : {Health::starting, Health::healthy, Health::unhealthy}) {
    if (text == to_string(health)) {
      return health;
    }
  }
  return Health::none;
}

Container listed_container(const Fields& fields) {
  Container container;
  container.id = fields.required_text("Id");
  container.name = name_or_id(own_name(fields.texts("Names")), container.id);
  container.image = fields.text("Image");
  container.image_id = with_algorithm(fields.text("ImageID"));
  container.labels = fields.text_map("Labels");
  container.network_mode = fields.object("HostConfig").text("NetworkMode");
  container.status = parse_container_status(fields.text("State"));
  container.health = health_of_status_text(fields.text("Status"));
  container.created = fields.time("Created").value_or(Timestamp{});
  return container;
}

/// Text of whatever runs in there.
std::string bounded(const std::string& text) {
  constexpr std::size_t k_longest = 4096;  // the engine's own limit for a health check's output
  return std::string(cut_utf8(text, k_longest));
}

std::string newest_health_output(const Fields& health) {
  const std::vector<Fields> log = health.elements("Log");  // oldest first
  return log.empty() ? "" : bounded(log.back().text("Output"));
}

Container inspected_container(const Fields& fields) {
  const Fields config = fields.object("Config");
  const Fields state = fields.object("State");
  Container container;
  container.id = fields.required_text("Id");
  container.name = name_or_id(own_name({fields.text("Name")}), container.id);
  container.image = config.text("Image");
  container.image_id = with_algorithm(fields.text("Image"));
  container.labels = config.text_map("Labels");
  container.network_mode = fields.object("HostConfig").text("NetworkMode");
  container.status = parse_container_status(state.text("Status"));
  container.health = parse_health(state.object("Health").text("Status"));
  container.health_output = newest_health_output(state.object("Health"));
  container.oom_killed = state.flag("OOMKilled", false);
  container.start_error = bounded(state.text("Error"));
  container.created = fields.time("Created").value_or(Timestamp{});
  container.restarts = fields.small_number("RestartCount");
  container.started = state.time("StartedAt");
  const auto exit_code = state.small_number("ExitCode");
  // A running container has an exit code too, 0 or that of its previous life.
  if (container.status != ContainerStatus::running && container.status != ContainerStatus::paused) {
    container.exit_code = exit_code;
  }
  return container;
}

}  // namespace

Result<std::vector<Container>> parse_container_list(std::string_view body) {
  FieldProblem problem{"the list of containers"};
  std::vector<Container> containers;
  auto read = each_object(body, problem, [&containers](const Fields& fields) {
    containers.push_back(listed_container(fields));
  });
  if (!read) {
    return std::unexpected(std::move(read.error()));
  }
  if (problem.error) {
    return std::unexpected(std::move(*problem.error));
  }
  return containers;
}

Result<Container> parse_container(std::string_view body) {
  FieldProblem problem{"the inspect of a container"};
  const auto document = parse_json(body, problem.what);
  if (!document) {
    return std::unexpected(document.error());
  }
  Container container = inspected_container(Fields(*document, "", problem));
  if (problem.error) {
    return std::unexpected(std::move(*problem.error));
  }
  return container;
}

Result<bool> parse_tty(std::string_view body) {
  FieldProblem problem{"the inspect of a container"};
  const auto document = parse_json(body, problem.what);
  if (!document) {
    return std::unexpected(document.error());
  }
  const bool tty = Fields(*document, "", problem).object("Config").flag("Tty", false);
  if (problem.error) {
    return std::unexpected(std::move(*problem.error));
  }
  return tty;
}

bool shows_reference(const Container& listed) {
  return !listed.image.empty() && listed.image != listed.image_id && !looks_like_id(listed.image);
}

}  // namespace tallyman
