#include "deploy/deployment_run.hpp"

#include <algorithm>
#include <utility>

namespace tallyman {
namespace {

/// `info` is null where the engine did not tell.
Error mirror_lag(const ImageReference& by_digest, const EngineInfo* info) {
  const std::string& registry = by_digest.domain();
  std::string mirror = "its mirror or a proxy";
  if (info != nullptr && info->mirrors.contains(registry)) {
    mirror = "its mirror " + printable(info->mirrors.at(registry).front());
  }
  const bool podman = info != nullptr && info->podman;
  return {ErrorKind::not_found,
          fmt::format("{} offers {}, but the engine does not get it: {} lags behind", registry,
                      by_digest.digest()->short_hex(), mirror),
          fmt::format("wait, or see {}; an image that names the mirror is checked there, too",
                      podman ? "[[registry.mirror]] in /etc/containers/registries.conf"
                             : "registry-mirrors in /etc/docker/daemon.json")};
}

}  // namespace

std::string megabytes(std::int64_t bytes) {
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

DeploymentRun::DeploymentRun(const DeploymentTools& tools, const Lock& lock,
                             DeploymentObserver& observer, Journal journal)
    : m_tools(tools), m_lock(lock), m_observer(observer), m_journal(std::move(journal)) {}

Journal DeploymentRun::go(std::optional<PhaseEvent> first) {
  while (!has_ended(m_journal.phase)) {
    const PhaseEvent event = first ? *std::exchange(first, std::nullopt) : enter_and_act();
    Phase following = next(m_journal.phase, event);
    if (following == Phase::tidy && !is_way_back(m_journal.phase) &&
        !m_journal.plan.may_be_undone()) {
      following = Phase::failed;
    }
    if (following == Phase::hook && !m_journal.plan.has_before_hook()) {
      following = next(following, PhaseEvent::done);
    }
    if (following == m_journal.phase && event != PhaseEvent::interrupted) {
      m_tools.log.warning("deployment {} stays open at {}: the next run tries again", m_journal.id,
                          to_string(m_journal.phase));
      if (auto saved = m_tools.state.save_journal(m_journal); !saved) {
        m_tools.log.error(saved.error());  // only why it stays open is lost
      }
      return std::move(m_journal);
    }
    m_journal.phase = following;
  }
  end();
  return std::move(m_journal);
}

/// The phase is on disk before its action begins. Where it cannot be written, the way forward ends
/// here; the way back goes on, since what is on disk leads back, too.
PhaseEvent DeploymentRun::enter_and_act() {
  if (++m_journal.writes > k_most_phases) {
    return PhaseEvent::exhausted;
  }
  m_tools.log.debug("deployment {}: {}", m_journal.id, to_string(m_journal.phase));
  if (auto saved = m_tools.state.save_journal(m_journal); !saved) {
    Error error = with_context(saved.error(), "the journal of the deployment");
    if (!is_way_back(m_journal.phase)) {
      note({ReasonCode::state_error, std::move(error)});
      return PhaseEvent::failed;
    }
    m_tools.log.error(error);
  }
  auto acted = hooked(false);
  if (acted) {
    acted = act();
  }
  if (acted) {
    acted = hooked(true);
  }
  if (!acted) {
    const bool away = acted.error().code == ReasonCode::engine_error;
    note(std::move(acted.error()));
    return away ? PhaseEvent::postponed : PhaseEvent::failed;
  }
  return PhaseEvent::done;
}

DeploymentRun::Acted DeploymentRun::hooked(bool after) {
  if (m_tools.on_phase) {
    if (auto result = m_tools.on_phase(m_journal.phase, after); !result) {
      return std::unexpected(Trouble{ReasonCode::recreate_failed, result.error()});
    }
  }
  return {};
}

DeploymentRun::Acted DeploymentRun::act() {
  switch (m_journal.phase) {
    case Phase::protect:
      return protect();
    case Phase::pull:
      return pull();
    case Phase::hook:
      return before_hooks();
    case Phase::tag:
      return tag();
    case Phase::recreate:
      return recreate();
    case Phase::verify:
      return verify();
    case Phase::abandon:
      return abandon();
    case Phase::tidy:
      return tidy();
    case Phase::retag:
      return retag();
    case Phase::restore:
      return restore();
    case Phase::reverify:
      return reverify();
    case Phase::committed:
    case Phase::abandoned:
    case Phase::rolled_back:
    case Phase::failed:
      break;
  }
  return {};
}

void DeploymentRun::end() {
  if (!m_journal.finished_at) {
    m_journal.finished_at = m_tools.clock.now();
  }
  ++m_journal.writes;
  if (auto saved = m_tools.state.save_journal(m_journal); !saved) {
    m_tools.log.error(with_context(saved.error(), "the journal of the deployment"));
  }
  if (auto acted = hooked(false); !acted) {
    m_tools.log.error(acted.error().error);
  }
  end_hooks();
}

/// The first trouble is why the deployment did not succeed; what comes on the way back is told as
/// well, behind it.
void DeploymentRun::note(Trouble trouble) {
  if (!m_journal.error) {
    m_tools.log.warning("deployment {}: {}: {}", m_journal.id, to_string(m_journal.phase),
                        trouble.error.message);
    m_journal.error = std::move(trouble.error);
    m_journal.reason_code = trouble.code;
    m_journal.judged = trouble.judged;
    m_journal.suspects = std::move(trouble.suspects);
    return;
  }
  m_tools.log.error(with_context(
      trouble.error, fmt::format("deployment {}: {}", m_journal.id, to_string(m_journal.phase))));
  if (m_journal.phase == Phase::reverify || is_way_back(m_journal.phase)) {
    constexpr std::string_view k_joint = "; and the way back failed: ";
    std::string& message = m_journal.error->message;
    message = message.substr(0, message.find(k_joint));
    message += fmt::format("{}{}", k_joint, trouble.error.message);
    m_journal.error->remedy = trouble.error.remedy;
  }
}

bool DeploymentRun::is_old(const std::string& container) const {
  return std::ranges::any_of(m_journal.plan.projects, [&](const ProjectPlan& project) {
    return std::ranges::any_of(project.all(), [&](const ServicePlan* service) {
      return std::ranges::find(service->containers, container, &PlannedContainer::id) !=
             service->containers.end();
    });
  });
}

void DeploymentRun::tell(std::string name, std::string text,
                         std::chrono::steady_clock::time_point since) {
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(m_tools.clock.steady() - since);
  step({std::move(name), std::move(text), took});
}

void DeploymentRun::progress(std::string_view name, std::string_view text) {
  m_observer.progress(name, text);
}

void DeploymentRun::step(const Step& step) {
  m_journal.steps.push_back(step);
  m_journal.steps.back().at = m_tools.clock.now();
  m_observer.step(step);
}

/// The engine does not get what the registry has just shown to us. Where it asks a mirror, time
/// mends that, and neither image nor host is to blame.
Trouble DeploymentRun::failed_pull(const ImageReference& by_digest, const Error& error) {
  if (error.kind == ErrorKind::not_found) {
    const auto info = m_tools.engine.info();
    if (info && info->mirrors.contains(by_digest.domain())) {
      return {ReasonCode::mirror_lag, mirror_lag(by_digest, &*info)};
    }
  }
  Error failure = with_context(error, fmt::format("pull of {}", by_digest.familiar()));
  // The two go different ways, with settings of their own.
  const bool is_way = error.kind == ErrorKind::tls || error.kind == ErrorKind::transient;
  if (is_way && !error.remedy.empty()) {
    failure.message += fmt::format("; tallyman's own check works, over {}",
                                   m_tools.registry.describe_access(by_digest));
  }
  return {ReasonCode::pull_failed, std::move(failure)};
}

DeploymentRun::Pulled DeploymentRun::pull_digest(const ImagePlan& image, const Digest& digest,
                                                 std::int64_t& bytes) {
  const auto failed = [](Error error) {
    return std::unexpected(Trouble{ReasonCode::pull_failed, std::move(error)});
  };
  auto credential = m_tools.registry.credential(image.reference);
  if (!credential) {
    return failed(std::move(credential.error()));
  }
  const ImageReference by_digest = image.reference.at(digest);
  const auto pulled = m_tools.engine.pull(
      by_digest, image.platform, *credential, [&](const PullProgress& progress) {
        m_observer.progress(
            "pull", fmt::format("{}, {} of {}", digest.short_hex(), megabytes(progress.current),
                                megabytes(progress.total)));
      });
  if (!pulled) {
    return std::unexpected(failed_pull(by_digest, pulled.error()));
  }
  bytes = *pulled;
  const auto detail = m_tools.engine.inspect_image(by_digest.str());
  if (!detail) {
    return failed(detail.error());
  }
  const auto& manifest = digest == image.digest ? image.manifest : std::nullopt;
  const auto is_it = [&](const std::optional<Digest>& own) {
    return own && (*own == digest || own == manifest);
  };
  if (detail->image.id != digest.str() &&
      std::ranges::none_of(detail->image.repo_digests, [&](const std::string& text) {
        return is_it(repo_digest_of(text, by_digest));
      })) {
    const auto info = m_tools.engine.info();
    return std::unexpected(
        Trouble{ReasonCode::mirror_lag, mirror_lag(by_digest, info ? &*info : nullptr)});
  }
  return detail->image;
}

}  // namespace tallyman
