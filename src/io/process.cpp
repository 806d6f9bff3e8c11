#include "tallyman/io/process.hpp"

#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>

#include "io/child.hpp"
#include "io/errno_text.hpp"
#include "io/line_splitter.hpp"
#include "tallyman/io/files.hpp"
#include "tallyman/model/time.hpp"

namespace tallyman {

namespace {

using SteadyTime = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;

// What a grandchild in the background may still write after the child's end.
constexpr milliseconds k_drain = std::chrono::seconds(1);
constexpr milliseconds k_longest = std::chrono::hours(24 * 365);
constexpr milliseconds k_blind_poll = milliseconds(50);  // without a pidfd

bool is_program(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         ::access(path.c_str(), X_OK) == 0;
}

/// One of the child's two streams.
class Stream {
 public:
  Stream(int fd, std::string& kept, const Command& command)
      : m_fd(fd),
        m_kept(kept),
        m_max(command.max_output),
        m_lines(command.on_line),
        m_output(command.on_output) {}

  [[nodiscard]] bool open() const { return m_open; }
  [[nodiscard]] pollfd poll_entry() const {  // poll() passes over a negative one
    return {m_open ? m_fd : -1, POLLIN, 0};
  }

  /// One piece only, so that endless output keeps nobody from looking at the clock.
  void read_piece() {
    std::array<char, 16 * 1024> piece;
    const ssize_t got = m_open ? ::read(m_fd, piece.data(), piece.size()) : -1;
    if (got > 0) {
      const std::string_view bytes(piece.data(), static_cast<std::size_t>(got));
      m_kept += bytes.substr(0, m_max - m_kept.size());
      m_lines.add(bytes);
      if (m_output) {
        m_output(bytes);
      }
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      m_open = false;
    }
  }

  void finish() { m_lines.finish(); }

 private:
  int m_fd;
  std::string& m_kept;
  std::size_t m_max;
  LineSplitter m_lines;
  const std::function<void(std::string_view)>& m_output;
  bool m_open = true;
};

/// Reads both streams until the child is over, and ends it when its time is up.
class Watch {
 public:
  Watch(Child& child, const Command& command, Exit& exit)
      : m_child(child),
        m_exit(exit),
        m_out(child.out().get(), exit.out, command),
        m_err(child.err().get(), exit.err, command),
        m_grace(std::min(command.grace, k_longest)),
        m_next_step(std::chrono::steady_clock::now() + std::min(command.timeout, k_longest)) {}

  void to_the_end() {
    while (!over()) {
      wait_a_while();
      m_out.read_piece();
      m_err.read_piece();
      const SteadyTime now = std::chrono::steady_clock::now();
      if (!m_ended && m_child.has_ended()) {
        m_ended = true;
        m_drain_until = now + k_drain;
      }
      if (now >= m_next_step && (!m_ended || m_exit.timed_out)) {
        push(now);
      }
    }
    if (m_exit.timed_out) {
      m_child.signal_group(SIGKILL);  // those that closed their output and ignored SIGTERM
    }
    m_out.finish();
    m_err.finish();
  }

 private:
  /// SIGTERM, later SIGKILL.
  void push(SteadyTime now) {
    m_child.signal_group(m_exit.timed_out ? SIGKILL : SIGTERM);
    m_killed = m_exit.timed_out;
    m_exit.timed_out = true;
    m_next_step = m_killed ? SteadyTime::max() : now + m_grace;
    if (m_killed) {
      m_drain_until = now + k_drain;
    }
  }

  [[nodiscard]] bool over() const {
    if (!m_ended) {
      return false;
    }
    // The rest of a group that was told to end has its time to tidy up.
    const bool patient = m_exit.timed_out && !m_killed;
    const bool drained = !patient && std::chrono::steady_clock::now() >= m_drain_until;
    return drained || (!m_out.open() && !m_err.open());
  }

