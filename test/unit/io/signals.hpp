#pragma once

#include <csignal>
#include <ctime>

namespace tallyman::test {

/// Undoes Stop::on_signals(), and swallows what is still pending.
class SignalsRestored {
 public:
  SignalsRestored() {
    ::pthread_sigmask(SIG_SETMASK, nullptr, &m_mask);
    ::sigaction(SIGPIPE, nullptr, &m_pipe);
    ::sigaction(SIGCHLD, nullptr, &m_child);
  }
  SignalsRestored(const SignalsRestored&) = delete;
  SignalsRestored& operator=(const SignalsRestored&) = delete;
  ~SignalsRestored() {
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGHUP);
    const timespec at_once{};
    while (::sigtimedwait(&ours, nullptr, &at_once) > 0) {
    }
    ::sigaction(SIGPIPE, &m_pipe, nullptr);
    ::sigaction(SIGCHLD, &m_child, nullptr);
    ::pthread_sigmask(SIG_SETMASK, &m_mask, nullptr);
  }

 private:
  sigset_t m_mask{};
  struct sigaction m_pipe{};
  struct sigaction m_child{};
};

}  // namespace tallyman::test
