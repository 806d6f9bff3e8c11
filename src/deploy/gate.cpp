#include "tallyman/deploy/gate.hpp"

#include <fmt/ranges.h>

#include <optional>
#include <utility>

#include "deploy/probes.hpp"

namespace tallyman {

/// What one look at everything found.
struct HealthGate::Round {
  enum class Verdict {
    good,
    waiting,  ///< not good yet
    away,     ///< the engine does not answer
    trouble,  ///< will not get good
  };
  Verdict verdict = Verdict::good;
  GateFailure why = {};     ///< unless it is good
  std::string probe = {};   ///< the one that is waited for; empty: a container
  std::string output = {};  ///< of that probe, to stand at the end of a message
  int checked = 0;          ///< containers that have a health check
  int healthy = 0;
  std::vector<std::string> seen = {};  ///< "2/2 healthy", "http://127.0.0.1:3000/health 503"
};

namespace {

using SteadyTime = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;

constexpr milliseconds k_pause{500};
constexpr milliseconds k_between_progress = std::chrono::seconds(1);

/// 90 s: to compare with the settings, so not rounded to minutes.
std::string in_seconds(SteadyTime::duration span) {
  return fmt::format("{} s", std::chrono::floor<std::chrono::seconds>(span).count());
}

milliseconds in_milliseconds(SteadyTime::duration span) {
  return std::chrono::floor<milliseconds>(span);
}

std::string times(int count) {
  return count == 1 ? "once" : fmt::format("{} times", count);
}

std::string with_text(std::string message, const std::string& text) {
  return text.empty() ? message : fmt::format("{}: {}", message, text);
}

std::string why_exited(const Container& container) {
  if (container.oom_killed) {
    return container.exit_code
               ? fmt::format("was killed for lack of memory (exit status {})", *container.exit_code)
               : "was killed for lack of memory";
  }
  return container.exit_code ? fmt::format("exited with status {}", *container.exit_code)
                             : "exited";
}

std::string why_not_running(const Container& container) {
  switch (container.status) {
    case ContainerStatus::created:
      return with_text("was created but never started", first_line(container.start_error));
    case ContainerStatus::exited:
    case ContainerStatus::dead:
      return why_exited(container);
    case ContainerStatus::restarting:
      return why_exited(container) + " and is about to be restarted";
    case ContainerStatus::paused:
      return "is paused";
    case ContainerStatus::removing:
      return "is being removed";
    case ContainerStatus::running:
    case ContainerStatus::unknown:
      break;
  }
  return "is in an unknown state";
}

/// `before`: the container as it was when it was seen first.
std::string why_restarted(const Container& container, const Container& before) {
  const int restarts = container.restarts.value_or(0) - before.restarts.value_or(0);
  if (restarts > 0) {
    return fmt::format("{}restarted {}",
                       container.oom_killed ? "was killed for lack of memory and " : "",
                       times(restarts));
  }
  // By hand, or with the engine: nobody counts these.
  const bool anew = before.started && container.started && *before.started != *container.started;
  return anew ? "was started anew" : "";
}

/// Why it will not get good; empty: nothing speaks against it. Without `before`, what was before
/// does not count.
std::string why_not_running(const Container& container, const Container* before) {
  const bool up = container.status == ContainerStatus::running;
  if (before != nullptr && (up || container.status == ContainerStatus::restarting)) {
    if (std::string why = why_restarted(container, *before); !why.empty()) {
      return why;
    }
  }
  if (!up) {
    return why_not_running(container);
  }
  if (before != nullptr && container.oom_killed && !before->oom_killed) {
    return "had a process killed for lack of memory";
  }
  return container.health == Health::unhealthy
             ? with_text("is unhealthy", first_line(container.health_output))
             : "";
}

/// A fresh container has no past.
Container as_baseline(Container container, bool fresh) {
  if (fresh) {
    container.restarts = 0;
    container.oom_killed = false;
  }
  return container;
}

GateFailure failure(const GateSubject& subject, std::string_view what) {
  return {.error = {ErrorKind::process, fmt::format("{} {}", subject.name, what)},
          .container = subject.id};
}

}  // namespace

/// Rounds in, in the end a verdict out.
class HealthGate::Course {
 public:
  using Taken = std::optional<std::expected<void, GateFailure>>;

