#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <thread>

#include "support/temp_folder.hpp"
#include "tallyman/io/files.hpp"
#include "tallyman/state/state_directory.hpp"
#include "unit/state/journals.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

constexpr std::size_t k_most = StateDirectory::k_most_records;

std::string id_of_number(std::size_t number) {
  return fmt::format("20261122T{:06}Z-web", number);
}

Journal ended(const std::string& id, Phase phase = Phase::committed) {
  Journal journal = full_journal(id);
  journal.phase = phase;
  return journal;
}

struct State {
  TempFolder folder;
  StateDirectory directory{folder.path()};

  /// As if so many had been deployed, which would take long.
  void fill(std::size_t count) const {
    std::string text = record_to_json(past_of(ended("ID")));
    for (std::size_t i = 0; i < count; ++i) {
      std::string record = text;
      record.replace(record.find("\"ID\""), 4, "\"" + id_of_number(i) + "\"");
      put(id_of_number(i), "record.json", record);
    }
  }
  void put(const std::string& id, const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(directory.deployment_folder(id));
    folder.write("deployments/" + id + "/" + name, text);
  }
  void save(const std::string& id) const { REQUIRE(directory.save_journal(ended(id)).has_value()); }
  void close(const std::string& id) const {
    REQUIRE(directory.close_journal(ended(id)).has_value());
  }
  [[nodiscard]] Calls ids() const {
    Calls ids;
    for (const PastDeployment& past : value_of(directory.history()).deployments) {
      ids.push_back(past.id);
    }
    return ids;
  }
  // Of one alone: to read a full history is slow under sanitizers.
  [[nodiscard]] bool is_open(const std::string& id) const {
    const auto text = read_file(directory.deployment_folder(id) + "/journal.json");
    return text && parse_journal(*text);
  }
  [[nodiscard]] bool is_told(const std::string& id) const {
    const auto text = read_file(directory.deployment_folder(id) + "/record.json");
    return text && parse_record(*text);
  }
  [[nodiscard]] std::size_t count() const {
    return value_of(list_directory(folder / "deployments")).size();
  }
};

/// A child that dies at some point of its work; what it says it has done it has done.
class Victim {
 public:
  explicit Victim(const std::function<void(int acknowledge)>& work) {
    REQUIRE(::pipe(m_pipe) == 0);
    m_pid = ::fork();
    REQUIRE(m_pid >= 0);
    if (m_pid == 0) {
      ::close(m_pipe[0]);
      work(m_pipe[1]);
      ::_exit(0);
    }
    ::close(m_pipe[1]);
  }
  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;
  ~Victim() { ::close(m_pipe[0]); }

  void kill() const { ::kill(m_pid, SIGKILL); }
  /// How it ended, as waitpid says.
  [[nodiscard]] int wait() const {
    int status = 0;
    ::waitpid(m_pid, &status, 0);
    return status;
  }
  /// Waits for the next thing that it has done.
  void await() {
    char byte = 0;
    m_awaited += ::read(m_pipe[0], &byte, 1) == 1 ? 1 : 0;
  }
  [[nodiscard]] std::size_t acknowledged() const {
    std::size_t count = m_awaited;
    for (char byte = 0; ::read(m_pipe[0], &byte, 1) == 1;) {
      ++count;
    }
    return count;
  }

 private:
  int m_pipe[2] = {-1, -1};
  std::size_t m_awaited = 0;
  pid_t m_pid = -1;
};

void acknowledge(int fd) {
  static_cast<void>(::write(fd, "x", 1) == 1);
}

/// From now on this process dies at that byte of a file, or gets an error there.
void limit_files(rlim_t bytes, bool dies) {
  std::signal(SIGXFSZ, dies ? SIG_DFL : SIG_IGN);
  const rlimit limit{bytes, bytes};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
}

}  // namespace

TEST_CASE("history is newest first, with the folder of each and what is in it") {
  const State state;
  CHECK(state.ids().empty());
  for (const std::size_t number : {3U, 1U, 2U}) {
    state.save(id_of_number(number));
    state.close(id_of_number(number));
  }
  state.put(id_of_number(2), "compose-shop.log", "Recreated");
  state.put(id_of_number(2), ".record.json.tmp01", "what a kill left");
  state.save(id_of_number(4));  // has not ended
  const History history = value_of(state.directory.history());
  CHECK(state.ids() == Calls{id_of_number(3), id_of_number(2), id_of_number(1)});
  CHECK(history.unreadable.empty());
  CHECK(history.deployments.at(1).folder == state.directory.deployment_folder(id_of_number(2)));
  CHECK(history.deployments.at(1).outputs == Calls{"compose-shop.log"});
  CHECK(history.deployments.at(0).outputs.empty());
}

