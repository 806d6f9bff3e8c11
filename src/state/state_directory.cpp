#include "tallyman/state/state_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tallyman/io/files.hpp"
#include "tallyman/io/log.hpp"

namespace tallyman {
namespace {

constexpr std::size_t k_largest_memory = std::size_t{16} * 1024 * 1024;
constexpr const char* k_permission_remedy = "run as root, or name a folder of yours with --state";

Error lock_error(const std::string& path, int code) {
  Error error{code == EACCES ? ErrorKind::denied : ErrorKind::io,
              fmt::format("cannot lock {}: {}", path, std::strerror(code))};
  if (code == EACCES) {
    error.remedy = k_permission_remedy;
  }
  return error;
}

}  // namespace

Result<std::optional<Lock>> StateDirectory::try_lock(Timestamp now) const {
  if (auto made = ensure_directory(m_path, 0700); !made) {
    return std::unexpected(made.error());
  }
  const std::string path = file("lock");
  Fd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) {
    return std::unexpected(lock_error(path, errno));
  }
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return std::nullopt;
    }
    return std::unexpected(lock_error(path, errno));
  }
  // Only for people: a file system that is full must not stop the run.
  const std::string holder = fmt::format("pid {} since {}\n", getpid(), format_rfc3339(now));
  if (ftruncate(fd.get(), 0) == 0) {
    [[maybe_unused]] const ssize_t written = pwrite(fd.get(), holder.data(), holder.size(), 0);
  }
  return Lock(std::move(fd));
}

std::string StateDirectory::lock_holder() const {
  auto text = read_file(file("lock"), 4096);
  return text ? printable(std::string_view(*text).substr(0, text->find('\n'))) : "";
}

Result<Memory> StateDirectory::load_memory() const {
  auto held = holds().load();
  if (!held) {
    return std::unexpected(held.error());
  }
  const std::string path = file("memory.json");
  const auto text = read_file(path, k_largest_memory);
  if (!text) {
    if (text.error().kind == ErrorKind::not_found) {
      Memory memory;
      memory.holds = std::move(*held);
      return memory;
    }
    Error error = text.error();
    if (error.kind == ErrorKind::denied) {
      error.remedy = k_permission_remedy;
    }
    return std::unexpected(std::move(error));
  }
  auto memory = parse_memory(*text);
  if (!memory) {
    Error error = with_context(memory.error(), path);
    error.remedy = "if no newer tallyman wrote it, move the file away: what it knew is then lost";
    return std::unexpected(std::move(error));
  }
  memory->holds = std::move(*held);
  return memory;
}

Result<void> StateDirectory::save_memory(const Memory& memory) const {
  return write_file_durably(file("memory.json"), memory_to_json(memory), 0600);
}

}  // namespace tallyman
