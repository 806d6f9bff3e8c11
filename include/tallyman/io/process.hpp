#pragma once

#include "tallyman/model/error.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tallyman {

struct Command {
  std::vector<std::string> argv;  ///< argv[0] is looked up in environment["PATH"] if it has no "/"
  std::string directory = {};     ///< working directory; empty: ours
  std::map<std::string, std::string> environment = {};  ///< all of it; nothing of ours is inherited
  std::string input = {};  ///< what it reads from stdin; empty: /dev/null
  std::chrono::milliseconds timeout = std::chrono::minutes(1);
  std::chrono::milliseconds grace = std::chrono::seconds(10);  ///< then, to end after SIGTERM
  std::size_t max_output =
      std::size_t{1024} *
      1024;          ///< bytes kept of each of out and err; the rest is read and dropped
  int keep_fd = -1;  ///< a descriptor of ours that the child has, too (a lock); -1: none
  /// Every line of both streams as it comes, without its newline, cut at 8 KiB.
  std::function<void(std::string_view)> on_line = {};
  /// All bytes of both streams, in pieces as they come; an OutputFile for instance.
  std::function<void(std::string_view)> on_output = {};
};

struct Exit {
  int code = -1;           ///< exit status; -1 if a signal ended it
  int signal = 0;          ///< the signal that ended it, or 0
  bool timed_out = false;  ///< we killed it (its whole process group) since its time was up
  std::string out = {};
  std::string err = {};
  [[nodiscard]] bool ok() const { return code == 0 && !timed_out; }
  /// "exit status 3", "killed by signal 9", "timed out after 10 min"
  [[nodiscard]] std::string describe(const Command& command) const;
};

/// The seam to child processes.
class Process {
 public:
  Process() = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  virtual ~Process() = default;

  /// Runs the command to its end, never through a shell. ErrorKind::process if it cannot be started
  /// (says why: "docker-compose: not found in PATH /usr/bin:/bin"). However it ends is a value.
  [[nodiscard]] virtual Result<Exit> run(const Command& command) = 0;
};

/// With posix_spawn: own process group, default signals, no descriptor of ours but stdin, stdout
/// and stderr. On time-out SIGTERM to the group, after the grace SIGKILL. A stop that is requested
/// meanwhile waits for the child: a step is finished or undone, never cut. Several threads may
/// run() at one time.
class PosixProcess final : public Process {
 public:
  [[nodiscard]] Result<Exit> run(const Command& command) override;
};

/// The full path of `program` as PosixProcess would start it, or nothing.
[[nodiscard]] std::optional<std::string> find_program(std::string_view program,
                                                      std::string_view path);

}  // namespace tallyman
