#pragma once

#include <sys/types.h>

#include <string>

#include "tallyman/io/fd.hpp"
#include "tallyman/io/process.hpp"

namespace tallyman {

/// A started child: leader of its own process group, its output on two pipes. What still runs of
/// the group when this goes out of scope without wait() is killed.
class Child {
 public:
  [[nodiscard]] static Result<Child> start(const Command& command, const std::string& program);

  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  [[nodiscard]] const Fd& out() const { return m_out; }
  [[nodiscard]] const Fd& err() const { return m_err; }
  /// Readable once the leader has ended; not valid on a kernel without pidfd_open.
  [[nodiscard]] const Fd& ended() const { return m_ended; }

  /// Has the leader ended? Its process id stays taken until wait().
  [[nodiscard]] bool has_ended() const;
  void signal_group(int signal) const;
  /// Of a leader that has ended: its exit status. -1 if somebody else reaped it.
  [[nodiscard]] int wait();

 private:
  Child() = default;

  pid_t m_pid = -1;
  Fd m_out;
  Fd m_err;
  Fd m_ended;
};

}  // namespace tallyman
