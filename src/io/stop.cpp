#include "tallyman/io/stop.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

namespace tallyman {

Stop Stop::on_signals() {
  // A broken pipe is an error code of write(). An inherited "ignore" of SIGCHLD would make the
  // kernel reap our children before we have their exit status.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGCHLD, SIG_DFL);

  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  Stop stop;
  stop.m_signals = Fd(::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
  if (stop.m_signals.valid()) {  // else they keep their default action: better than being deaf
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  }
  return stop;
}

bool Stop::requested() const {
  signalfd_siginfo info{};
  while (m_signals.valid() && ::read(m_signals.get(), &info, sizeof info) == sizeof info) {
    m_requested = true;
  }
  return m_requested;
}

}  // namespace tallyman
