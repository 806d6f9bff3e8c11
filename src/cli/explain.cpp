#include <utility>

#include "cli/explanation.hpp"

namespace tallyman {

int explain_command(const Config& config, const ExplainOptions& options, Registry& registry,
                    Engine& engine, Deployer& deployer, Memory memory, const Clock& clock,
                    Terminal& out) {
  const Explanation explanation =
      make_explanation(config, options, registry, engine, deployer, std::move(memory), clock.now());
  out.print(options.json ? explanation_to_json(explanation) : explanation_text(explanation, out));
  return exit_status_of({explanation.service});
}

}  // namespace tallyman
