#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "support/temp_folder.hpp"
#include "tallyman/io/files.hpp"
#include "unit/io/users.hpp"

namespace tallyman {

using test::TempFolder;
using test::WithoutRoot;

namespace {

using Names = std::vector<std::string>;

bool there(const std::string& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0;
}

void make_folder(const std::string& path) {
  REQUIRE(::mkdir(path.c_str(), 0755) == 0);
}

}  // namespace

TEST_CASE("remove_file_durably removes a file, and is content with none") {
  const TempFolder folder;
  const std::string path = folder.write("state", "x");
  CHECK(remove_file_durably(path));
  CHECK_FALSE(there(path));
  CHECK(remove_file_durably(path));
  CHECK(remove_file_durably(folder / "no/such/folder/state"));
}

TEST_CASE("remove_file_durably removes a link and not what it points to") {
  const TempFolder folder;
  const std::string target = folder.write("target", "x");
  REQUIRE(::symlink(target.c_str(), (folder / "link").c_str()) == 0);
  CHECK(remove_file_durably(folder / "link"));
  CHECK(folder.names() == Names{"target"});
}

TEST_CASE("remove_file_durably refuses what is no file's name, and folders") {
  const TempFolder folder;
  make_folder(folder / "sub");
  for (const std::string& path : {folder / "sub", folder / "sub/", std::string()}) {
    CAPTURE(path);
    const Result<void> removed = remove_file_durably(path);
    REQUIRE_FALSE(removed);
    CHECK(removed.error().kind == ErrorKind::io);
  }
  CHECK(there(folder / "sub"));
}

TEST_CASE("remove_file_durably says that permission is missing") {
  const TempFolder folder;
  const std::string path = folder.write("state", "x");
  REQUIRE(::chmod(folder.path().c_str(), 0555) == 0);
  {
    const WithoutRoot user;
    const Result<void> removed = remove_file_durably(path);
    REQUIRE_FALSE(removed);
    CHECK(removed.error().kind == ErrorKind::denied);
    CHECK(removed.error().message == "cannot remove " + path + ": Permission denied");
  }
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
}

TEST_CASE("list_directory gives all names, sorted") {
  const TempFolder folder;
  folder.write("b", "");
  folder.write(".hidden", "");
  folder.write("a", "");
  make_folder(folder / "c");
  REQUIRE(::symlink("nowhere", (folder / "d").c_str()) == 0);
  CHECK(list_directory(folder.path()) == Names{".hidden", "a", "b", "c", "d"});
  CHECK(list_directory(folder / "c") == Names{});
}

TEST_CASE("list_directory tells a missing folder from what is none") {
  const TempFolder folder;
  const Result<Names> missing = list_directory(folder / "none");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind == ErrorKind::not_found);
  CHECK(missing.error().message ==
        "cannot list " + (folder / "none") + ": No such file or directory");
  const Result<Names> file = list_directory(folder.write("file", ""));
  REQUIRE_FALSE(file);
  CHECK(file.error().kind == ErrorKind::io);
  CHECK(file.error().message == "cannot list " + (folder / "file") + ": Not a directory");
}

TEST_CASE("remove_directory removes all that is in it and follows no link") {
  const TempFolder folder;
  REQUIRE(ensure_directory(folder / "gone/a/b", 0700));
  folder.write("gone/a/b/file", "x");
  folder.write("gone/file", "x");
  make_folder(folder / "stays");
  folder.write("stays/file", "x");
  REQUIRE(::symlink((folder / "stays").c_str(), (folder / "gone/link").c_str()) == 0);
  CHECK(remove_directory(folder / "gone"));
  CHECK_FALSE(there(folder / "gone"));
  CHECK(folder.read("stays/file") == "x");
  CHECK(remove_directory(folder / "gone"));
}

TEST_CASE("remove_directory refuses files and links to folders") {
  const TempFolder folder;
  folder.write("file", "x");
  make_folder(folder / "stays");
  REQUIRE(::symlink((folder / "stays").c_str(), (folder / "link").c_str()) == 0);
  for (const char* const name : {"file", "link"}) {
    CAPTURE(name);
    const Result<void> removed = remove_directory(folder / name);
    REQUIRE_FALSE(removed);
    CHECK(removed.error().kind == ErrorKind::io);
    CHECK(removed.error().message == "cannot remove " + (folder / name) + ": it is no folder");
    CHECK(there(folder / name));
  }
  CHECK(there(folder / "stays"));
}

TEST_CASE("free_bytes tells what is free, of a file's file system as well") {
  const TempFolder folder;
  const Result<std::int64_t> bytes = free_bytes(folder.path());
  REQUIRE(bytes);
  CHECK(*bytes > 0);
  const auto space = std::filesystem::space(folder.path());
  CHECK(*bytes <= static_cast<std::int64_t>(space.capacity));
  CHECK(free_bytes(folder.write("file", "x")));
  CHECK(free_bytes("/proc") == 0);
}

TEST_CASE("free_bytes of a place that is not there") {
  const Result<std::int64_t> bytes = free_bytes("/no/such/place");
  REQUIRE_FALSE(bytes);
  CHECK(bytes.error().kind == ErrorKind::not_found);
  CHECK(bytes.error().message ==
        "cannot tell the free space of /no/such/place: No such file or directory");
}

}  // namespace tallyman