  Course(const Clock& clock, const HealthSettings& settings, DeploymentObserver& observer)
      : m_clock(clock), m_settings(settings), m_observer(observer) {}

  /// Nothing: look again.
  [[nodiscard]] Taken take(Round round) {
    const SteadyTime now = m_clock.steady();
    const SteadyTime deadline = m_begin + m_settings.timeout;
    switch (round.verdict) {
      case Round::Verdict::good:
        return settle(now, round);
      case Round::Verdict::waiting:
        note_waiting(now, round);
        return now < deadline ? go_on(now, round) : failed(overdue(now, std::move(round)));
      case Round::Verdict::away:
        m_was_away = true;
        return now < deadline + m_settings.settle ? go_on(now, round) : failed(round.why);
      case Round::Verdict::trouble:
        break;
    }
    return failed(std::move(round.why));
  }

 private:
  Taken settle(SteadyTime now, const Round& round) {
    m_awaited.reset();
    m_good_since = m_good_since.value_or(now);
    if (!m_first_good) {
      m_first_good = now;
      m_observer.step({"health", text_of(round), in_milliseconds(now - m_begin)});
    }
    if (now - *m_good_since < m_settings.settle) {
      return go_on(now, round);
    }
    m_observer.step({"settle", "0 restarts", in_milliseconds(now - *m_first_good)});
    return std::expected<void, GateFailure>();
  }

  void note_waiting(SteadyTime now, const Round& round) {
    m_good_since.reset();
    if (m_awaited != round.probe) {
      m_awaited = round.probe;
      m_awaited_since = now;
    }
  }

  /// A container has been starting since the beginning; a probe is only tried once all are healthy.
  [[nodiscard]] GateFailure overdue(SteadyTime now, Round round) const {
    std::string& message = round.why.error.message;
    if (round.probe.empty()) {
      message += fmt::format(" after {}", in_seconds(now - m_begin));
    } else if (now > m_awaited_since) {
      message += fmt::format(" for {}", in_seconds(now - m_awaited_since));
    }
    message = with_text(std::move(message), round.output);
    return std::move(round.why);
  }

  [[nodiscard]] Taken failed(GateFailure why) const {
    why.judged = !m_was_away;
    return std::unexpected(std::move(why));
  }

  [[nodiscard]] static std::string text_of(const Round& round) {
    if (round.verdict == Round::Verdict::away) {
      return "the Docker Engine does not answer";
    }
    return round.seen.empty() ? "no health check" : fmt::format("{}", fmt::join(round.seen, ", "));
  }

  Taken go_on(SteadyTime now, const Round& round) {
    if (!m_told || now - *m_told >= k_between_progress) {
      m_told = now;
      m_observer.progress("health", text_of(round));
    }
    return std::nullopt;
  }

