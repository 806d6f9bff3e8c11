#include "tallyman/io/process.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/temp_folder.hpp"
#include "unit/io/signals.hpp"

namespace tallyman {

using test::SignalsRestored;
using test::TempFolder;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""min;

namespace {

const char* const k_path = "/usr/local/bin:/usr/bin:/bin";

Command command_of(std::vector<std::string> argv) {
  return {.argv = std::move(argv), .environment = {{"PATH", k_path}}};
}

Exit run(const Command& command) {
  const Result<Exit> exit = PosixProcess().run(command);
  REQUIRE_MESSAGE(exit.has_value(), (exit ? "" : exit.error().message));
  return *exit;
}

std::string refused(const Command& command) {
  const Result<Exit> exit = PosixProcess().run(command);
  REQUIRE_FALSE(exit);
  CHECK(exit.error().kind == ErrorKind::process);
  return exit.error().message;
}

/// Not a zombie either: nobody may reap orphans here.
bool alive(const std::string& pid) {
  const Result<Exit> state =
      PosixProcess().run(command_of({"grep", "-E", "^State:.[^ZX]", "/proc/" + pid + "/status"}));
  return state && state->ok();
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

std::vector<std::string> lines_of(Command command) {
  std::vector<std::string> lines;
  command.on_line = [&lines](std::string_view line) { lines.emplace_back(line); };
  run(command);
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a child's output and exit status come back, each stream by itself") {
  const TempFolder folder;
  const Exit exit =
      run(command_of({folder.script("child", "echo to out; echo to err >&2; exit 3\n")}));
  CHECK(exit.out == "to out\n");
  CHECK(exit.err == "to err\n");
  CHECK(exit.code == 3);
  CHECK(exit.signal == 0);
  CHECK_FALSE(exit.timed_out);
  CHECK_FALSE(exit.ok());
  CHECK(run(command_of({"true"})).ok());
}

TEST_CASE("a signal that ends a child is no exit status") {
  const TempFolder folder;
  const Exit exit = run(command_of({folder.script("child", "kill -9 $$\n")}));
  CHECK(exit.code == -1);
  CHECK(exit.signal == SIGKILL);
  CHECK_FALSE(exit.ok());
}

TEST_CASE("arguments pass as they are, never through a shell") {
  const Exit exit = run(command_of({"printf", "%s|", "a b", "$HOME", "`x`", "", "*", "\"'"}));
  CHECK(exit.out == "a b|$HOME|`x`||*|\"'|");
}

TEST_CASE("the environment is what the command says and nothing else") {
  Command command = command_of({"/usr/bin/env"});
  CHECK(run(command).out == std::string("PATH=") + k_path + "\n");
  command.environment = {{"A", "x=y z"}, {"B", ""}};
  CHECK(run(command).out == "A=x=y z\nB=\n");
}

TEST_CASE("a child works in its folder, where a relative program counts from too") {
  const TempFolder folder;
  REQUIRE(::mkdir((folder / "sub").c_str(), 0755) == 0);
  const std::string script = folder.script("sub/start.sh", "pwd -P\n");
  Command command = command_of({"./start.sh"});
  command.directory = folder / "sub";
  CHECK(run(command).out == folder / "sub" + "\n");
}

TEST_CASE("stdin is empty") {
  const Exit exit = run(command_of({"cat"}));
  CHECK(exit.ok());
  CHECK(exit.out == "");
}

TEST_CASE("stdin is the command's input, however long, and nobody need read it") {
  for (const std::string& input :
       {std::string("ghcr.io"), std::string("a\0b\n", 4), std::string(300'000, 'x')}) {
    Command command = command_of({"cat"});
    command.input = input;
    CHECK(run(command).out == input);
    command.argv = {"true"};
    CHECK(run(command).ok());
  }
}

TEST_CASE("without grace a child that ignores SIGTERM is killed at once") {
  const TempFolder folder;
  Command command =
      command_of({folder.script("child", "trap '' TERM\nwhile :; do sleep 1; done\n")});
  command.timeout = std::chrono::milliseconds(300);
  command.grace = std::chrono::milliseconds(0);
  const Exit exit = run(command);
  CHECK(exit.timed_out);
  CHECK(exit.signal == SIGKILL);
}

TEST_CASE("a child leads a process group of its own") {
  const TempFolder folder;
  const Exit exit = run(command_of({folder.script("child",
                                                  "read -r _ _ _ _ group _ < /proc/$$/stat\n"
                                                  "[ \"$group\" = $$ ]\n")}));
  CHECK(exit.ok());
}

TEST_CASE("a child has default signals, whatever is blocked or ignored here") {
  const SignalsRestored restored;
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &term, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  const auto bits_of = [](const char* line) {
    const Exit exit = run(command_of({"grep", line, "/proc/self/status"}));
    return std::stoull(exit.out.substr(8), nullptr, 16);
  };
  constexpr unsigned long long k_not_glibc_own = 0x7fffffff;  // signals 1 to 31
  CHECK((bits_of("^SigBlk:") & k_not_glibc_own) == 0);
  CHECK((bits_of("^SigIgn:") & k_not_glibc_own) == 0);
}

TEST_CASE("output beyond the maximum is dropped and the child runs on") {
  Command command = command_of({"head", "-c", "3000000", "/dev/zero"});
  command.max_output = 1000;
  const Exit exit = run(command);
  CHECK(exit.ok());
  CHECK(exit.out == std::string(1000, '\0'));
}

TEST_CASE("both streams are read together") {
  const TempFolder folder;
  const Exit exit = run(command_of({folder.script("child",
                                                  "head -c 500000 /dev/zero >&2\n"
                                                  "head -c 500000 /dev/zero\n")}));
  CHECK(exit.out.size() == 500'000);
  CHECK(exit.err.size() == 500'000);
}

TEST_CASE("on_line gets every line, cut at 8 KiB") {
  const TempFolder folder;
  CHECK(lines_of(command_of({"printf", "one\\r\\n\\n two\\nlast"})) ==
        Lines{"one", "", " two", "last"});
  CHECK(lines_of(command_of({folder.script("child", "echo out; sleep 0.05; echo err >&2\n")})) ==
        Lines{"out", "err"});
  const Lines cut = lines_of(command_of(
      {folder.script("long", "printf '%020000d\\nnext\\n%08192d\\n%08193d\\n' 0 0 0\n")}));
  REQUIRE(cut.size() == 4);
  CHECK(cut[0] == std::string(8192, '0'));
  CHECK(cut[1] == "next");
  CHECK(cut[2] == std::string(8192, '0'));
  CHECK(cut[3] == std::string(8192, '0'));
}

TEST_CASE("a receiver of lines that throws leaves no child behind") {
  const TempFolder folder;
  const std::string script = folder.script("child", "echo $$\nexec sleep 60\n");
  Command command = command_of({script});
  std::string pid;
  command.on_line = [&pid](std::string_view line) {
    pid = line;
    throw std::runtime_error("no");
  };
  CHECK_THROWS(static_cast<void>(PosixProcess().run(command)));
  REQUIRE_FALSE(pid.empty());
  CHECK_FALSE(alive(pid));
}

TEST_CASE("a child whose time is up is ended with its whole group") {
  const TempFolder folder;
  Command command = command_of({folder.script("child", "sleep 60 & echo $!\nwait\n")});
  command.timeout = 1s;
  const Exit exit = run(command);
  CHECK(exit.timed_out);
  CHECK(exit.signal == SIGTERM);
  CHECK_FALSE(exit.ok());
  REQUIRE_FALSE(exit.out.empty());
  CHECK_FALSE(alive(first_line(exit.out)));
}

TEST_CASE("a child that tidies up on SIGTERM may do so") {
  const TempFolder folder;
  Command command = command_of({folder.script(
      "child", "trap 'sleep 0.2; echo tidied; exit 5' TERM\nwhile :; do sleep 0.05; done\n")});
  command.timeout = 1s;
  const Exit exit = run(command);
  CHECK(exit.timed_out);
  CHECK(exit.code == 5);
  CHECK(exit.out == "tidied\n");
}

TEST_CASE("who ignores SIGTERM is killed after ten seconds, in the background too") {
  const TempFolder folder;
  Command command = command_of({folder.script("child",
                                              "trap '' TERM\n"
                                              "sleep 60 > /dev/null 2>&1 & echo $!\n"
                                              "while :; do sleep 0.1; done\n")});
  command.timeout = 1s;
  const Exit exit = run(command);
  CHECK(exit.timed_out);
  CHECK(exit.signal == SIGKILL);
  CHECK_FALSE(alive(first_line(exit.out)));
}

TEST_CASE("endless output does not hide that the time is up") {
  Command command = command_of({"yes"});
  command.timeout = 1s;
  command.max_output = 100;
  std::size_t lines = 0;
  command.on_line = [&lines](std::string_view) { ++lines; };
  const Exit exit = run(command);
  CHECK(exit.timed_out);
  CHECK(exit.out.size() == 100);
  CHECK(lines > 100);
}

TEST_CASE("endless output without a newline is one line, cut") {
  Command command = command_of({"cat", "/dev/zero"});
  command.timeout = 1s;
  const Lines lines = lines_of(command);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0] == std::string(8192, '\0'));
}

TEST_CASE("what stays in the background with our pipe does not hold us up") {
  const TempFolder folder;
  Command command = command_of({folder.script("child", "sleep 60 & echo $!\nexit 0\n")});
  command.timeout = 30s;
  const Exit exit = run(command);
  CHECK(exit.ok());
  CHECK(alive(first_line(exit.out)));
  ::kill(std::stoi(exit.out), SIGKILL);
}

TEST_CASE("a command that cannot be started says why") {
  const TempFolder folder;
  CHECK(refused(command_of({})) == "an empty command cannot be started");
  CHECK(refused(command_of({""})) == "an empty command cannot be started");
  CHECK(refused(command_of({"no-such-program"})) ==
        std::string("no-such-program: not found in PATH ") + k_path);
  CHECK(refused({.argv = {"true"}}) == "true: not found, since there is no PATH to look in");
  CHECK(refused(command_of({"/no/such/program"})) ==
        "/no/such/program: cannot be started: No such file or directory");

  Command elsewhere = command_of({"true"});
  elsewhere.directory = folder / "none";
  CHECK(refused(elsewhere) ==
        "true: cannot be started in " + (folder / "none") + ": No such file or directory");
  elsewhere.directory = folder.write("file", "");
  CHECK(refused(elsewhere) ==
        "true: cannot be started in " + (folder / "file") + ": it is no folder");
}

TEST_CASE("a file that is no program says what to do") {
  const TempFolder folder;
  const std::string plain = folder.write("plain", "#!/bin/sh\n");
  const Result<Exit> not_executable = PosixProcess().run(command_of({plain}));
  REQUIRE_FALSE(not_executable);
  CHECK(not_executable.error().message ==
        plain + ": cannot be started: it is not an executable file");
  CHECK(not_executable.error().remedy == "chmod +x " + plain);

  const std::string headless = folder.write("headless", "echo hello\n");
  REQUIRE(::chmod(headless.c_str(), 0755) == 0);
  const Result<Exit> no_format = PosixProcess().run(command_of({headless}));
  REQUIRE_FALSE(no_format);
  CHECK(no_format.error().message == headless + ": cannot be started: Exec format error");
  CHECK(no_format.error().remedy == "a script needs a first line such as #!/bin/sh");

  const std::string lost = folder.write("lost", "#!/no/such/interpreter\n");
  REQUIRE(::chmod(lost.c_str(), 0755) == 0);
  const Result<Exit> no_interpreter = PosixProcess().run(command_of({lost}));
  REQUIRE_FALSE(no_interpreter);
  CHECK(no_interpreter.error().remedy.find("interpreter") != std::string::npos);
}

TEST_CASE("find_program takes the first executable file of an absolute folder") {
  const TempFolder folder;
  for (const char* name : {"a", "b", "b/tool", "c"}) {
    REQUIRE(::mkdir((folder / name).c_str(), 0755) == 0);
  }
  folder.write("a/tool", "not executable");
  const std::string in_c = folder.script("c/tool", "");
  const std::string path =
      (folder / "none") + ":" + (folder / "a") + ":" + (folder / "b") + "::" + (folder / "c");
  CHECK(find_program("tool", path) == in_c);
  CHECK(find_program("tool", folder / "a") == std::nullopt);
  CHECK(find_program("", path) == std::nullopt);
  CHECK(find_program("tool", "") == std::nullopt);
  CHECK(find_program(in_c, "") == in_c);
  CHECK(find_program(folder / "a/tool", "") == std::nullopt);

  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder / "c");
  CHECK(find_program("tool", ":.") == std::nullopt);
  std::filesystem::current_path(before);
}

TEST_CASE("an Exit describes itself") {
  const Command command{.argv = {"x"}, .timeout = 10min};
  CHECK(Exit{.code = 3}.describe(command) == "exit status 3");
  CHECK(Exit{.signal = 9}.describe(command) == "killed by signal 9");
  CHECK(Exit{.signal = 15, .timed_out = true}.describe(command) == "timed out after 10 min");
}

}  // namespace tallyman
