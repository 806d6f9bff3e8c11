#include "io/child.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>
#include <vector>

#include "io/errno_text.hpp"

namespace tallyman {

namespace {

struct Pipe {
  Fd read_end;
  Fd write_end;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(ErrorKind::process, "cannot make a pipe: {}", errno_text(errno));
  }
  Pipe pipe{Fd(ends[0]), Fd(ends[1])};
  ::fcntl(pipe.read_end.get(), F_SETFL, O_NONBLOCK);
  return pipe;
}

/// Command::input, to be read from its beginning; not valid if there is none. A file in memory, and
/// not a pipe: nobody has to feed it while the child runs.
Result<Fd> input_descriptor(const Command& command) {
  if (command.input.empty()) {
    return Fd();
  }
  Fd file(::memfd_create("stdin", MFD_CLOEXEC));
  std::string_view left = command.input;
  while (file.valid() && !left.empty()) {
    const ssize_t written = ::write(file.get(), left.data(), left.size());
    if (written < 0 && errno != EINTR) {
      break;
    }
    left.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
  }
  if (!left.empty() || ::lseek(file.get(), 0, SEEK_SET) != 0) {
    return fail(ErrorKind::process, "cannot make its stdin: {}", errno_text(errno));
  }
  return file;
}

/// A duplicate of Command::keep_fd, on which a lock holds as well; not valid if there is none.
Result<Fd> kept_descriptor(const Command& command) {
  if (command.keep_fd < 0) {
    return Fd();
  }
  Fd kept(::fcntl(command.keep_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 2));
  if (!kept.valid()) {
    return fail(ErrorKind::process, "cannot pass descriptor {} on: {}", command.keep_fd,
                errno_text(errno));
  }
  return kept;
}

/// What a child gets as 0, 1, 2 and 3.
struct Descriptors {
  int in;  ///< -1: /dev/null
  int out;
  int err;
  int kept;  ///< above 3, since dup2() of 3 onto itself would keep its close-on-exec; -1: none
};

/// The first error of a row of posix_spawn_… calls, all of which return one.
class SpawnSettings {
 public:
  SpawnSettings() {
    keep(::posix_spawn_file_actions_init(&m_actions));
    keep(::posix_spawnattr_init(&m_attributes));
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&m_actions);
    ::posix_spawnattr_destroy(&m_attributes);
  }

  /// Everything else is closed.
  void set_descriptors(const Descriptors& descriptors) {
    keep(descriptors.in >= 0
             ? ::posix_spawn_file_actions_adddup2(&m_actions, descriptors.in, STDIN_FILENO)
             : ::posix_spawn_file_actions_addopen(&m_actions, STDIN_FILENO, "/dev/null", O_RDONLY,
                                                  0));
    keep(::posix_spawn_file_actions_adddup2(&m_actions, descriptors.out, STDOUT_FILENO));
    keep(::posix_spawn_file_actions_adddup2(&m_actions, descriptors.err, STDERR_FILENO));
    int first_closed = STDERR_FILENO + 1;
    if (descriptors.kept >= 0) {  // last: a pipe of ours may be the 3 that this replaces
      keep(::posix_spawn_file_actions_adddup2(&m_actions, descriptors.kept, first_closed++));
    }
    keep(::posix_spawn_file_actions_addclosefrom_np(&m_actions, first_closed));
  }
  void set_directory(const std::string& directory) {
    if (!directory.empty()) {
      keep(::posix_spawn_file_actions_addchdir_np(&m_actions, directory.c_str()));
    }
  }
  /// Own group; nothing blocked, nothing ignored: an ignored signal would pass through exec.
  void set_group_and_signals() {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    keep(::posix_spawnattr_setpgroup(&m_attributes, 0));
    keep(::posix_spawnattr_setsigmask(&m_attributes, &none));
    keep(::posix_spawnattr_setsigdefault(&m_attributes, &all));
    keep(::posix_spawnattr_setflags(
        &m_attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
  }

  int spawn(pid_t& pid, const std::string& program, char* const* argv, char* const* environment) {
    return m_error != 0
               ? m_error
               : ::posix_spawn(&pid, program.c_str(), &m_actions, &m_attributes, argv, environment);
  }

 private:
  void keep(int error) { m_error = m_error != 0 ? m_error : error; }

  posix_spawn_file_actions_t m_actions{};
  posix_spawnattr_t m_attributes{};
  int m_error = 0;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  list.reserve(texts.size() + 1);
  for (std::string& text : texts) {
    list.push_back(text.data());
  }
  list.push_back(nullptr);
  return list;
}

int spawn(pid_t& pid, const Command& command, const std::string& program,
          const Descriptors& descriptors) {
  std::vector<std::string> arguments = command.argv;
  std::vector<std::string> variables;
  for (const auto& [name, value] : command.environment) {
    variables.push_back(fmt::format("{}={}", name, value));
  }
  SpawnSettings settings;
  settings.set_descriptors(descriptors);
  settings.set_directory(command.directory);
  settings.set_group_and_signals();
  return settings.spawn(pid, program, pointers(arguments).data(), pointers(variables).data());
}

}  // namespace

Result<Child> Child::start(const Command& command, const std::string& program) {
  Result<Pipe> out = make_pipe();
  Result<Pipe> err = make_pipe();
  if (!out || !err) {
    return std::unexpected(with_context(out ? err.error() : out.error(), program));
  }
  const Result<Fd> in = input_descriptor(command);
  const Result<Fd> kept = kept_descriptor(command);
  if (!in || !kept) {
    return std::unexpected(with_context(in ? kept.error() : in.error(), program));
  }
  Child child;
  const int number = spawn(child.m_pid, command, program,
                           {in->get(), out->write_end.get(), err->write_end.get(), kept->get()});
  if (number != 0) {
    child.m_pid = -1;
    std::unexpected<Error> failure =
        fail(ErrorKind::process, "{}: cannot be started: {}", program, errno_text(number));
    if (number == ENOEXEC) {
      failure.error().remedy = "a script needs a first line such as #!/bin/sh";
    } else if (number == ENOENT) {  // the program itself was there a moment ago
      failure.error().remedy = "is the interpreter that its first line names installed?";
    }
    return failure;
  }
  child.m_out = std::move(out->read_end);
  child.m_err = std::move(err->read_end);
  // Not pidfd_open(): its header in glibc 2.36 is not fit for C++.
  child.m_ended = Fd(static_cast<int>(::syscall(SYS_pidfd_open, child.m_pid, 0)));
  return child;
}

Child::Child(Child&& other) noexcept
    : m_pid(std::exchange(other.m_pid, -1)),
      m_out(std::move(other.m_out)),
      m_err(std::move(other.m_err)),
      m_ended(std::move(other.m_ended)) {}

Child::~Child() {
  if (m_pid > 0) {
    signal_group(SIGKILL);
    static_cast<void>(wait());
  }
}

bool Child::has_ended() const {
  siginfo_t info{};
  // WNOWAIT: while it is not reaped, neither its id nor its group's can be anybody else's.
  if (::waitid(P_PID, static_cast<id_t>(m_pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
    return errno == ECHILD;
  }
  return info.si_pid != 0;
}

void Child::signal_group(int signal) const {
  ::kill(-m_pid, signal);
}

int Child::wait() {
  int status = -1;
  pid_t got = -1;
  do {
    got = ::waitpid(m_pid, &status, 0);
  } while (got < 0 && errno == EINTR);
  m_pid = -1;
  return got < 0 ? -1 : status;
}

}  // namespace tallyman
