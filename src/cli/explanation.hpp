#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tallyman/cli/commands.hpp"
#include "tallyman/report/explanation.hpp"

namespace tallyman {

/// Looks as a tick of the timer would, changes nothing, and gathers all that there is to say.
[[nodiscard]] Explanation make_explanation(const Config& config, const ExplainOptions& options,
                                           Registry& registry, Engine& engine, Deployer& deployer,
                                           Memory memory, Timestamp now);

/// For people; one screen for an ordinary service, empty sections are left out.
[[nodiscard]] std::string explanation_text(const Explanation& explanation,
                                           const Terminal& terminal);

/// The rule behind a reason code, in words.
[[nodiscard]] std::string_view rule_of(ReasonCode code);

/// What the next run makes of a service that it does not deploy, and what a person can do.
/// `holders`: the services whose holds keep it back.
[[nodiscard]] NextStep step_without_deployment(const Explanation& explanation,
                                               const std::vector<ServiceName>& holders);

/// "running containers of harbor.lan/shop/web:1", "compose services web, worker of project shop"
[[nodiscard]] std::string selection_text(const Watch& watch);

}  // namespace tallyman
