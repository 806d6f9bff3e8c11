#include "tallyman/model/host.hpp"

#include "model/ascii.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace tallyman {
namespace {

constexpr std::array k_statuses = {
    std::pair{ContainerStatus::created, std::string_view("created")},
    std::pair{ContainerStatus::running, std::string_view("running")},
    std::pair{ContainerStatus::paused, std::string_view("paused")},
    std::pair{ContainerStatus::restarting, std::string_view("restarting")},
    std::pair{ContainerStatus::removing, std::string_view("removing")},
    std::pair{ContainerStatus::exited, std::string_view("exited")},
    std::pair{ContainerStatus::dead, std::string_view("dead")},
};

}  // namespace

std::string_view to_string(ContainerStatus status) {
  for (const auto& [value, text] : k_statuses) {
    if (value == status) {
      return text;
    }
  }
  return "unknown";
}

std::string_view to_string(Health health) {
  switch (health) {
    case Health::starting:
      return "starting";
    case Health::healthy:
      return "healthy";
    case Health::unhealthy:
      return "unhealthy";
    case Health::none:
      break;
  }
  return "none";
}

ContainerStatus parse_container_status(std::string_view text) {
  for (const auto& [value, name] : k_statuses) {
    if (name == text) {
      return value;
    }
  }
  return ContainerStatus::unknown;
}

bool Container::alive() const {
  return status == ContainerStatus::running || status == ContainerStatus::paused ||
         status == ContainerStatus::restarting;
}

std::string_view Image::version() const {
  return labels.get(k_label_version);
}

std::optional<std::string> label_of(const std::optional<Image>& image, std::string_view name) {
  const std::string_view value = image ? image->labels.get(name) : std::string_view();
  return !value.empty() ? std::optional<std::string>(value) : std::nullopt;
}

std::string_view Container::label(std::string_view label_name) const {
  return labels.get(label_name);
}

const Image* Host::image_of(const Container& container) const {
  const auto found = images.find(container.image_id);
  return found == images.end() ? nullptr : &found->second;
}

bool is_compose_service(const Container& container) {
  return !container.label(k_label_project).empty() && !container.label(k_label_service).empty() &&
         ascii::lower(container.label(k_label_oneoff)) != "true" &&
         !container.labels.contains(k_label_swarm_service);
}

bool is_of_service(const Container& container, std::string_view project, std::string_view service) {
  return is_compose_service(container) && container.label(k_label_project) == project &&
         container.label(k_label_service) == service;
}

int container_number(const Container& container) {
  const std::string_view text = container.label(k_label_number);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && number > 0 ? number : 0;
}

}  // namespace tallyman
