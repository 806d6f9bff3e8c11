#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "deploy/deployment_run.hpp"
#include "tallyman/deploy/tidy.hpp"

namespace tallyman {

/// Only the local tags may have moved.
DeploymentRun::Acted DeploymentRun::abandon() {
  for (std::size_t i = 0; i < m_journal.plan.images.size(); ++i) {
    const ImagePlan& image = m_journal.plan.images[i];
    const ImageProgress& progress = m_journal.images.at(i);
    const auto now = m_tools.engine.inspect_image(image.reference.str());
    if (!now && now.error().kind != ErrorKind::not_found) {
      return std::unexpected(Trouble{ReasonCode::engine_error, now.error()});
    }
    const bool moved = now && !progress.image_id.empty() && now->image.id == progress.image_id &&
                       progress.image_id != progress.tag_before;
    if (!moved) {
      continue;
    }
    const std::string& before = progress.tag_before.empty() && !image.old.empty()
                                    ? image.old.front().image_id
                                    : progress.tag_before;
    if (auto tagged = m_tools.engine.tag(before, image.reference); !tagged) {
      return std::unexpected(Trouble{ReasonCode::engine_error, tagged.error()});
    }
  }
  return {};
}

DeploymentRun::Acted DeploymentRun::tidy() {
  const auto start = m_tools.clock.steady();
  const auto host = m_tools.engine.observe();
  if (!host) {
    return std::unexpected(Trouble{ReasonCode::engine_error, host.error()});
  }
  for (const TidyAction& action : plan_tidy(m_journal.plan, *host)) {
    m_tools.log.info("deployment {}: {} {}", m_journal.id,
                     action.kind == TidyAction::Kind::remove   ? "removing"
                     : action.kind == TidyAction::Kind::rename ? "giving its name back to"
                                                               : "starting",
                     action.name);
    const auto done = action.kind == TidyAction::Kind::remove
                          ? m_tools.engine.remove_container(action.id)
                      : action.kind == TidyAction::Kind::rename
                          ? m_tools.engine.rename_container(action.id, action.name)
                          : m_tools.engine.start_container(action.id);
    if (!done && action.optional) {
      m_tools.log.warning("deployment {}: {}", m_journal.id, done.error().message);
      continue;
    }
    if (!done) {
      return std::unexpected(Trouble{ReasonCode::engine_error, done.error()});
    }
    tell("tidy", action.name, start);
  }
  return {};
}

Result<void> DeploymentRun::tag_old(const ImagePlan& image, const OldImage& old) {
  auto tagged = m_tools.engine.tag(old.image_id, image.reference);
  if (tagged || tagged.error().kind != ErrorKind::not_found) {
    return tagged;
  }
  if (!old.digest) {
    return fail(ErrorKind::not_found,
                "the image {} that project {} ran is gone, and nobody knows its digest",
                old.image_id, old.project);
  }
  m_tools.log.warning("the old image of {} is gone; pulling {} again", image.reference.familiar(),
                      old.digest->short_hex());
  const auto start = m_tools.clock.steady();
  std::int64_t bytes = 0;
  const auto again = pull_digest(image, *old.digest, bytes);
  if (!again) {
    return std::unexpected(
        with_context(again.error().error,
                     fmt::format("the old image of {} is gone", image.reference.familiar())));
  }
  tell("pull", fmt::format("{}, again", old.digest->short_hex()), start);
  return m_tools.engine.tag(again->id, image.reference);
}

Result<void> DeploymentRun::tag_all_old(const std::string& project) {
  for (const ImagePlan& image : m_journal.plan.images) {
    for (const OldImage& old : image.old) {
      if (old.project == project) {
        if (auto tagged = tag_old(image, old); !tagged) {
          return tagged;
        }
      }
    }
  }
  return {};
}

/// Finds out for all projects that the old images are there before compose is called for any.
DeploymentRun::Acted DeploymentRun::retag() {
  for (const ProjectPlan& project : m_journal.plan.projects) {
    if (auto tagged = tag_all_old(project.compose.project); !tagged) {
      return std::unexpected(Trouble{ReasonCode::rollback_failed, tagged.error()});
    }
  }
  return {};
}

/// What a project ran before; "" for an image that is not part of this.
std::string DeploymentRun::old_image(const std::string& project,
                                     const ImageReference& reference) const {
  for (const ImagePlan& image : m_journal.plan.images) {
    for (const OldImage& old : image.old) {
      if (image.reference == reference && old.project == project) {
        return old.image_id;
      }
    }
  }
  return "";
}

std::expected<std::vector<Container>, ReadBackFailure> DeploymentRun::read_back_old(
    const DeploymentPlan& plan, const Host& host) const {
  return read_back(
      plan,
      [this](const std::string& project, const ImageReference& reference) {
        return old_image(project, reference);
      },
      host);
}

DeploymentRun::Acted DeploymentRun::restore() {
  const auto start = m_tools.clock.steady();
  const auto host = m_tools.engine.observe();
  if (!host) {
    return std::unexpected(Trouble{ReasonCode::engine_error, host.error()});
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < m_journal.plan.projects.size(); ++i) {
    const ProjectPlan& project = m_journal.plan.projects[i];
    DeploymentPlan alone;
    alone.projects = {project};
    const auto there = read_back_old(alone, *host);
    if (there && std::ranges::all_of(*there, &Container::alive) &&
        (!project.by_script || is_as_before(project, *host))) {
      continue;  // nobody got to touch it, or tidying was enough
    }
    for (const ServicePlan* service : project.all()) {
      for (const PlannedContainer& container : service->containers) {
        names.push_back(project.by_script ? script_of(i) : container.name);
        if (project.by_script) {
          break;
        }
      }
    }
    m_observer.progress("restore", fmt::format("{}", fmt::join(names, ", ")));
    // Projects of one reference may have run different images.
    if (auto tagged = tag_all_old(project.compose.project); !tagged) {
      return std::unexpected(Trouble{ReasonCode::rollback_failed, tagged.error()});
    }
    if (auto recreated = call_target(i, true); !recreated) {
      return std::unexpected(Trouble{ReasonCode::rollback_failed, recreated.error()});
    }
  }
  if (!names.empty()) {
    tell("restore", fmt::format("{}", fmt::join(names, ", ")), start);
  }
  return {};
}

DeploymentRun::Acted DeploymentRun::reverify() {
  const auto host = m_tools.engine.observe();
  if (!host) {
    return std::unexpected(
        Trouble{ReasonCode::engine_error, with_context(host.error(), "reading back what runs")});
  }
  const auto containers = read_back_old(m_journal.plan, *host);
  if (!containers) {
    Error error{ErrorKind::process, containers.error().message};
    std::vector<std::string> ids;
    for (const ImagePlan& image : m_journal.plan.images) {
      ids.push_back(image.old.empty() ? "" : image.old.front().image_id);
    }
    blame_script(ids, error);
    return std::unexpected(Trouble{ReasonCode::rollback_failed, std::move(error)});
  }
  auto passed = pass_gate(*containers);
  if (!passed && m_journal.was_unhealthy) {
    passed.error().error.message += ", as it was before";
  }
  if (passed) {
    m_journal.replicas = static_cast<int>(containers->size());
    restart_dependants(*host);
  }
  return passed;
}

}  // namespace tallyman
