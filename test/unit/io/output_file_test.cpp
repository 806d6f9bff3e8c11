#include "tallyman/io/output_file.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "support/temp_folder.hpp"
#include "tallyman/io/process.hpp"

namespace tallyman {

using test::TempFolder;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;

namespace {

constexpr std::size_t k_mib = std::size_t{1024} * 1024;

/// What is in the file after these pieces; at most 20 bytes of them.
std::string kept(const std::vector<std::string>& pieces) {
  const TempFolder folder;
  OutputFile file(folder / "out.log", 20);
  for (const std::string& piece : pieces) {
    file.write(piece);
  }
  REQUIRE(file.finish().has_value());
  CHECK(folder.names() == std::vector<std::string>{"out.log"});
  return folder.read("out.log");
}

Command writer(const TempFolder& folder, const std::string& script, OutputFile& file) {
  return {.argv = {folder.script("writer", script)},
          .environment = {{"PATH", "/usr/bin:/bin"}},
          .max_output = 0,
          .on_output = [&file](std::string_view bytes) { file.write(bytes); }};
}

long peak_memory_kib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

}  // namespace

TEST_CASE("of much output the first and the last half of the bound are kept") {
  struct Row {
    const char* what;
    std::vector<std::string> pieces;
    std::string kept;
  };
  const Row rows[] = {
      {"less than half", {"ab", "", "c"}, "abc"},
      {"just half", {"0123456789"}, "0123456789"},
      {"over the half in one piece", {"0123456789ab"}, "0123456789ab"},
      {"just the bound", {"0123456789abcdefghij"}, "0123456789abcdefghij"},
      {"one more",
       {"0123456789abcdefghij", "k"},
       "0123456789\n[tallyman: 1 bytes were cut out here]\nbcdefghijk"},
      {"several times round",
       {"0123456789", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM", "NOPQ"},
       "0123456789\n[tallyman: 33 bytes were cut out here]\nHIJKLMNOPQ"},
      {"just once round",
       {"0123456789", "abcdefghij", "ABCDEFGHIJ"},
       "0123456789\n[tallyman: 10 bytes were cut out here]\nABCDEFGHIJ"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(kept(row.pieces) == row.kept);
  }
}

TEST_CASE("a file without output does not come into being") {
  const TempFolder folder;
  OutputFile file(folder / "out.log");
  CHECK_FALSE(file.used());
  CHECK(file.finish().has_value());
  CHECK(folder.names().empty());
}

TEST_CASE("only its owner may read it, and what was there before stays") {
  const TempFolder folder;
  for (const char* piece : {"one ", "two"}) {
    OutputFile file(folder / "out.log");
    file.write(piece);
    CHECK(file.used());
    CHECK(file.finish().has_value());
  }
  CHECK(folder.read("out.log") == "one two");
  struct stat status{};
  REQUIRE(::stat((folder / "out.log").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("what cannot be written is dropped, and told at the end") {
  const TempFolder folder;
  OutputFile missing(folder / "none/out.log", 20);
  missing.write("0123456789");
  missing.write("0123456789abcdefghijklmnopqrst");
  const auto finished = missing.finish();
  REQUIRE_FALSE(finished.has_value());
  CHECK(finished.error().kind == ErrorKind::io);
  CHECK(finished.error().message.find("none/out.log") != std::string::npos);

  OutputFile full("/dev/full", 20);
  full.write("0123456789abcdefghijklmnopqrst");
  CHECK_FALSE(full.finish().has_value());
}

TEST_CASE("what was written before a crash is there") {
  const TempFolder folder;
  OutputFile file(folder / "out.log", 20);
  file.write("0123456789abc");
  CHECK(folder.read("out.log") == "0123456789");
  CHECK(folder.names() == std::vector<std::string>{"out.log"});
  CHECK(file.finish().has_value());
}

TEST_CASE("100 MB of a child's output, binary and without a newline, need no memory") {
  const TempFolder folder;
  OutputFile file(folder / "out.log");
  std::size_t lines = 0;
  Command command = writer(folder,
                           "printf begin; head -c 100000000 /dev/zero; printf end\n"
                           "printf err >&2\n",
                           file);
  command.timeout = 120s;
  command.on_line = [&](std::string_view line) {
    ++lines;
    CHECK(line.size() <= 8 * 1024);
  };
  const long before = peak_memory_kib();
  const Result<Exit> exit = PosixProcess().run(command);
  REQUIRE(exit.has_value());
  CHECK(exit->ok());
  CHECK(exit->out.empty());
  CHECK(file.finish().has_value());
  // Less than what is kept of it; a sanitizer has needs of its own.
  CHECK(peak_memory_kib() - before < 12 * 1024);
  CHECK(lines == 2);
  const std::string kept = folder.read("out.log");
  CHECK(kept.starts_with("begin"));
  CHECK(kept.size() > 16 * k_mib);
  CHECK(kept.size() < 16 * k_mib + 100);
  CHECK(kept.find("[tallyman: ") != std::string::npos);
  CHECK(kept.find("end", 16 * k_mib - 100) != std::string::npos);
}

TEST_CASE("output that never ends is ended with its child, and its end is kept") {
  const TempFolder folder;
  OutputFile file(folder / "out.log", 64 * 1024);
  Command command = writer(folder, "yes forever & yes forever\n", file);
  command.timeout = 500ms;
  const Result<Exit> exit = PosixProcess().run(command);
  REQUIRE(exit.has_value());
  CHECK(exit->timed_out);
  CHECK(file.finish().has_value());
  const std::string kept = folder.read("out.log");
  CHECK(kept.starts_with("forever\n"));
  CHECK(kept.size() < 65 * 1024);
  CHECK(kept.find(" bytes were cut out here]\n") != std::string::npos);
}

}  // namespace tallyman
