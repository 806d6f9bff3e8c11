#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tallyman/deploy/observer.hpp"
#include "tallyman/engine/engine.hpp"
#include "tallyman/io/clock.hpp"
#include "tallyman/io/http.hpp"
#include "tallyman/io/process.hpp"

namespace tallyman {

/// A container that must be good.
struct GateSubject {
  std::string id;
  std::string name;
  bool fresh = true;  ///< was just created: any restart is trouble, also one from before the gate
};

/// Why the containers did not pass.
struct GateFailure {
  Error error;                 ///< "shop-web-1 exited with status 1"
  std::string container = {};  ///< id of the one; empty: a probe failed, or nobody knows
  bool judged = true;          ///< false: the engine was away meanwhile, so it proves nothing
};

/// Decides whether containers are good. All of these, at once:
///  - each is there, runs, and has not restarted (RestartCount, State.StartedAt), nor was anything
///    in it killed for lack of memory (State.OOMKilled)
///  - each that has a health check is healthy; unhealthy is a verdict, starting is waited for
///  - each URL answers with the expected status, without following redirects or checking
///    certificates; each tcp address accepts; the command ends with 0. Each probe has 5 s.
/// and stay so for `settle`. A probe that fails is tried again until `timeout` is over, counted
/// from the beginning; the settling starts anew when one fails within it. Trouble of a container is
/// final at once. An engine that does not answer is asked again until timeout and settle are over.
class HealthGate {
 public:
  using Connect =
      std::function<Result<void>(const std::string& address, std::chrono::milliseconds timeout)>;

  using OnOutput = std::function<void(std::string_view bytes)>;

  /// `environment` is all that a health command gets.
  HealthGate(Engine& engine, Http& http, Process& process, const Clock& clock,
             std::map<std::string, std::string> environment, Connect connect);

  /// Waits. Tells `observer` progress ("health", "2/2 healthy, http://… 503", every second or so)
  /// and two steps: "health" and "settle". `on_output`: all output of the health command.
  [[nodiscard]] std::expected<void, GateFailure> wait(const std::vector<GateSubject>& subjects,
                                                      const HealthSettings& settings,
                                                      DeploymentObserver& observer,
                                                      const OnOutput& on_output = {});

  /// As it is now, each thing looked at once; `starting` is no trouble, nor are restarts of before.
  [[nodiscard]] std::expected<void, GateFailure> look(const std::vector<GateSubject>& subjects,
                                                      const HealthSettings& settings);

 private:
  struct Round;
  class Course;
  using FirstSeen = std::map<std::string, Container>;  ///< by id

  [[nodiscard]] Round look_at_all(const std::vector<GateSubject>& subjects,
                                  const HealthSettings& settings, FirstSeen* first_seen,
                                  const OnOutput& on_output);
  void look_at(const GateSubject& subject, FirstSeen* first_seen, Round& round);
  void probe(const HealthSettings& settings, const OnOutput& on_output, Round& round);

  Engine& m_engine;
  Http& m_http;
  Process& m_process;
  const Clock& m_clock;
  std::map<std::string, std::string> m_environment;
  Connect m_connect;
};

}  // namespace tallyman
