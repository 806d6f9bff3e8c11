#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/temp_folder.hpp"
#include "tallyman/io/fd.hpp"
#include "tallyman/io/process.hpp"

namespace tallyman {

using test::TempFolder;

namespace {

Command command_of(std::vector<std::string> argv) {
  return {.argv = std::move(argv), .environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}}};
}

Exit run(const Command& command) {
  const Result<Exit> exit = PosixProcess().run(command);
  REQUIRE_MESSAGE(exit.has_value(), (exit ? "" : exit.error().message));
  return *exit;
}

/// What can be read from its descriptor 3, then which of 0 to 9 it has.
std::string shown_descriptors(const TempFolder& folder, int keep_fd) {
  Command command = command_of({folder.script("child",
                                              "cat <&3\n"
                                              "for n in 0 1 2 3 4 5 6 7 8 9; do\n"
                                              "  [ ! -e /proc/$$/fd/$n ] || echo $n\n"
                                              "done\n")});
  command.keep_fd = keep_fd;
  return run(command).out;
}

}  // namespace

TEST_CASE("a child inherits no descriptor") {
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Fd open_to_all(::fcntl(null.get(), F_DUPFD, 90));  // without O_CLOEXEC
  REQUIRE(open_to_all.valid());
  const TempFolder folder;
  const std::string folder_of_fds = "/proc/$$/fd/";
  CHECK(run(command_of({folder.script("child", "[ -e " + folder_of_fds + "2 ]\n")})).ok());
  CHECK(run(command_of({folder.script(
                "child", fmt::format("[ ! -e {}{} ]\n", folder_of_fds, open_to_all.get()))}))
            .ok());
}

TEST_CASE("a child gets keep_fd as its descriptor 3, and no other") {
  const TempFolder folder;
  folder.write("lock", "locked\n");
  const Fd kept(::open((folder / "lock").c_str(), O_RDONLY | O_CLOEXEC));
  const Fd other(::open((folder / "lock").c_str(), O_RDONLY));  // would be inherited
  REQUIRE(kept.valid());
  CHECK(shown_descriptors(folder, kept.get()) == "locked\n0\n1\n2\n3\n");
  CHECK((::fcntl(kept.get(), F_GETFD) & FD_CLOEXEC) != 0);  // ours stays as it is
}

TEST_CASE("keep_fd may be 3 itself, and a pipe of ours may be") {
  const TempFolder folder;
  folder.write("lock", "locked\n");
  const Fd saved(::fcntl(3, F_DUPFD_CLOEXEC, 10));  // whatever it is here
  const Fd lock = [&folder] {
    const Fd opened(::open((folder / "lock").c_str(), O_RDONLY | O_CLOEXEC));
    return Fd(::fcntl(opened.get(), F_DUPFD_CLOEXEC, 10));
  }();
  REQUIRE(::dup3(lock.get(), 3, O_CLOEXEC) == 3);
  CHECK(shown_descriptors(folder, 3) == "locked\n0\n1\n2\n3\n");
  ::close(3);  // so that a pipe gets it
  ::lseek(lock.get(), 0, SEEK_SET);
  CHECK(shown_descriptors(folder, lock.get()) == "locked\n0\n1\n2\n3\n");
  if (saved.valid()) {
    ::dup2(saved.get(), 3);
  }
}

TEST_CASE("a lock on keep_fd holds until the child has ended, too") {
  const TempFolder folder;
  const std::string path = folder.write("lock", "");
  Fd kept(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(::flock(kept.get(), LOCK_EX) == 0);
  Command command =
      command_of({"sh", "-c", "echo ready; sleep 0.3; flock -n " + path + " true; echo $?"});
  command.keep_fd = kept.get();
  command.on_line = [&kept](std::string_view) { kept.reset(); };
  CHECK(run(command).out == "ready\n1\n");
  const Fd again(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  CHECK(::flock(again.get(), LOCK_EX | LOCK_NB) == 0);
}

TEST_CASE("a keep_fd that is closed starts nothing") {
  Command command = command_of({"true"});
  command.keep_fd = 999;
  const Result<Exit> exit = PosixProcess().run(command);
  REQUIRE_FALSE(exit);
  CHECK(exit.error().kind == ErrorKind::process);
  CHECK(exit.error().message.ends_with("true: cannot pass descriptor 999 on: Bad file descriptor"));
}

}  // namespace tallyman
