#pragma once

#include <string>

#include "tallyman/cli/arguments.hpp"

namespace CLI {
class App;
}

namespace tallyman {

/// A command with its examples, which sets arguments.command.
CLI::App* add_command(CLI::App& app, Arguments& arguments, CommandName name, const char* word,
                      const char* description, const char* examples);

/// The commands by which people act on one service: deploy, rollback, hold, release. `wait`: the
/// text of --wait.
void add_hand_commands(CLI::App& app, Arguments& arguments, std::string& wait);

}  // namespace tallyman
