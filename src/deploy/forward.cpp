#include <algorithm>
#include <set>
#include <utility>

#include "deploy/deployment_run.hpp"
#include "tallyman/deploy/project_settings.hpp"

namespace tallyman {
namespace {

std::optional<Error> stopped(const Stop& stop) {
  return stop.requested() ? std::optional(Error{ErrorKind::cancelled,
                                                "told to stop before a container was touched"})
                          : std::nullopt;
}

Trouble trouble_of(ReasonCode code, Error error) {
  return {error.kind == ErrorKind::cancelled ? ReasonCode::interrupted : code, std::move(error)};
}

}  // namespace

ImageReference rollback_reference(const ImageReference& reference, const std::string& image_id) {
  const std::size_t colon = image_id.find(':');
  const std::string hex = image_id.substr(colon == std::string::npos ? 0 : colon + 1, 12);
  return ImageReference::parse(fmt::format("{}:tallyman-rollback-{}", reference.repository(), hex))
      .value();  // a repository that was parsed, and a tag of hex characters
}

Result<void> DeploymentRun::protect_one(const ImagePlan& image, const OldImage& old) {
  const ImageReference name = rollback_reference(image.reference, old.image_id);
  auto tagged = m_tools.engine.tag(old.image_id, name);
  if (tagged || tagged.error().kind != ErrorKind::not_found || !old.digest) {
    return tagged;
  }
  // The containerd store forgets a running image when its last name moves on.
  std::int64_t bytes = 0;
  const auto again = pull_digest(image, *old.digest, bytes);
  return again ? m_tools.engine.tag(again->id, name) : std::unexpected(again.error().error);
}

DeploymentRun::Acted DeploymentRun::protect() {
  if (auto error = stopped(m_tools.stop)) {
    return std::unexpected(trouble_of(ReasonCode::interrupted, *error));
  }
  for (std::size_t i = 0; i < m_journal.plan.images.size(); ++i) {
    const ImagePlan& image = m_journal.plan.images[i];
    if (const auto now = m_tools.engine.inspect_image(image.reference.str())) {
      m_journal.images.at(i).tag_before = now->image.id;
    }
    for (const OldImage& old : image.old) {
      if (!m_journal.plan.may_be_undone()) {
        continue;
      }
      if (auto done = protect_one(image, old); !done) {
        Error error =
            with_context(done.error(), fmt::format("the image that {} runs cannot be kept "
                                                   "for a way back",
                                                   old.project));
        return std::unexpected(trouble_of(ReasonCode::preflight_failed, std::move(error)));
      }
    }
  }
  return {};
}

DeploymentRun::Acted DeploymentRun::pull_one(const ImagePlan& image, ImageProgress& progress) {
  const auto start = m_tools.clock.steady();
  const auto here = image.local_id.empty() ? fail(ErrorKind::not_found, "not known here")
                                           : m_tools.engine.inspect_image(image.local_id);
  if (here) {
    progress.was_here = true;
    progress.image_id = image.local_id;
    progress.version = here->image.version();
    tell("pull", fmt::format("{}, is on this host", image.digest.short_hex()), start);
    return {};
  }
  progress.was_here =
      m_tools.engine.inspect_image(image.reference.at(image.digest).str()).has_value();
  std::int64_t bytes = 0;
  const auto pulled = pull_digest(image, image.digest, bytes);
  if (!pulled) {
    return std::unexpected(pulled.error());
  }
  progress.image_id = pulled->id;
  progress.version = pulled->version();
  tell("pull",
       fmt::format("{}, {}", image.digest.short_hex(),
                   bytes > 0 ? megabytes(bytes) : "nothing to transfer"),
       start);
  return {};
}

/// All are there before the first tag moves: a pull that fails leaves nothing half done.
DeploymentRun::Acted DeploymentRun::pull() {
  for (std::size_t i = 0; i < m_journal.plan.images.size(); ++i) {
    if (auto pulled = pull_one(m_journal.plan.images[i], m_journal.images.at(i)); !pulled) {
      return std::unexpected(trouble_of(pulled.error().code, pulled.error().error));
    }
  }
  return {};
}

Result<void> DeploymentRun::tag_one(const ImagePlan& image, ImageProgress& progress) {
  auto tagged = m_tools.engine.tag(progress.image_id, image.reference);
  if (tagged || tagged.error().kind != ErrorKind::not_found) {
    return tagged;
  }
  // Somebody's `image prune` took it: an image without a tag is dangling.
  m_tools.log.warning("{} was removed before it could be tagged; pulling it again",
                      image.reference.at(image.digest).familiar());
  std::int64_t bytes = 0;
  const auto again = pull_digest(image, image.digest, bytes);
  if (!again) {
    return std::unexpected(again.error().error);
  }
  progress.image_id = again->id;
  return m_tools.engine.tag(progress.image_id, image.reference);
}

DeploymentRun::Acted DeploymentRun::tag() {
  if (auto checked = check_containers(); !checked) {
    return std::unexpected(trouble_of(ReasonCode::preflight_failed, checked.error()));
  }
  if (auto checked = check_models(); !checked) {
    return checked;
  }
  for (std::size_t i = 0; i < m_journal.plan.images.size(); ++i) {
    if (auto tagged = tag_one(m_journal.plan.images[i], m_journal.images.at(i)); !tagged) {
      return std::unexpected(trouble_of(ReasonCode::pull_failed, tagged.error()));
    }
  }
  if (auto error = stopped(m_tools.stop)) {
    return std::unexpected(trouble_of(ReasonCode::interrupted, *error));
  }
  return {};
}

/// A pull can take long: what somebody stopped, scaled or changed meanwhile is not put back to what
/// was planned.
Result<void> DeploymentRun::check_containers() {
  const auto host = m_tools.engine.observe();
  if (!host) {
    return std::unexpected(host.error());
  }
  for (const ProjectPlan& project : m_journal.plan.projects) {
    for (const ServicePlan& service : project.services) {
      std::set<std::string> planned;
      for (const PlannedContainer& container : service.containers) {
        planned.insert(container.id);
      }
      std::set<std::string> alive;
      for (const Container& container : host->containers) {
        if (container.alive() && project.has(service, container)) {
          alive.insert(container.id);
        }
      }
      if (alive != planned) {
        return fail(ErrorKind::transient,
                    "the containers of service {} changed during the pull; they are left alone",
                    service.name);
      }
    }
  }
  return {};
}

/// A pull can take long, and a hook may write an env file: what compose applies is what it makes of
/// its files now.
DeploymentRun::Acted DeploymentRun::check_models() {
  for (std::size_t i = 0; i < m_journal.plan.projects.size(); ++i) {
    const ProjectPlan& project = m_journal.plan.projects[i];
    ComposeModels& models = m_journal.models.at(i);
    if (models.empty() || models.begin()->second.inputs == inputs_of(project.compose)) {
      continue;
    }
    auto again = m_tools.target.prepare(project);
    if (!again) {
      return std::unexpected(trouble_of(ReasonCode::preflight_failed, again.error()));
    }
    for (const auto& [service, model] : again->models) {
      if (model.hash == models[service].hash) {
        continue;
      }
      const std::string what = fmt::format(
          "service {}: what compose makes of it changed during the deployment", service);
      if (m_journal.plan.refuses_drift(project)) {
        return std::unexpected(Trouble{ReasonCode::drift, drift_error(what, project.drop_in)});
      }
      m_tools.log.warning("{}; it is applied along with the new image", what);
    }
    models = std::move(again->models);
  }
  return {};
}

}  // namespace tallyman