  const Clock& m_clock;
  const HealthSettings& m_settings;
  DeploymentObserver& m_observer;
  SteadyTime m_begin = m_clock.steady();
  std::optional<SteadyTime> m_first_good = std::nullopt;
  std::optional<SteadyTime> m_good_since = std::nullopt;  ///< without a probe that failed
  std::optional<SteadyTime> m_told = std::nullopt;
  std::optional<std::string> m_awaited = std::nullopt;
  SteadyTime m_awaited_since = {};
  bool m_was_away = false;
};

HealthGate::HealthGate(Engine& engine, Http& http, Process& process, const Clock& clock,
                       std::map<std::string, std::string> environment, Connect connect)
    : m_engine(engine),
      m_http(http),
      m_process(process),
      m_clock(clock),
      m_environment(std::move(environment)),
      m_connect(std::move(connect)) {}

std::expected<void, GateFailure> HealthGate::wait(const std::vector<GateSubject>& subjects,
                                                  const HealthSettings& settings,
                                                  DeploymentObserver& observer,
                                                  const OnOutput& on_output) {
  Course course(m_clock, settings, observer);
  FirstSeen first_seen;
  while (true) {
    if (auto verdict = course.take(look_at_all(subjects, settings, &first_seen, on_output))) {
      return *std::move(verdict);
    }
    m_clock.sleep(k_pause);
  }
}

std::expected<void, GateFailure> HealthGate::look(const std::vector<GateSubject>& subjects,
                                                  const HealthSettings& settings) {
  Round round = look_at_all(subjects, settings, nullptr, {});
  if (round.verdict == Round::Verdict::good) {
    return {};
  }
  round.why.error.message = with_text(std::move(round.why.error.message), round.output);
  return std::unexpected(std::move(round.why));
}

HealthGate::Round HealthGate::look_at_all(const std::vector<GateSubject>& subjects,
                                          const HealthSettings& settings, FirstSeen* first_seen,
                                          const OnOutput& on_output) {
  Round round;
  for (const GateSubject& subject : subjects) {
    look_at(subject, first_seen, round);
    if (round.verdict == Round::Verdict::away || round.verdict == Round::Verdict::trouble) {
      return round;
    }
  }
  if (round.checked > 0) {
    round.seen.push_back(fmt::format("{}/{} healthy", round.healthy, round.checked));
  }
  if (round.verdict == Round::Verdict::good) {
    probe(settings, on_output, round);
  }
  return round;
}

void HealthGate::look_at(const GateSubject& subject, FirstSeen* first_seen, Round& round) {
  Result<Container> container = m_engine.inspect_container(subject.id);
  if (!container && container.error().kind == ErrorKind::not_found) {
    round.verdict = Round::Verdict::trouble;
    round.why = failure(subject, "is gone");
    return;
  }
  if (!container) {
    round.verdict = Round::Verdict::away;
    round.why = {.error = with_context(std::move(container.error()),
                                       fmt::format("cannot look at {}", subject.name)),
                 .judged = false};
    return;
  }
  const Container* before = nullptr;
  if (first_seen != nullptr) {
    const auto first = first_seen->try_emplace(subject.id, as_baseline(*container, subject.fresh));
    before = &first.first->second;
  }
  if (const std::string why = why_not_running(*container, before); !why.empty()) {
    round.verdict = Round::Verdict::trouble;
    round.why = failure(subject, why);
    return;
  }
  const bool starting = container->health == Health::starting && first_seen != nullptr;
  if (starting && round.verdict == Round::Verdict::good) {
    round.verdict = Round::Verdict::waiting;
    round.why = failure(subject, "is still starting");
  }
  round.checked += container->health == Health::none ? 0 : 1;
  round.healthy += container->health == Health::healthy ? 1 : 0;
}

void HealthGate::probe(const HealthSettings& settings, const OnOutput& on_output, Round& round) {
  // The first that fails is enough: the others are tried once it is good.
  const auto failed = [&round](const Probed& probed) {
    round.seen.push_back(fmt::format("{} {}", probed.name, probed.result));
    if (!probed.good) {
      round.verdict = Round::Verdict::waiting;
      round.why = {.error = {ErrorKind::process, probed.error}};
      round.probe = probed.name;
      round.output = probed.output;
    }
    return !probed.good;
  };
  for (const std::string& url : settings.http) {
    if (failed(probe_http(m_http, url, settings.http_status))) {
      return;
    }
  }
  for (const std::string& address : settings.tcp) {
    if (failed(probe_tcp(m_connect, address))) {
      return;
    }
  }
  if (!settings.command.empty()) {
    failed(probe_command(m_process, settings.command, m_environment, on_output));
  }
}

}  // namespace tallyman
