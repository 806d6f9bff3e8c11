#pragma once

#include <string>
#include <vector>

#include "tallyman/deploy/deployer.hpp"
#include "tallyman/deploy/read_back.hpp"
#include "tallyman/io/output_file.hpp"

namespace tallyman {

/// Why an action did not succeed.
struct Trouble {
  ReasonCode code;
  Error error;
  bool judged = false;                     ///< it was the image that failed
  std::vector<std::string> suspects = {};  ///< references of the images that failed
};

/// "38.2 MB"
[[nodiscard]] std::string megabytes(std::int64_t bytes);

/// Takes one journal from phase to phase until it has ended, or cannot go on for now.
class DeploymentRun : private DeploymentObserver {
 public:
  DeploymentRun(const DeploymentTools& tools, const Lock& lock, DeploymentObserver& observer,
                Journal journal);

  /// `first`: what happened to the phase that the journal is in, where that is known already; else
  /// its action is the first thing that is done.
  [[nodiscard]] Journal go(std::optional<PhaseEvent> first = std::nullopt);

 private:
  using Acted = std::expected<void, Trouble>;
  using Pulled = std::expected<Image, Trouble>;  ///< what came

  // Steps go into the journal, and on to the observer.
  void progress(std::string_view name, std::string_view text) override;
  void step(const Step& step) override;

  [[nodiscard]] PhaseEvent enter_and_act();
  [[nodiscard]] Acted hooked(bool after);
  [[nodiscard]] Acted act();
  void end();
  void note(Trouble trouble);

  // hook_phase.cpp
  [[nodiscard]] Acted before_hooks();
  void end_hooks();
  [[nodiscard]] Result<void> call_hook(const DeploymentPart& part, std::string_view name,
                                       const std::vector<std::string>& argv);

  // forward.cpp
  [[nodiscard]] Acted protect();
  [[nodiscard]] Result<void> protect_one(const ImagePlan& image, const OldImage& old);
  [[nodiscard]] Acted pull();
  [[nodiscard]] Acted pull_one(const ImagePlan& image, ImageProgress& progress);
  [[nodiscard]] Acted tag();
  [[nodiscard]] Result<void> tag_one(const ImagePlan& image, ImageProgress& progress);
  [[nodiscard]] Result<void> check_containers();
  [[nodiscard]] Acted check_models();
  [[nodiscard]] Result<void> check_tags();
  [[nodiscard]] Acted recreate();
  [[nodiscard]] Acted verify();
  [[nodiscard]] Acted pass_gate(const std::vector<Container>& containers);
  void measure_downtime(const std::vector<Container>& containers);
  [[nodiscard]] bool is_of_script(const Container& container) const;
  void remove_leftovers(const std::vector<Container>& verified, const Host& host);
  void restart_dependants(const Host& host);
  [[nodiscard]] Trouble failed_gate(GateFailure failure, const DeploymentPart& part) const;

  // way_back.cpp
  [[nodiscard]] Acted abandon();
  [[nodiscard]] Acted tidy();
  [[nodiscard]] Acted retag();
  [[nodiscard]] Acted restore();
  [[nodiscard]] Acted reverify();
  [[nodiscard]] std::string old_image(const std::string& project,
                                      const ImageReference& reference) const;
  [[nodiscard]] std::expected<std::vector<Container>, ReadBackFailure> read_back_old(
      const DeploymentPlan& plan, const Host& host) const;
  [[nodiscard]] Result<void> tag_old(const ImagePlan& image, const OldImage& old);
  [[nodiscard]] Result<void> tag_all_old(const std::string& project);

  /// Pulls by digest with the credentials of the check. What a mirror in between does not have is
  /// ReasonCode::mirror_lag, everything else pull_failed.
  [[nodiscard]] Pulled pull_digest(const ImagePlan& image, const Digest& digest,
                                   std::int64_t& bytes);
  [[nodiscard]] Trouble failed_pull(const ImageReference& by_digest, const Error& error);

  // call_target.cpp
  [[nodiscard]] OutputFile output_file(std::string_view name) const;
  void finish_output(OutputFile& output) const;
  [[nodiscard]] Result<void> call_target(std::size_t index, bool back);
  [[nodiscard]] std::string script_of(std::size_t index) const;
  void blame_script(const std::vector<std::string>& wanted, Error& error) const;

  void keep_evidence();
  [[nodiscard]] bool is_old(const std::string& container) const;
  void tell(std::string name, std::string text, std::chrono::steady_clock::time_point since);

  const DeploymentTools& m_tools;
  const Lock& m_lock;
  DeploymentObserver& m_observer;
  Journal m_journal;
  Timestamp m_recreated_at = {};  ///< when compose was first called; only in the run that did it
};

}  // namespace tallyman