  void wait_a_while() {
    const SteadyTime now = std::chrono::steady_clock::now();
    const SteadyTime until =
        m_ended && (!m_exit.timed_out || m_killed) ? m_drain_until : m_next_step;
    milliseconds span = std::clamp(std::chrono::ceil<milliseconds>(until - now), milliseconds(0),
                                   milliseconds(std::chrono::hours(1)));
    if (!m_child.ended().valid()) {
      span = std::min(span, k_blind_poll);
    }
    std::array<pollfd, 3> entries{m_out.poll_entry(), m_err.poll_entry(),
                                  pollfd{m_ended ? -1 : m_child.ended().get(), POLLIN, 0}};
    ::poll(entries.data(), entries.size(), static_cast<int>(span.count()));
  }

  Child& m_child;
  Exit& m_exit;
  Stream m_out;
  Stream m_err;
  milliseconds m_grace;
  SteadyTime m_next_step;
  SteadyTime m_drain_until{};
  bool m_ended = false;   ///< the leader, that is
  bool m_killed = false;  ///< SIGKILL was sent
};

Result<void> check_directory(const Command& command) {
  struct stat status{};
  if (command.directory.empty()) {
    return {};
  }
  if (::stat(command.directory.c_str(), &status) != 0) {
    return fail(ErrorKind::process, "{}: cannot be started in {}: {}", command.argv[0],
                command.directory, errno_text(errno));
  }
  if (!S_ISDIR(status.st_mode)) {
    return fail(ErrorKind::process, "{}: cannot be started in {}: it is no folder", command.argv[0],
                command.directory);
  }
  return {};
}

Result<std::string> locate(const Command& command) {
  const std::string& name = command.argv[0];
  if (name.find('/') != std::string::npos) {
    const std::string path =
        command.directory.empty() || name.starts_with('/') ? name : command.directory + "/" + name;
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) {
      return fail(ErrorKind::process, "{}: cannot be started: {}", path, errno_text(errno));
    }
    if (!is_program(path)) {
      std::unexpected<Error> failure =
          fail(ErrorKind::process, "{}: cannot be started: it is not an executable file", path);
      failure.error().remedy = fmt::format("chmod +x {}", path);
      return failure;
    }
    return name;  // as it is: a relative one counts from the child's folder
  }
  const auto path = command.environment.find("PATH");
  if (path == command.environment.end()) {
    return fail(ErrorKind::process, "{}: not found, since there is no PATH to look in", name);
  }
  if (std::optional<std::string> found = find_program(name, path->second)) {
    return *found;
  }
  return fail(ErrorKind::process, "{}: not found in PATH {}", name, path->second);
}

}  // namespace

std::string Exit::describe(const Command& command) const {
  if (timed_out) {
    return fmt::format("timed out after {}", humanize(command.timeout));
  }
  if (signal != 0) {
    return fmt::format("killed by signal {}", signal);
  }
  return fmt::format("exit status {}", code);
}

Result<Exit> PosixProcess::run(const Command& command) {
  if (command.argv.empty() || command.argv[0].empty()) {
    return fail(ErrorKind::process, "an empty command cannot be started");
  }
  if (Result<void> good = check_directory(command); !good) {
    return std::unexpected(good.error());
  }
  const Result<std::string> program = locate(command);
  if (!program) {
    return std::unexpected(program.error());
  }
  Result<Child> child = Child::start(command, *program);
  if (!child) {
    return std::unexpected(child.error());
  }
  Exit exit;
  Watch(*child, command, exit).to_the_end();
  const int status = child->wait();
  if (WIFEXITED(status)) {
    exit.code = WEXITSTATUS(status);
  } else if (WIFSIGNALED(status)) {
    exit.signal = WTERMSIG(status);
  }
  return exit;
}

std::optional<std::string> find_program(std::string_view program, std::string_view path) {
  if (program.find('/') != std::string_view::npos) {
    std::string whole(program);
    return is_program(whole) ? std::optional(std::move(whole)) : std::nullopt;
  }
  while (!program.empty() && !path.empty()) {
    const std::size_t end = std::min(path.find(':'), path.size());
    const std::string_view folder = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    // A relative entry, and an empty one is such, would mean another program in every folder.
    if (folder.starts_with('/')) {
      std::string candidate = fmt::format("{}/{}", folder, program);
      if (is_program(candidate)) {
        return candidate;
      }
    }
  }
  return std::nullopt;
}

}  // namespace tallyman
