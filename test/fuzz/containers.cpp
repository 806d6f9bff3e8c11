#include <algorithm>

#include "engine/containers.hpp"
#include "fuzz/fuzz.hpp"
#include "tallyman/io/encoding.hpp"
#include "tallyman/model/selection.hpp"

namespace tallyman {
namespace {

void check_container_list(std::string_view input) {
  const auto containers = parse_container_list(input);
  if (!containers) {
    HOLDS(containers.error().kind == ErrorKind::protocol);
    return;
  }
  for (const Container& container : *containers) {
    HOLDS(!container.id.empty() && !container.name.empty());
    HOLDS(container.created >= Timestamp{});
    HOLDS(!shows_reference(container) || container.image != container.image_id);
    HOLDS(container_number(container) >= 0);
  }
  const Host host{*containers, {}};
  Watch watch{.name = "web", .file = "web.toml", .image = std::nullopt};
  watch.compose.services = {"*"};
  const Selection selection = select(watch, host);
  for (const WatchedImage& image : selection.images) {
    HOLDS(!image.replicas.empty());
    for (const Replica& replica : image.replicas) {
      HOLDS(replica.container.alive() && is_compose_service(replica.container));
      HOLDS(std::ranges::find(*containers, replica.container.id, &Container::id) !=
            containers->end());
    }
  }
  HOLDS(find_conflicts({{"a", selection}, {"b", selection}}).empty() == selection.empty());
}

void check_container_inspect(std::string_view input) {
  const auto container = parse_container(input);
  HOLDS(parse_tty(input) || !container ||
        parse_tty(input).error().message.find("Config.Tty") != std::string::npos);
  if (!container) {
    HOLDS(container.error().kind == ErrorKind::protocol);
    return;
  }
  HOLDS(!container->id.empty() && !container->name.empty());
  HOLDS(container->health_output.size() <= 4096 && is_utf8(container->health_output));
  HOLDS(container->start_error.size() <= 4096 && is_utf8(container->start_error));
  HOLDS(container->status != ContainerStatus::running || !container->exit_code);
  HOLDS(!container->started || *container->started > Timestamp{});
}

}  // namespace

// The list of containers, or the inspect of one.
FUZZ_TARGET(containers) {
  check_container_list(input);
  check_container_inspect(input);
}

}  // namespace tallyman
