#include "tallyman/io/files.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "support/temp_folder.hpp"
#include "unit/io/users.hpp"

namespace tallyman {

using test::TempFolder;
using test::WithoutRoot;

namespace {

mode_t mode_of(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
}

class Umask {
 public:
  explicit Umask(mode_t mask) : m_old(::umask(mask)) {}
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;
  ~Umask() { ::umask(m_old); }

 private:
  mode_t m_old;
};

/// No file may grow beyond this: what a full disk does, without one.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : m_old_handler(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &m_old);
    const rlimit limit{bytes, m_old.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &m_old);
    std::signal(SIGXFSZ, m_old_handler);
  }

 private:
  rlimit m_old{};
  void (*m_old_handler)(int);
};

}  // namespace

TEST_CASE("read_file gives all bytes, also of a long, a binary and an empty file") {
  const TempFolder folder;
  for (const std::string& bytes :
       {std::string(), std::string("a\0b\xff\n", 5), std::string(300'000, 'x')}) {
    CHECK(read_file(folder.write("file", bytes)) == bytes);
  }
}

TEST_CASE("read_file reads what has no size in its inode") {
  const Result<std::string> status = read_file("/proc/self/status");
  REQUIRE(status);
  CHECK(status->find("Name:") != std::string::npos);
}

TEST_CASE("read_file stops at max_bytes") {
  const TempFolder folder;
  const std::string path = folder.write("file", "12345");
  CHECK(read_file(path, 5) == "12345");
  const Result<std::string> longer = read_file(path, 4);
  REQUIRE_FALSE(longer);
  CHECK(longer.error().kind == ErrorKind::io);
  CHECK(longer.error().message == "cannot read " + path + ": it is longer than 4 bytes");
  CHECK(read_file("/dev/zero").error().kind == ErrorKind::io);
}

TEST_CASE("read_file tells a missing file from one that cannot be read") {
  const TempFolder folder;
  const Result<std::string> missing = read_file(folder / "none");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind == ErrorKind::not_found);
  CHECK(missing.error().message ==
        "cannot read " + (folder / "none") + ": No such file or directory");
  CHECK(read_file(folder.write("file", "") + "/below").error().kind == ErrorKind::not_found);
}

TEST_CASE("read_file says that permission is missing") {
  const TempFolder folder;
  const std::string path = folder.write("secret", "x");
  ::chmod(folder.path().c_str(), 0755);
  ::chmod(path.c_str(), 0);
  const WithoutRoot nobody;
  const Result<std::string> denied = read_file(path);
  REQUIRE_FALSE(denied);
  CHECK(denied.error().kind == ErrorKind::denied);
  CHECK(denied.error().message == "cannot read " + path + ": Permission denied");
}

TEST_CASE("read_file refuses folders, and FIFOs without waiting for a writer") {
  const TempFolder folder;
  const Result<std::string> of_folder = read_file(folder.path());
  REQUIRE_FALSE(of_folder);
  CHECK(of_folder.error().kind == ErrorKind::io);
  CHECK(of_folder.error().message == "cannot read " + folder.path() + ": it is a folder");

  const std::string fifo = folder / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const Result<std::string> of_fifo = read_file(fifo);
  REQUIRE_FALSE(of_fifo);
  CHECK(of_fifo.error().message == "cannot read " + fifo + ": it is not a regular file");
}

TEST_CASE("write_file_durably writes bytes and mode whatever the umask, and nothing beside") {
  const TempFolder folder;
  const Umask umask(077);
  const std::string bytes("a\0b\n", 4);
  REQUIRE(write_file_durably(folder / "file", bytes, 0644));
  CHECK(folder.read("file") == bytes);
  CHECK(mode_of(folder / "file") == 0644);
  CHECK(folder.names() == std::vector<std::string>{"file"});
}

TEST_CASE("write_file_durably replaces a file and its mode") {
  const TempFolder folder;
  const std::string path = folder.write("file", "a longer old text");
  REQUIRE(write_file_durably(path, "new", 0600));
  CHECK(folder.read("file") == "new");
  CHECK(mode_of(path) == 0600);
}

TEST_CASE("write_file_durably takes names of any allowed length, and relative ones") {
  const TempFolder folder;
  const std::string name(255, 'n');
  CHECK(write_file_durably(folder / name, "x", 0644));
  CHECK(folder.names() == std::vector<std::string>{name});

  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  const Result<void> relative = write_file_durably("relative", "x", 0644);
  std::filesystem::current_path(before);
  CHECK(relative);
  CHECK(folder.read("relative") == "x");
}

TEST_CASE("write_file_durably that fails leaves the old file and nothing else") {
  const TempFolder folder;
  const std::string path = folder.write("file", "old");

  SUBCASE("since there is no more space") {
    const std::string bytes(200'000, 'x');
    const Result<void> written = [&] {
      const FileSizeLimit limit(4096);
      return write_file_durably(path, bytes, 0644);
    }();
    REQUIRE_FALSE(written);
    CHECK(written.error().kind == ErrorKind::io);
    CHECK(written.error().message == "cannot write " + path + ": File too large");
  }
  SUBCASE("since permission is missing") {
    ::chmod(folder.path().c_str(), 0755);
    const WithoutRoot nobody;
    ::chmod(folder.path().c_str(), 0555);  // for a test that does not run as root
    const Result<void> written = write_file_durably(path, "new", 0644);
    ::chmod(folder.path().c_str(), 0755);
    REQUIRE_FALSE(written);
    CHECK(written.error().kind == ErrorKind::denied);
    CHECK(written.error().message == "cannot write " + path + ": Permission denied");
  }
  CHECK(folder.read("file") == "old");
  CHECK(folder.names() == std::vector<std::string>{"file"});
}

TEST_CASE("write_file_durably says what is wrong with the place") {
  const TempFolder folder;
  const std::string below = folder / "none/file";
  CHECK(write_file_durably(below, "x", 0644).error().message ==
        "cannot write " + below + ": No such file or directory");
  REQUIRE(::mkdir((folder / "sub").c_str(), 0755) == 0);
  CHECK(write_file_durably(folder / "sub", "x", 0644).error().message ==
        "cannot write " + (folder / "sub") + ": Is a directory");
  CHECK(write_file_durably(folder / "sub/", "x", 0644).error().kind == ErrorKind::io);
  CHECK(folder.names() == std::vector<std::string>{"sub"});
}

TEST_CASE("ensure_directory makes all that is missing, with the mode") {
  const TempFolder folder;
  const Umask umask(077);
  REQUIRE(ensure_directory(folder / "a//b/c/", 0750));
  CHECK(mode_of(folder / "a") == 0750);
  CHECK(mode_of(folder / "a/b/c") == 0750);
  CHECK(mode_of(folder.path()) == 0700);
}

TEST_CASE("ensure_directory leaves what is there as it is") {
  const TempFolder folder;
  REQUIRE(::mkdir((folder / "a").c_str(), 0700) == 0);
  REQUIRE(::symlink("a", (folder / "link").c_str()) == 0);
  CHECK(ensure_directory(folder / "a", 0755));
  CHECK(ensure_directory(folder / "link", 0755));
  CHECK(ensure_directory("/", 0755));
  CHECK(mode_of(folder / "a") == 0700);
}

TEST_CASE("ensure_directory names what is in the way") {
  const TempFolder folder;
  const std::string file = folder.write("file", "");
  const Result<void> made = ensure_directory(file + "/below", 0755);
  REQUIRE_FALSE(made);
  CHECK(made.error().kind == ErrorKind::io);
  CHECK(made.error().message == "cannot make the folder " + file + ": Not a directory");
  CHECK_FALSE(ensure_directory("", 0755));
}

TEST_CASE("absolute_path resolves in the text only") {
  struct Case {
    std::string path, base, wanted;
  };
  for (const Case& c : std::vector<Case>{{"/a/b", "/x", "/a/b"},
                                         {"a", "/x/y", "/x/y/a"},
                                         {"./a", "/x/y/", "/x/y/a"},
                                         {"../a", "/x/y", "/x/a"},
                                         {"../../../a", "/x", "/a"},
                                         {"/a/./b/../c//d/", "/x", "/a/c/d"},
                                         {".", "/x/y", "/x/y"},
                                         {"", "/x/y", "/x/y"},
                                         {"..", "/", "/"},
                                         {"...", "/x", "/x/..."},
                                         {".env", "/srv/web", "/srv/web/.env"}}) {
    CAPTURE(c.path);
    CHECK(absolute_path(c.path, c.base) == c.wanted);
  }
}

}  // namespace tallyman
