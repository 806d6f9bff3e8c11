#pragma once

#include <optional>
#include <string>

#include "tallyman/io/fd.hpp"
#include "tallyman/model/error.hpp"
#include "tallyman/model/memory.hpp"

namespace tallyman {

/// Held as long as it lives; the kernel lets go of it when the process dies.
class Lock {
 public:
  explicit Lock(Fd fd) : m_fd(std::move(fd)) {}

 private:
  Fd m_fd;
};

/// What survives a reboot: the folder --state, mode 0700, with
///   lock         flock(2); its text says who holds it; never unlinked
///   memory.json  Memory, schema 1, mode 0600
class StateDirectory {
 public:
  explicit StateDirectory(std::string path) : m_path(std::move(path)) {}

  /// Makes the folder if need be and takes the lock; nothing if another run holds it.
  [[nodiscard]] Result<std::optional<Lock>> try_lock(Timestamp now) const;
  /// For people: "pid 4711 since 2026-11-22T19:45:14Z"; "" if nobody said.
  [[nodiscard]] std::string lock_holder() const;

  /// An empty Memory if there is none yet. A file that cannot be read or understood is an error: to
  /// go on without it could repeat what it warns of.
  [[nodiscard]] Result<Memory> load_memory() const;
  [[nodiscard]] Result<void> save_memory(const Memory& memory) const;

 private:
  [[nodiscard]] std::string file(std::string_view name) const {
    return m_path + "/" + std::string(name);
  }
  std::string m_path;
};

/// The text of memory.json and back. parse: ErrorKind::protocol for anything that is not schema 1.
[[nodiscard]] std::string memory_to_json(const Memory& memory);
[[nodiscard]] Result<Memory> parse_memory(std::string_view text);

}  // namespace tallyman