TEST_CASE("a record that was cut off or changed is named, and hides no other") {
  const State state;
  state.fill(3);
  const std::string whole = record_to_json(past_of(ended("x")));
  for (const std::string& text : {whole.substr(0, whole.size() / 2), std::string(),
                                  std::string("\xff\xfe"), std::string("{\"schema\": 9}")}) {
    CAPTURE(text);
    state.put(id_of_number(1), "record.json", text);
    CHECK(state.ids() == Calls{id_of_number(2), id_of_number(0)});
    const History history = value_of(state.directory.history());
    REQUIRE(history.unreadable.size() == 1);
    CHECK(history.unreadable[0].message.starts_with(
        state.directory.deployment_folder(id_of_number(1)) + "/record.json: "));
  }
}

TEST_CASE("output is kept up to a size, the newest first; records are kept all the same") {
  const State state;
  state.fill(5);
  const auto bytes = static_cast<off_t>(StateDirectory::k_most_output_bytes / 2);
  for (const std::size_t number : {1U, 2U, 3U}) {
    const std::string path = state.directory.deployment_folder(id_of_number(number)) + "/hook.log";
    state.put(id_of_number(number), "hook.log", "");
    REQUIRE(::truncate(path.c_str(), bytes) == 0);  // takes no room
  }
  state.put(id_of_number(0), "health.log", "old and short");
  state.save(id_of_number(9));
  state.put(id_of_number(9), "compose.log", "new");
  state.close(id_of_number(9));
  CHECK(state.ids().size() == 6);
  for (const PastDeployment& past : value_of(state.directory.history()).deployments) {
    CAPTURE(past.id);
    CHECK(past.outputs == (past.id == id_of_number(9)   ? Calls{"compose.log"}
                           : past.id == id_of_number(3) ? Calls{"hook.log"}
                                                        : Calls{}));
  }
}

TEST_CASE("a clock that was set back does not cost the newest its record") {
  const State state;
  state.fill(k_most);
  const std::string early = "20200101T000000Z-web";
  state.save(early);
  state.close(early);
  const Calls ids = state.ids();
  CHECK(ids.size() == k_most);
  CHECK(ids.back() == early);
  CHECK(ids.at(k_most - 2) == id_of_number(1));
}

TEST_CASE("history survives a kill at any byte of a record, while old ones are rotated away") {
  const State state;
  state.fill(k_most + 5);
  const std::size_t length = record_to_json(past_of(ended(id_of_number(0)))).size();
  std::size_t number = k_most + 5;
  const std::size_t step = length / 8;
  for (std::size_t bytes = 0; bytes < length + step; bytes += step, ++number) {
    CAPTURE(bytes);
    const std::string id = id_of_number(number);
    state.save(id);
    const Victim victim([&](int fd) {
      limit_files(bytes, true);
      if (state.directory.close_journal(ended(id))) {
        acknowledge(fd);
      }
    });
    const int status = victim.wait();
    const bool survived = victim.acknowledged() == 1;
    CHECK(survived == (bytes >= length));
    CHECK(WIFSIGNALED(status) == !survived);
    // It is told, or it is open still; the next run closes it.
    CHECK(state.is_told(id) == survived);
    CHECK(state.is_open(id) == !survived);
    state.close(id);
    CHECK(state.is_told(id));
    CHECK(state.count() == k_most);
  }
  CHECK(state.ids().size() == k_most);
  CHECK(value_of(state.directory.history()).unreadable.empty());
}

TEST_CASE("a full disk is an error that leaves the deployment open, and no record is lost") {
  const State state;
  state.fill(3);
  const std::string id = id_of_number(7);
  state.save(id);
  const Victim victim([&](int fd) {
    limit_files(200, false);
    const auto closed = state.directory.close_journal(ended(id));
    if (!closed && contains(closed.error().message, "record.json")) {
      acknowledge(fd);
    }
  });
  CHECK(victim.wait() == 0);
  CHECK(victim.acknowledged() == 1);
  CHECK(state.is_open(id));
  CHECK(state.ids().size() == 3);
  CHECK(value_of(list_directory(state.directory.deployment_folder(id))) == Calls{"journal.json"});
  state.close(id);
  CHECK(state.ids().front() == id);
}

TEST_CASE("whenever it is killed: what was acknowledged is told, newest first") {
  const State state;
  state.fill(k_most + 40);
  std::size_t begin = k_most + 40;
  for (int round = 0; round < 8; ++round) {
    CAPTURE(round);
    Victim victim([&](int fd) {
      for (std::size_t i = begin;; ++i) {
        const Journal journal = ended(id_of_number(i));
        if (state.directory.save_journal(journal) && state.directory.close_journal(journal)) {
          acknowledge(fd);
        }
      }
    });
    victim.await();
    std::this_thread::sleep_for(std::chrono::microseconds(700 * round));
    victim.kill();
    CHECK(WIFSIGNALED(victim.wait()));
    const std::size_t count = victim.acknowledged();
    CHECK(count > 0);
    for (std::size_t i = begin; i < begin + count; ++i) {
      CHECK(state.is_told(id_of_number(i)));
    }
    begin += count + 1;
  }
  const History history = value_of(state.directory.history());
  CHECK(history.deployments.size() >= k_most - 8);  // those that were cut off count as well
  CHECK(history.unreadable.empty());
}
