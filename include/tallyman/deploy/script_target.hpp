#pragma once

#include <map>
#include <string>

#include "tallyman/deploy/target.hpp"
#include "tallyman/io/log.hpp"
#include "tallyman/io/process.hpp"

namespace tallyman {

/// Recreates with the script of a drop-in ([redeploy]). The script is told by TALLYMAN_… variables
/// what to run (deploy/variables.hpp), and does the rest: it is the only one that creates, removes
/// and renames its containers, and their names are its business. What it must do:
///  - start its containers from $TALLYMAN_IMAGE as that is on this host, and pull or build nothing:
///    a rollback moves that tag to the image of before and runs the script again;
///  - run again whatever an earlier run left half way (docker rm -f, then docker run);
///  - leave at least as many containers of the reference running as there were before.
/// Exit status 0 says that it did so; what runs is read back all the same.
class ScriptTarget final : public Target {
 public:
  /// `environment` is all that a script gets, besides [redeploy] environment and TALLYMAN_…
  ScriptTarget(Process& process, std::map<std::string, std::string> environment, Log& log)
      : m_process(process), m_environment(std::move(environment)), m_log(log) {}

  /// ErrorKind::config if the folder or the script is not there.
  [[nodiscard]] Result<PreparedProject> prepare(const ProjectPlan& plan) override;
  /// None: a script has no model.
  [[nodiscard]] Result<ComposeModels> models(const ProjectPlan& /*plan*/) override { return {}; }
  [[nodiscard]] Result<void> recreate(const PreparedProject& project, const Lock& lock) override;

 private:
  Process& m_process;
  std::map<std::string, std::string> m_environment;
  Log& m_log;
};

/// Each project goes to the target that its plan names.
class TargetOfPlan final : public Target {
 public:
  TargetOfPlan(Target& compose, Target& script) : m_compose(compose), m_script(script) {}
  [[nodiscard]] Result<PreparedProject> prepare(const ProjectPlan& plan) override {
    return of(plan).prepare(plan);
  }
  [[nodiscard]] Result<ComposeModels> models(const ProjectPlan& plan) override {
    return of(plan).models(plan);
  }
  [[nodiscard]] Result<void> recreate(const PreparedProject& project, const Lock& lock) override {
    return of(project.plan).recreate(project, lock);
  }

 private:
  [[nodiscard]] Target& of(const ProjectPlan& plan) const {
    return plan.by_script ? m_script : m_compose;
  }
  Target& m_compose;
  Target& m_script;
};

}  // namespace tallyman
