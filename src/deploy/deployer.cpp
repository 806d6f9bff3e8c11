#include "tallyman/deploy/deployer.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace tallyman {
namespace {

std::string megabytes(std::int64_t bytes) {
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

Outcome ended(ServiceState state, ReasonCode code, std::optional<Error> error) {
  return {.state = state, .reason_code = code, .error = std::move(error)};
}

std::string names_of(const PreparedProject& project) {
  std::vector<std::string> names;
  for (const ServicePlan& service : project.plan.services) {
    names.push_back(service.name);
  }
  for (const ServicePlan& service : project.plan.followers) {
    names.push_back(service.name);
  }
  return fmt::format("{}: {}", project.plan.compose.project, fmt::join(names, ", "));
}

/// Is `digest` what the engine calls this image?
bool has_digest(const Image& image, const ImageReference& by_digest) {
  if (image.id == by_digest.digest()->str()) {
    return true;
  }
  return std::ranges::any_of(image.repo_digests, [&](const std::string& text) {
    return repo_digest_of(text, by_digest) == by_digest.digest();
  });
}

class Stopwatch {
 public:
  explicit Stopwatch(const Clock& clock) : m_clock(clock), m_start(clock.steady()) {}
  [[nodiscard]] std::chrono::milliseconds elapsed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(m_clock.steady() - m_start);
  }

 private:
  const Clock& m_clock;
  std::chrono::steady_clock::time_point m_start;
};

}  // namespace

Deployer::Deployer(Registry& registry, Engine& engine, Target& target, const Clock& clock, Log& log)
    : m_registry(registry), m_engine(engine), m_target(target), m_clock(clock), m_log(log) {}

Result<std::vector<PreparedProject>> Deployer::prepare(const DeploymentPlan& plan) {
  std::vector<PreparedProject> prepared;
  for (const ProjectPlan& project : plan.projects) {
    auto one = m_target.prepare(project);
    if (!one) {
      return std::unexpected(one.error());
    }
    prepared.push_back(std::move(*one));
  }
  return prepared;
}

Result<std::string> Deployer::image_id_of(const ImageReference& by_digest) {
  const auto detail = m_engine.inspect_image(by_digest.familiar());
  if (!detail) {
    return std::unexpected(detail.error());
  }
  if (!has_digest(detail->image, by_digest)) {
    return fail(ErrorKind::protocol, "the engine pulled {} and shows another digest for it",
                by_digest.familiar());
  }
  return detail->image.id;
}

Result<Deployer::Pulled> Deployer::pull(const ImagePlan& image,
                                        const std::function<void(const Step&)>& on_step) {
  const Stopwatch watch(m_clock);
  auto credential = m_registry.credential(image.reference);
  if (!credential) {
    return std::unexpected(credential.error());
  }
  const ImageReference by_digest = image.reference.at(image.digest);
  const auto bytes = m_engine.pull(by_digest, image.platform, *credential, {});
  if (!bytes) {
    return std::unexpected(
        with_context(bytes.error(), fmt::format("pull of {}", by_digest.familiar())));
  }
  auto id = image_id_of(by_digest);
  if (!id) {
    return std::unexpected(id.error());
  }
  on_step({"pull",
           fmt::format("{}, {}", image.digest.short_hex(),
                       *bytes > 0 ? megabytes(*bytes) : std::string("nothing to transfer")),
           watch.elapsed()});
  return Pulled{image.reference, image.digest, std::move(*id)};
}

Result<void> Deployer::tag(const ImagePlan& image, const Pulled& pulled) {
  auto tagged = m_engine.tag(pulled.image_id, image.reference);
  if (tagged || tagged.error().kind != ErrorKind::not_found) {
    return tagged;
  }
  // Somebody's `image prune` took it: an image without a tag is dangling.
  m_log.warning("{} was removed before it could be tagged; pulling it again",
                image.reference.at(image.digest).familiar());
  const auto again = pull(image, [](const Step&) {});
  if (!again) {
    return std::unexpected(again.error());
  }
  return m_engine.tag(again->image_id, image.reference);
}

