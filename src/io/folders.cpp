#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

#include "io/path_error.hpp"
#include "tallyman/io/files.hpp"

namespace tallyman {

namespace {

int make_folder(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0) {
    return ::chmod(path.c_str(), mode) == 0 ? 0 : errno;  // whatever the umask
  }
  const int number = errno;
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0) {
    return S_ISDIR(status.st_mode) ? 0 : ENOTDIR;
  }
  return number;
}

}  // namespace

Result<void> ensure_directory(const std::string& path, mode_t mode) {
  for (std::size_t at = 0; at != std::string::npos;) {
    at = path.find('/', at + 1);
    const std::string part = path.substr(0, at);
    if (const int number = make_folder(part, mode)) {
      return path_error("make the folder", part, number);
    }
  }
  return {};
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(path, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error) {
    // ENOTDIR is no folder rather than nothing: that is not "not there".
    return error.value() == ENOTDIR ? path_error("list", path, ENOTDIR)
                                    : path_error_or_missing("list", path, error.value());
  }
  std::ranges::sort(names);
  return names;
}

Result<void> remove_directory(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) {
    return errno == ENOENT ? Result<void>() : path_error("remove", path, errno);
  }
  if (!S_ISDIR(status.st_mode)) {
    return fail(ErrorKind::io, "cannot remove {}: it is no folder", path);
  }
  // libstdc++ 12 goes down by openat() with O_NOFOLLOW: nobody can put a link in its way meanwhile.
  std::error_code error;
  std::filesystem::remove_all(path, error);
  return error ? path_error("remove", path, error.value()) : Result<void>();
}

std::string file_stamp(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    return {};
  }
  return fmt::format("{}.{:09} {} {}", status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                     status.st_size, status.st_ino);
}

Result<std::int64_t> free_bytes(const std::string& path) {
  struct statvfs status{};
  int outcome = -1;
  do {
    outcome = ::statvfs(path.c_str(), &status);
  } while (outcome != 0 && errno == EINTR);
  if (outcome != 0) {
    return path_error_or_missing("tell the free space of", path, errno);
  }
  // Not f_bfree: the blocks that are reserved for root are a last reserve, not room for images.
  std::uint64_t bytes = 0;
  if (__builtin_mul_overflow(std::uint64_t{status.f_bavail}, std::uint64_t{status.f_frsize},
                             &bytes) ||
      !std::in_range<std::int64_t>(bytes)) {
    return std::numeric_limits<std::int64_t>::max();
  }
  return static_cast<std::int64_t>(bytes);
}

}  // namespace tallyman
