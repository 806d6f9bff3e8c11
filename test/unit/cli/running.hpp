#pragma once

#include <string>

#include "support/tick_world.hpp"
#include "tallyman/cli/commands.hpp"
#include "unit/cli/screen.hpp"

namespace tallyman::test {

struct Ran {
  int status;
  std::string out;
  std::string err;
};

/// A run of all services.
inline Ran run(TickWorld& world, bool journald = false, Terminal::Options options = {}) {
  Screen screen(options);
  const CapturedStderr captured;
  Log log({.level = LogLevel::warning, .journald = journald});
  Tick tick(world.config, world.registry, world.engine, world.deployer, world.state, world.clock,
            log);
  const TickOptions tick_options{
      .version = "0.1.0", .host_name = "deploy-01", .status_file = world.status_file()};
  const int status =
      run_command(tick, tick_options, world.state, world.clock, journald, screen.terminal, log);
  return {status, screen.text(), captured.text()};
}

}  // namespace tallyman::test