/// A pull can take long: what somebody stopped, scaled or changed meanwhile is not put back to what
/// was planned.
Result<void> Deployer::check_containers(const DeploymentPlan& plan) {
  const auto host = m_engine.observe();
  if (!host) {
    return std::unexpected(host.error());
  }
  for (const ProjectPlan& project : plan.projects) {
    for (const ServicePlan& service : project.services) {
      std::set<std::string> alive;
      for (const Container& container : host->containers) {
        if (container.alive() && is_compose_service(container) &&
            container.label(k_label_project) == project.compose.project &&
            container.label(k_label_service) == service.name) {
          alive.insert(container.id);
        }
      }
      if (alive != std::set(service.containers.begin(), service.containers.end())) {
        return fail(ErrorKind::transient,
                    "the containers of service {} changed during the pull; they are left alone",
                    service.name);
      }
    }
  }
  return {};
}

/// Compose takes what the tag means on this host at that moment.
Result<void> Deployer::check_tags(const std::vector<Pulled>& pulled) {
  for (const Pulled& image : pulled) {
    const auto detail = m_engine.inspect_image(image.reference.familiar());
    if (!detail) {
      return std::unexpected(detail.error());
    }
    if (detail->image.id != image.image_id) {
      return fail(ErrorKind::transient,
                  "somebody moved the local tag {} away from {} while it was being deployed",
                  image.reference.familiar(), image.digest.short_hex());
    }
  }
  return {};
}

Outcome Deployer::deploy(const DeploymentPlan& plan,
                         const std::function<void(const Step&)>& on_step) {
  const auto prepared = prepare(plan);
  if (!prepared) {
    return ended(ServiceState::pending, ReasonCode::preflight_failed, prepared.error());
  }

  // All are there before the first tag moves: a pull that fails leaves nothing half done.
  std::vector<Pulled> pulled;
  for (const ImagePlan& image : plan.images) {
    auto one = pull(image, on_step);
    if (!one) {
      return ended(ServiceState::pending, ReasonCode::pull_failed, one.error());
    }
    pulled.push_back(std::move(*one));
  }
  if (auto checked = check_containers(plan); !checked) {
    return ended(ServiceState::pending, ReasonCode::preflight_failed, checked.error());
  }
  std::map<ImageReference, std::string> images;
  for (std::size_t i = 0; i < pulled.size(); ++i) {
    if (auto tagged = tag(plan.images[i], pulled[i]); !tagged) {
      return ended(ServiceState::pending, ReasonCode::pull_failed, tagged.error());
    }
    images.emplace(pulled[i].reference, pulled[i].image_id);
  }

  for (const PreparedProject& project : *prepared) {
    const Stopwatch watch(m_clock);
    if (auto checked = check_tags(pulled); !checked) {
      const bool first = &project == &prepared->front();
      return ended(first ? ServiceState::pending : ServiceState::failed,
                   first ? ReasonCode::pull_failed : ReasonCode::recreate_failed, checked.error());
    }
    if (auto recreated = m_target.recreate(project); !recreated) {
      return ended(ServiceState::failed, ReasonCode::recreate_failed, recreated.error());
    }
    on_step({"recreate", names_of(project), watch.elapsed()});
  }

  const auto host = m_engine.observe();
  if (!host) {
    return ended(ServiceState::failed, ReasonCode::engine_error,
                 with_context(host.error(), "reading back what runs"));
  }
  ReadBack result = read_back(plan, images, *host);
  if (result.failure) {
    return std::move(*result.failure);
  }
  Outcome outcome = ended(ServiceState::updated, ReasonCode::deployed, std::nullopt);
  outcome.replicas = result.verified;
  return outcome;
}

}  // namespace tallyman
