#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/fake_clock.hpp"
#include "support/fake_engine.hpp"
#include "support/fake_http.hpp"
#include "support/fake_process.hpp"
#include "tallyman/deploy/gate.hpp"

namespace tallyman::test {

inline constexpr const char* k_url = "http://127.0.0.1:3000/health";
inline constexpr const char* k_address = "127.0.0.1:5432";

/// A HealthGate among fakes, before containers of project shop: "web 1" is shop-web-1. What happens
/// later is told with after().
class GateBench final : public DeploymentObserver {
 public:
  explicit GateBench(int containers = 1) {
    for (int number = 1; number <= containers; ++number) {
      engine.containers.push_back(compose_container("shop", "web", number));
      const Container& container = engine.containers.back();
      subjects.push_back({.id = container.id, .name = container.name, .fresh = true});
    }
    engine.on_call = [this](std::string_view) { let_happen(); };
  }

  /// At the first look that is as late as this.
  void after(std::chrono::milliseconds span, std::function<void()> what) {
    m_later.emplace(span, std::move(what));
  }
  [[nodiscard]] std::chrono::milliseconds passed() const {
    return std::chrono::floor<std::chrono::milliseconds>(clock.running - m_begin);
  }
  Container& web(std::size_t number = 1) { return engine.containers.at(number - 1); }

  /// "" if they passed; "(unjudged) " before a verdict that proves nothing.
  std::string wait() { return told(gate.wait(subjects, settings, *this)); }
  std::string look() { return told(gate.look(subjects, settings)); }

  void progress(std::string_view name, std::string_view text) override {
    progressed.push_back(std::string(name) + ": " + std::string(text));
  }
  void step(const Step& step) override { steps.push_back(step); }

  Calls calls;
  FakeEngine engine{calls};
  HttpResult answer = HttpResponse{.status = 200};
  FakeHttp http{[this](const HttpRequest&) { return answer; }};
  FakeProcess process;
  FakeClock clock;
  Result<void> connection = {};
  std::vector<std::pair<std::string, std::chrono::milliseconds>> connections;
  std::vector<GateSubject> subjects;
  HealthSettings settings;
  HealthGate gate{engine,
                  http,
                  process,
                  clock,
                  {{"PATH", "/usr/bin"}},
                  [this](const std::string& address, std::chrono::milliseconds timeout) {
                    connections.emplace_back(address, timeout);
                    return connection;
                  }};
  std::string culprit;  ///< GateFailure::container of the last verdict
  ErrorKind kind = ErrorKind::bug;
  std::vector<std::string> progressed;
  std::vector<Step> steps;

 private:
  std::string told(const std::expected<void, GateFailure>& verdict) {
    if (verdict) {
      return "";
    }
    culprit = verdict.error().container;
    kind = verdict.error().error.kind;
    return (verdict.error().judged ? "" : "(unjudged) ") + verdict.error().error.message;
  }

  void let_happen() {
    while (!m_later.empty() && m_later.begin()->first <= passed()) {
      const auto what = std::move(m_later.begin()->second);
      m_later.erase(m_later.begin());
      what();
    }
  }

  std::multimap<std::chrono::milliseconds, std::function<void()>> m_later;
  std::chrono::steady_clock::time_point m_begin = clock.running;
};

inline const Error k_no_engine{ErrorKind::transient, "no Docker Engine listens on /run/docker.sock",
                               "start it (systemctl start docker)"};

}  // namespace tallyman::test
