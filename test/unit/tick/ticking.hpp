#pragma once

#include <string>
#include <vector>

#include "support/tick_world.hpp"

namespace tallyman::test {

class Recorder final : public TickObserver {
 public:
  void deploying(const ServiceLook& service) override {
    told.push_back("deploying " + service.watch.name);
  }
  void progress(std::string_view /*name*/, std::string_view /*text*/) override {}
  void step(const Step& step) override { told.push_back(step.name + " " + step.text); }
  void deployed(const ServiceStatus& status, const Outcome& outcome) override {
    told.push_back(fmt::format("deployed {}: {}, {}", status.name, to_string(status.state),
                               outcome.journal ? outcome.journal->replicas : 0));
  }
  Calls told;
};

/// A world with ticks in it.
struct Ticking : TickWorld {
  Recorder observer;
  std::string trigger = "timer";

  TickResult run(const std::vector<ServiceName>& only = {}) {
    Tick tick(config, registry, engine, deployer, state, clock, log);
    return tick.run({.only = only,
                     .trigger = trigger,
                     .version = "0.1.0",
                     .host_name = "deploy-01",
                     .status_file = status_file()},
                    lock(), observer);
  }
  /// What the next tick says of a service, after a while.
  ServiceStatus next(const ServiceName& name = "web",
                     std::chrono::milliseconds later = std::chrono::minutes(5)) {
    clock.advance(later);
    calls.clear();
    return service(run(), name);
  }
  static ServiceStatus service(const TickResult& result, std::string_view name) {
    const auto found = std::ranges::find(result.services, name, &ServiceStatus::name);
    REQUIRE(found != result.services.end());
    return *found;
  }
  [[nodiscard]] StatusDocument written() const { return value_of(load_status(status_file())); }
  [[nodiscard]] Memory remembered() const { return value_of(state.load_memory()); }
  [[nodiscard]] ServiceMemory remembered(const ServiceName& name) const {
    return remembered().services[name];
  }
};

}  // namespace tallyman::test
