#include "tallyman/io/files.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "io/path_error.hpp"

namespace tallyman {

namespace {

Result<std::string> read_all(const Fd& file, const std::string& path, std::size_t max_bytes) {
  constexpr std::size_t k_piece = 64 * 1024;
  std::string bytes;
  while (true) {
    const std::size_t had = bytes.size();
    bytes.resize(had + k_piece);
    const ssize_t got = ::read(file.get(), bytes.data() + had, k_piece);
    const int number = errno;
    bytes.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) {
      return bytes;
    }
    if (got < 0 && number != EINTR) {
      return path_error("read", path, number);
    }
    if (bytes.size() > max_bytes) {
      return fail(ErrorKind::io, "cannot read {}: it is longer than {} bytes", path, max_bytes);
    }
  }
}

int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
    if (wrote >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

/// A new file in `folder` that disappears again unless keep_as() is reached.
class TemporaryFile {
 public:
  explicit TemporaryFile(int folder) : m_folder(folder) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (m_file.valid()) {
      ::unlinkat(m_folder, m_name.c_str(), 0);
    }
  }

  int create(std::string_view name) {
    std::uint64_t random = 0;
    if (::getrandom(&random, sizeof random, 0) != sizeof random) {
      return errno;
    }
    m_name = fmt::format(".{}.tmp{:016x}", name.substr(0, 200), random);  // NAME_MAX is 255
    constexpr int k_flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    m_file = Fd(::openat(m_folder, m_name.c_str(), k_flags, 0600));
    return m_file.valid() ? 0 : errno;
  }

  int fill(std::string_view bytes, mode_t mode) {
    if (const int number = write_all(m_file.get(), bytes)) {
      return number;
    }
    return ::fchmod(m_file.get(), mode) == 0 && ::fsync(m_file.get()) == 0 ? 0 : errno;
  }

  int keep_as(const std::string& name) {
    if (::renameat(m_folder, m_name.c_str(), m_folder, name.c_str()) != 0) {
      return errno;
    }
    m_file.reset();
    return 0;
  }

 private:
  int m_folder;
  std::string m_name;
  Fd m_file;
};

struct Place {
  std::string folder;
  std::string name;
};

Place split(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? Place{".", path}
                                    : Place{path.substr(0, slash + 1), path.substr(slash + 1)};
}

Fd open_folder(const std::string& path) {
  return Fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

Result<void> make_durable(const Fd& folder, const std::string& path) {
  if (::fsync(folder.get()) != 0 && errno != EINVAL) {  // EINVAL: a file system without
    return path_error("make durable", path, errno);
  }
  return {};
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t max_bytes) {
  // O_NONBLOCK: a FIFO without a writer must not hold us up.
  const Fd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file.valid()) {
    return path_error_or_missing("read", path, errno);
  }
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) {
    return path_error("read", path, errno);
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorKind::io, "cannot read {}: it is {}", path,
                S_ISDIR(status.st_mode) ? "a folder" : "not a regular file");
  }
  return read_all(file, path, max_bytes);
}

Result<void> write_file_durably(const std::string& path, std::string_view bytes, mode_t mode) {
  const auto [folder_path, name] = split(path);
  if (name.empty()) {
    return fail(ErrorKind::io, "cannot write \"{}\": it does not end in a file name", path);
  }
  const Fd folder = open_folder(folder_path);
  if (!folder.valid()) {
    return path_error("write", path, errno);
  }
  TemporaryFile temporary(folder.get());
  if (const int number = temporary.create(name)) {
    return path_error("write", path, number);
  }
  if (const int number = temporary.fill(bytes, mode)) {
    return path_error("write", path, number);
  }
  if (const int number = temporary.keep_as(name)) {
    return path_error("write", path, number);
  }
  return make_durable(folder, path);
}

Result<void> remove_file_durably(const std::string& path) {
  const auto [folder_path, name] = split(path);
  if (name.empty()) {
    return fail(ErrorKind::io, "cannot remove \"{}\": it does not end in a file name", path);
  }
  const Fd folder = open_folder(folder_path);
  if (!folder.valid()) {
    return errno == ENOENT ? Result<void>() : path_error("remove", path, errno);
  }
  if (::unlinkat(folder.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
    return path_error("remove", path, errno);
  }
  // Also if it was gone already: whoever removed it may not have lived to make that durable.
  return make_durable(folder, path);
}

std::string absolute_path(std::string_view path, std::string_view base) {
  const std::string whole =
      path.starts_with('/') ? std::string(path) : fmt::format("{}/{}", base, path);
  std::vector<std::string_view> parts;
  for (std::string_view rest = whole; !rest.empty();) {
    const std::size_t end = std::min(rest.find('/'), rest.size());
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (part == "..") {
      if (!parts.empty()) {
        parts.pop_back();
      }
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
  }
  return fmt::format("/{}", fmt::join(parts, "/"));
}

}  // namespace tallyman
