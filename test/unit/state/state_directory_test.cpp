#include "tallyman/state/state_directory.hpp"

#include <doctest/doctest.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "support/temp_folder.hpp"
#include "support/values.hpp"
#include "unit/io/users.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

const Timestamp k_now = at("2026-11-22T19:45:14Z");

mode_t mode_of(const std::string& path) {
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

/// Another process that holds the lock of a folder until it is killed.
class OtherRun {
 public:
  explicit OtherRun(const std::string& state) {
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    m_pid = ::fork();
    REQUIRE(m_pid >= 0);
    if (m_pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const auto lock = StateDirectory(state).try_lock(k_now);
      const char answer = lock && *lock ? 'y' : 'n';
      if (::write(ready[1], &answer, 1) == 1) {
        ::pause();
      }
      ::_exit(0);
    }
    char answer = 0;
    REQUIRE(::read(ready[0], &answer, 1) == 1);
    CHECK(answer == 'y');
    ::close(ready[0]);
    ::close(ready[1]);
  }
  OtherRun(const OtherRun&) = delete;
  OtherRun& operator=(const OtherRun&) = delete;
  ~OtherRun() { kill(); }

  void kill() {
    if (m_pid > 0) {
      ::kill(m_pid, SIGKILL);
      ::waitpid(m_pid, nullptr, 0);
      m_pid = 0;
    }
  }
  [[nodiscard]] pid_t pid() const { return m_pid; }

 private:
  pid_t m_pid = 0;
};

Memory something() {
  Memory memory;
  memory.seen.emplace("harbor.lan/shop/web:1", Memory::Seen{digest('1'), k_now});
  return memory;
}

}  // namespace

TEST_CASE("try_lock makes the folder for its owner alone, and says who holds the lock") {
  const TempFolder folder;
  const StateDirectory state(folder / "var/tallyman");
  CHECK(state.lock_holder() == "");
  const auto lock = state.try_lock(k_now);
  REQUIRE(lock.has_value());
  REQUIRE(lock->has_value());
  CHECK(mode_of(folder / "var/tallyman") == 0700);
  CHECK(mode_of(folder / "var/tallyman/lock") == 0600);
  CHECK(state.lock_holder() == fmt::format("pid {} since 2026-11-22T19:45:14Z", ::getpid()));
}

TEST_CASE("try_lock gives the lock to one at a time, until that one lets go") {
  const TempFolder folder;
  const StateDirectory state(folder.path());
  {
    const auto first = state.try_lock(k_now);
    REQUIRE(first.has_value());
    REQUIRE(first->has_value());
    const auto second = state.try_lock(k_now);
    REQUIRE(second.has_value());
    CHECK_FALSE(second->has_value());
  }
  const auto third = state.try_lock(k_now);
  REQUIRE(third.has_value());
  CHECK(third->has_value());
  CHECK(folder.names() == std::vector<std::string>{"lock"});
}

TEST_CASE("try_lock leaves the text of the one who holds it, and a dead holder holds nothing") {
  const TempFolder folder;
  const StateDirectory state(folder.path());
  OtherRun other(folder.path());
  const auto refused = state.try_lock(at("2027-01-01T00:00:00Z"));
  REQUIRE(refused.has_value());
  CHECK_FALSE(refused->has_value());
  CHECK(state.lock_holder() == fmt::format("pid {} since 2026-11-22T19:45:14Z", other.pid()));

  other.kill();
  const auto taken = state.try_lock(at("2027-01-01T00:00:00Z"));
  REQUIRE(taken.has_value());
  CHECK(taken->has_value());
  CHECK(state.lock_holder() == fmt::format("pid {} since 2027-01-01T00:00:00Z", ::getpid()));
}

TEST_CASE("lock_holder shows one line, and no control characters") {
  const TempFolder folder;
  folder.write("lock", "pid 1\x1b[31m since ever\nsecond line\n");
  CHECK(StateDirectory(folder.path()).lock_holder() == "pid 1\\x1b[31m since ever");
}

