#pragma once

#include "tallyman/io/fd.hpp"

namespace tallyman {

/// "Please stop": SIGTERM, SIGINT and SIGHUP, blocked for every thread and read through a signalfd,
/// so that nothing happens within a handler. Children get the default signal mask back from
/// PosixProcess.
class Stop {
 public:
  /// A Stop that is never requested (tests).
  Stop() = default;
  /// Blocks the signals and ignores SIGPIPE. First thing in main, before any thread.
  [[nodiscard]] static Stop on_signals();

  /// Reads what came since; once true it stays true.
  [[nodiscard]] bool requested() const;
  /// Readable when a stop came and was not read yet; -1 if there is none to wait for.
  [[nodiscard]] int fd() const { return m_signals.get(); }

 private:
  Fd m_signals;
  mutable bool m_requested = false;
};

}  // namespace tallyman
