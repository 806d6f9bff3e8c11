#include "cli/hand_arguments.hpp"

#include <CLI/CLI.hpp>

namespace tallyman {
namespace {

void add_service(CLI::App* command, Arguments& arguments) {
  command->add_option("SERVICE", arguments.services, "Name of a drop-in")
      ->type_name("")
      ->required()
      ->expected(1);
}

void add_wait(CLI::App* command, std::string& wait) {
  command->add_option("--wait", wait, "Wait so long for another run to end (90s, 10m)")
      ->type_name("DURATION");
}

}  // namespace

void add_hand_commands(CLI::App& app, Arguments& arguments, std::string& wait) {
  CLI::App* deploy = add_command(app, arguments, CommandName::deploy, "deploy",
                                 "Deploy one service now, with health gate and rollback",
                                 "  tallyman deploy web\n"
                                 "  tallyman deploy web --wait 10m\n"
                                 "  tallyman deploy web --to v1.2.0");
  add_service(deploy, arguments);
  deploy->add_option("--to", arguments.to, "This one instead of what its tag offers; then hold it")
      ->type_name("DIGEST|TAG");
  deploy->add_flag("--retry-quarantined", arguments.retry_quarantined,
                   "Also a digest that has failed here");
  deploy->add_flag("--recreate", arguments.recreate, "Recreate also what is current");
  add_wait(deploy, wait);

  CLI::App* rollback = add_command(app, arguments, CommandName::rollback, "rollback",
                                   "Bring back what ran well before, and hold it",
                                   "  tallyman rollback web\n"
                                   "  tallyman rollback web --to 2\n"
                                   "  tallyman rollback web --to 9c1f22ab");
  add_service(rollback, arguments);
  rollback->add_option("--to", arguments.to, "Image of the N-th last deployment, or a digest")
      ->type_name("N|DIGEST");
  add_wait(rollback, wait);

  CLI::App* hold = add_command(app, arguments, CommandName::hold, "hold",
                               "No run deploys it until it is released",
                               "  tallyman hold web --reason \"exam week\" --until 2026-12-01\n"
                               "  tallyman hold web --until 18:00");
  add_service(hold, arguments);
  hold->add_option("--reason", arguments.reason, "Why, for everybody who asks")->type_name("TEXT");
  hold->add_option("--until", arguments.until, "2h, 18:00, 2026-12-01, \"2026-12-01 18:00\"")
      ->type_name("TIME");

  CLI::App* release = add_command(app, arguments, CommandName::release, "release",
                                  "Lift a hold; the next run deploys what the registry offers",
                                  "  tallyman release web");
  add_service(release, arguments);
}

}  // namespace tallyman