TEST_CASE("try_lock follows no symbolic link") {
  const TempFolder folder;
  const std::string elsewhere = folder.write("elsewhere", "precious");
  REQUIRE(::symlink(elsewhere.c_str(), (folder / "lock").c_str()) == 0);
  const Error error = error_of(StateDirectory(folder.path()).try_lock(k_now));
  CHECK(error.kind == ErrorKind::io);
  CHECK(contains(error.message, "cannot lock " + (folder / "lock")));
  CHECK(folder.read("elsewhere") == "precious");
}

TEST_CASE("try_lock without permission says what to do") {
  const TempFolder folder;
  REQUIRE(::chmod(folder.path().c_str(), 0555) == 0);
  const WithoutRoot nobody;
  const auto refused = StateDirectory(folder.path()).try_lock(k_now);
  const Error error = error_of(refused);
  CHECK(error.kind == ErrorKind::denied);
  CHECK(error.message == "cannot lock " + (folder / "lock") + ": Permission denied");
  CHECK(contains(error.remedy, "--state"));
}

TEST_CASE("try_lock below a file is an error that names it") {
  const TempFolder folder;
  const std::string file = folder.write("file", "");
  const auto refused = StateDirectory(file + "/state").try_lock(k_now);
  CHECK(contains(error_of(refused).message, file));
}

TEST_CASE("memory that was never saved is empty") {
  const TempFolder folder;
  for (const std::string& path : {folder.path(), folder / "none"}) {
    const auto memory = StateDirectory(path).load_memory();
    REQUIRE(memory.has_value());
    CHECK(memory->seen.empty());
    CHECK(memory->services.empty());
    CHECK(memory->equivalent.empty());
  }
}

TEST_CASE("save_memory is read back, by its owner alone") {
  const TempFolder folder;
  const StateDirectory state(folder.path());
  REQUIRE(state.save_memory(something()).has_value());
  CHECK(mode_of(folder / "memory.json") == 0600);
  CHECK(folder.names() == std::vector<std::string>{"memory.json"});
  const auto memory = state.load_memory();
  REQUIRE(memory.has_value());
  CHECK(memory->seen.at("harbor.lan/shop/web:1").digest == digest('1'));
}

TEST_CASE("save_memory into a folder that is not there is an error that names the file") {
  const TempFolder folder;
  const auto saved = StateDirectory(folder / "none").save_memory(something());
  CHECK(contains(error_of(saved).message, folder / "none/memory.json"));
}

TEST_CASE("load_memory of a file that it does not understand is an error, not an empty memory") {
  struct Row {
    const char* text;
    const char* message;
  };
  const Row rows[] = {
      {"", "no JSON object"},
      {"{\"schema\": 1, \"seen\"", "no JSON object"},
      {"[]", "no JSON object"},
      {"\xff\xfe", "no JSON object"},
      {"{}", "not of schema 1"},
      {"{\"schema\": 2}", "not of schema 1"},
      {"{\"schema\": \"1\"}", "not of schema 1"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const TempFolder folder;
    folder.write("memory.json", row.text);
    const auto memory = StateDirectory(folder.path()).load_memory();
    const Error error = error_of(memory);
    CHECK(error.kind == ErrorKind::protocol);
    CHECK(error.message == (folder / "memory.json") + ": " + row.message);
    CHECK(contains(error.remedy, "move the file away"));
    CHECK(folder.read("memory.json") == row.text);
  }
}

TEST_CASE("load_memory of a file that may not be read says so, and what to do") {
  const TempFolder folder;
  REQUIRE(StateDirectory(folder.path()).save_memory(something()).has_value());
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  REQUIRE(::chmod((folder / "memory.json").c_str(), 0) == 0);
  const WithoutRoot nobody;
  const auto memory = StateDirectory(folder.path()).load_memory();
  const Error error = error_of(memory);
  CHECK(error.kind == ErrorKind::denied);
  CHECK(error.message == "cannot read " + (folder / "memory.json") + ": Permission denied");
  CHECK(contains(error.remedy, "root"));
}

TEST_CASE("load_memory of something that is no file is an error") {
  const TempFolder folder;
  REQUIRE(::mkdir((folder / "memory.json").c_str(), 0700) == 0);
  const auto memory = StateDirectory(folder.path()).load_memory();
  CHECK(error_of(memory).kind == ErrorKind::io);
}
