#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "support/fake_clock.hpp"
#include "support/fake_engine.hpp"
#include "support/fake_http.hpp"
#include "support/fake_process.hpp"
#include "support/fake_registry.hpp"
#include "support/fake_target.hpp"
#include "support/temp_folder.hpp"
#include "tallyman/tick/tick.hpp"

namespace tallyman::test {

/// How long containers must have run well, here.
inline constexpr std::chrono::milliseconds k_settle{1000};

/// A host with its registry, and a tick on it: real state and status files, the rest are fakes. At
/// its beginning service web of project shop, watched as "web", runs image #a, which is digest #1,
/// and that is what the registry has.
struct TickWorld {
  TempFolder folder;
  Calls calls;
  FakeRegistry registry{calls};
  FakeEngine engine{calls};
  FakeTarget target{calls, engine};
  FakeClock clock;
  Stop stop;
  Log log{{.level = LogLevel::off}};
  FakeHttp http{[](const HttpRequest&) { return HttpResponse{.status = 200}; }};
  FakeProcess process;
  HealthGate gate{engine, http, process, clock, {}, HealthGate::Connect{}};
  Hooks hooks{process, {{"PATH", "/usr/bin:/bin"}}, log};
  StateDirectory state{folder / "state"};
  Deployer deployer{{registry, engine, target, gate, hooks, state, clock, stop, log}};
  Config config;
  int compose_failures = 0;

  TickWorld() {
    if (::mkdir((folder / "state").c_str(), 0700) != 0) {
      throw std::runtime_error("mkdir");
    }
    engine.add_image(k_web, 'a', "1");
    registry.has(k_web, '1');
    watches("web", k_web);
    runs("shop", "web");
  }
  TickWorld(const TickWorld&) = delete;
  TickWorld& operator=(const TickWorld&) = delete;
  ~TickWorld() = default;

  Watch& watches(const std::string& name, std::string_view image) {
    config.watches.push_back({.name = name,
                              .file = file_of(name),
                              .image = ref(image),
                              .health = {.timeout = std::chrono::seconds(5), .settle = k_settle}});
    return config.watches.back();
  }
  Container& runs(const std::string& project, const std::string& service,
                  std::string_view image = k_web, char id = 'a', int number = 1) {
    engine.containers.push_back(compose_container(project, service, number, image, id));
    set_label(engine.containers.back(), k_label_working_dir, folder.path());
    return engine.containers.back();
  }
  /// A second watched service, which is current.
  void with_api() {
    engine.add_image("harbor.lan/shop/api:1", 'c', "5");
    registry.has("harbor.lan/shop/api:1", '5');
    watches("api", "harbor.lan/shop/api:1");
    runs("shop", "api", "harbor.lan/shop/api:1", 'c');
  }
  /// A drop-in that cannot be read.
  void with_broken(const std::string& name) {
    config.broken.push_back(
        {name, {{file_of(name), 3, 1, "imge", "unknown key"}, {file_of(name), 4, 2, "", "no"}}});
  }
  /// The registry gets a new image: a digest, the platform's manifest in it, the id of the image.
  void pushes(std::string_view reference, char hex, char manifest, char id) {
    registry.has(reference, hex);
    registry.holds(hex, manifest, id);
    engine.can_pull(reference, hex, id);
  }
  /// A new image for web: digest #2, image #b.
  void pushes_web() { pushes(k_web, '2', '7', 'b'); }
  /// Its containers end as soon as they are started.
  void is_bad(char id) {
    engine.on_inspect = [id](Container container) -> Result<Container> {
      if (container.image_id == id_of(id)) {
        container.status = ContainerStatus::exited;
        container.exit_code = 7;
      }
      return container;
    };
  }
  /// The next `times` calls of compose fail, and leave everything as it is.
  void compose_fails(int times = 1) {
    compose_failures = times;
    target.on_recreate = [this](const PreparedProject& project) -> Result<void> {
      if (compose_failures-- > 0) {
        return fail(ErrorKind::process, "compose up failed: no such network");
      }
      engine.recreate(project.plan);
      return {};
    };
  }
  static std::string file_of(const std::string& name) {
    return "/etc/tallyman/conf.d/" + name + ".toml";
  }

  [[nodiscard]] std::string status_file() const { return folder / "run/status.json"; }
  [[nodiscard]] Calls asked() const { return shortened(calls); }
  /// Of the calls those that begin with a word.
  [[nodiscard]] Calls asked(std::string_view word) const {
    Calls found;
    for (const std::string& call : asked()) {
      if (call.starts_with(word)) {
        found.push_back(call);
      }
    }
    return found;
  }

  /// The lock that every tick has.
  [[nodiscard]] Lock lock() const {
    auto taken = value_of(state.try_lock(clock.now()));
    REQUIRE(taken.has_value());
    return std::move(*taken);
  }

  [[nodiscard]] Look look(Memory& memory, const std::vector<ServiceName>& only = {}) {
    return look_at(config, only, registry, engine, memory, {.now = clock.now()});
  }
  [[nodiscard]] Look look() {
    Memory memory;
    return look(memory);
  }
};

template <class Service>
void check_state(const Service& service, ServiceState state, ReasonCode code) {
  CHECK(to_string(service.state) == to_string(state));
  CHECK(to_string(service.reason_code) == to_string(code));
}

}  // namespace tallyman::test
