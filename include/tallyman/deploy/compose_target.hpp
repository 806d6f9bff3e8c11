#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tallyman/deploy/target.hpp"
#include "tallyman/engine/engine.hpp"
#include "tallyman/io/log.hpp"
#include "tallyman/io/process.hpp"

namespace tallyman {

/// A compose program of this host.
struct ComposeTool {
  std::vector<std::string> argv;  ///< {"docker", "compose"} or {"docker-compose"}
  int major = 0;
  int minor = 0;
  int patch = 0;
  [[nodiscard]] bool at_least(int wanted_major, int wanted_minor) const;
  [[nodiscard]] bool is_v1() const { return major == 1; }
  [[nodiscard]] std::string version() const;  ///< "2.26.1"
  [[nodiscard]] std::string str() const;      ///< "docker compose 2.26.1"
};

/// "2.26.1", "v2.26.1-ds1", "1.29.2"; nothing for anything else.
[[nodiscard]] std::optional<ComposeTool> parse_compose_version(std::string_view text);

/// What compose itself makes of a service.
struct ComposeService {
  std::string image;  ///< as written after interpolation; "": none
  /// SHA-256 of what `up --no-build --pull never --scale` applies besides the image, with the
  /// networks, volumes, secrets and configs that it uses. In which order things are written does
  /// not matter, unless it is a list.
  std::string hash;
};
/// By service. `text` is what `config` prints (YAML). ErrorKind::protocol if it is none, or
/// unbelievably large.
[[nodiscard]] Result<std::map<std::string, ComposeService>> parse_compose_model(
    std::string_view text);

/// Recreates with Docker Compose v2 (docker compose, 2.8 or newer) or v1 (docker-compose 1.x).
class ComposeTarget final : public Target {
 public:
  /// `environment` is all that compose gets, besides [compose] environment: PATH, HOME,
  /// DOCKER_HOST, DOCKER_CONFIG.
  ComposeTarget(Process& process, Engine& engine, std::map<std::string, std::string> environment,
                Log& log);

  [[nodiscard]] Result<PreparedProject> prepare(const ProjectPlan& plan) override;
  [[nodiscard]] Result<ComposeModels> models(const ProjectPlan& plan) override;
  [[nodiscard]] Result<void> recreate(const PreparedProject& project, const Lock& lock) override;

 private:
  [[nodiscard]] Result<ComposeTool> choose_tool(const ProjectPlan& plan);
  [[nodiscard]] const Result<ComposeTool>& probe(const std::vector<std::string>& argv);
  [[nodiscard]] Result<bool> engine_has_container_config(const ProjectPlan& plan);
  using Answer = std::map<std::string, ComposeService>;
  [[nodiscard]] Result<Answer> ask(const ComposeTool& tool, const ProjectPlan& plan);
  [[nodiscard]] Command command_for(const ComposeTool& tool, const ProjectPlan& plan) const;
  [[nodiscard]] Command up_command(const ComposeTool& tool, const ProjectPlan& plan) const;

  Process& m_process;
  Engine& m_engine;
  std::map<std::string, std::string> m_environment;
  Log& m_log;
  std::map<std::vector<std::string>, Result<ComposeTool>> m_tools;
};

/// For people, so that they can paste it: `cd /srv/web && IMAGE_CHANNEL=stable docker compose -p
/// web up -d web`.
[[nodiscard]] std::string shell_line(const Command& command,
                                     const std::map<std::string, std::string>& shown_environment);

}  // namespace tallyman
