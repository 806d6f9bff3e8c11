#include <algorithm>

#include "deploy/deployment_run.hpp"
#include "tallyman/io/files.hpp"

namespace tallyman {
namespace {

/// What a layer needs at most while it is pulled, as a multiple of its compressed size: itself and
/// what is unpacked of it. Layers of programs and libraries unpack to 2 to 3 times their size.
constexpr std::int64_t k_space_factor = 4;

/// Sizes are what a registry says: they may be anything that is not negative.
std::int64_t space_for(const std::map<Digest, std::int64_t>& layers) {
  std::int64_t sum = 0;
  for (const auto& [digest, size] : layers) {
    std::int64_t space = 0;
    if (__builtin_mul_overflow(size, k_space_factor, &space) ||
        __builtin_add_overflow(sum, space, &sum)) {
      return INT64_MAX;
    }
  }
  return sum;
}

std::optional<Outcome> untouched(ReasonCode code, const Result<void>& checked) {
  if (checked) {
    return std::nullopt;
  }
  return Outcome{.state = ServiceState::pending, .reason_code = code, .error = checked.error()};
}

}  // namespace

/// The engine does not tell which layers it has; those of the image that runs are there.
Result<void> Deployer::check_space(const DeploymentPlan& plan) {
  std::map<Digest, std::int64_t> missing;
  for (const ImagePlan& image : plan.images) {
    missing.insert(image.layers.begin(), image.layers.end());
    for (const OldImage& old : image.old) {
      if (old.digest && !image.layers.empty()) {
        const auto running =
            m_tools.registry.look_into({{image.reference, *old.digest, image.platform}});
        for (const auto& [digest, size] :
             running.front() ? running.front()->layers : std::map<Digest, std::int64_t>{}) {
          missing.erase(digest);
        }
      }
    }
  }
  const std::int64_t needed = space_for(missing);
  const auto info = m_tools.engine.info();
  if (!info) {
    return std::unexpected(info.error());
  }
  const auto available = free_bytes(info->data_root);
  if (!available) {
    // The engine may see another file system than we do.
    m_tools.log.info("the free space of the engine's data root {} is not known: {}",
                     info->data_root, available.error().message);
    return {};
  }
  if (*available < needed) {
    Error error{ErrorKind::io,
                fmt::format("the new image may need {} on {}, {} are free", megabytes(needed),
                            info->data_root, megabytes(*available))};
    error.remedy = "make room there, e.g. with: docker system prune";
    return std::unexpected(std::move(error));
  }
  return {};
}

/// A follower is recreated from what its tag means on this host: that must be what it runs.
Result<void> Deployer::check_followers(const DeploymentPlan& plan) {
  for (const ProjectPlan& project : plan.projects) {
    for (const ServicePlan& follower : project.followers) {
      if (std::ranges::find(plan.images, follower.reference, &ImagePlan::reference) !=
          plan.images.end()) {
        continue;
      }
      const auto image = m_tools.engine.inspect_image(follower.reference.str());
      const bool same = image && std::ranges::all_of(follower.containers, [&](const auto& one) {
                          return one.image_id == image->image.id;
                        });
      if (!same) {
        Error error{ErrorKind::config,
                    fmt::format("{} shares the network of what is to be recreated, and must be "
                                "recreated too, but {} means another image here than it runs",
                                follower.containers.front().name, follower.reference.familiar())};
        error.remedy = fmt::format(
            "run compose up for service {} once by hand, or watch it as well", follower.name);
        return std::unexpected(std::move(error));
      }
    }
  }
  return {};
}

/// Podman refuses to remove a container while others are in its network, and compose removes that
/// one first: it would end half way, with the old containers stopped.
Result<void> Deployer::check_podman(const DeploymentPlan& plan) {
  for (const ProjectPlan& project : plan.projects) {
    if (project.followers.empty()) {
      continue;
    }
    const auto info = m_tools.engine.info();
    if (!info) {
      return std::unexpected(info.error());
    }
    if (info->podman) {
      const std::string& follower = project.followers.front().containers.front().name;
      return std::unexpected(
          Error{ErrorKind::config,
                fmt::format("{} shares the network of what is to be recreated, and compose cannot "
                            "recreate that on Podman",
                            follower),
                fmt::format("in {}: docker compose down, then up -d", project.compose.directory)});
    }
  }
  return {};
}

std::optional<Outcome> Deployer::preflight(const DeploymentPlan& plan) {
  if (auto outcome = untouched(ReasonCode::no_space, check_space(plan))) {
    return outcome;
  }
  if (auto outcome = untouched(ReasonCode::preflight_failed, check_podman(plan))) {
    return outcome;
  }
  return untouched(ReasonCode::preflight_failed, check_followers(plan));
}

}  // namespace tallyman
