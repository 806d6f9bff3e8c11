#pragma once

#include <fcntl.h>

#include <map>
#include <string>
#include <vector>

#include "support/captured.hpp"
#include "support/fake_engine.hpp"
#include "support/fake_process.hpp"
#include "tallyman/deploy/compose_target.hpp"
#include "unit/deploy/planned.hpp"

namespace tallyman::test {

/// A ComposeTarget whose compose is a table, and a project with two replicas of one service.
struct Bench {
  Calls calls;
  FakeEngine engine{calls};
  FakeProcess process;
  CapturedStderr captured;
  Log log{{.level = LogLevel::debug}};
  std::map<std::string, std::string> environment = {
      {"DOCKER_HOST", "unix:///run/docker.sock"}, {"HOME", "/root"}, {"PATH", "/usr/bin"}};
  ComposeTarget target{process, engine, environment, log};
  Lock lock{Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC))};
  ProjectPlan plan;

  Bench() {
    engine.add_image(k_web, 'a', "1");
    plan.compose.project = "shop";
    plan.compose.directory = "/srv/shop";
    plan.services = {{.name = "web",
                      .reference = ref(k_web),
                      .containers = {planned("shop", "web", 1), planned("shop", "web", 2)}}};
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;
  ~Bench() = default;

  void v2(const std::string& version) { process.prints("docker compose version", version + "\n"); }
  void v1(const std::string& version) { process.prints("docker-compose version", version + "\n"); }
  void model(const std::string& yaml) { process.prints(" config", yaml); }
  void good_model() { model("services: {web: {image: harbor.lan/shop/web:1}}"); }
  void without_container_config() { engine.images.at(id_of('a')).has_container_config = false; }

  [[nodiscard]] PreparedProject prepared() { return value_of(target.prepare(plan)); }
  [[nodiscard]] Error refusal() { return error_of(target.prepare(plan)); }
};

}  // namespace tallyman::test
