#pragma once

#include "tallyman/io/fd.hpp"
#include "tallyman/model/error.hpp"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tallyman {

/// The whole file. ErrorKind::not_found if it is not there, ErrorKind::denied without permission,
/// ErrorKind::io for the rest: a folder, a FIFO, more than `max_bytes`, … Messages name the path.
[[nodiscard]] Result<std::string> read_file(const std::string& path,
                                            std::size_t max_bytes = std::size_t{1024} * 1024);

/// Atomic and durable: a temporary file in the same folder, fsync, chmod `mode` whatever the umask,
/// rename, fsync of the folder. On failure the old file is untouched and nothing is left behind.
/// ErrorKind::io or denied.
[[nodiscard]] Result<void> write_file_durably(const std::string& path, std::string_view bytes,
                                              mode_t mode);

/// Removes it for good (fsync of the folder); fine if it is not there. ErrorKind::io or denied.
[[nodiscard]] Result<void> remove_file_durably(const std::string& path);

/// The names in a folder, sorted, without "." and ".."; not_found if it is not there.
[[nodiscard]] Result<std::vector<std::string>> list_directory(const std::string& path);

/// Removes a folder with everything in it; symbolic links are not followed. Fine if it is not
/// there.
[[nodiscard]] Result<void> remove_directory(const std::string& path);

/// Bytes that are free for us on the file system of `path`; not_found if it is not there.
[[nodiscard]] Result<std::int64_t> free_bytes(const std::string& path);

/// What changes whenever the file at `path` is written or replaced (time, size, inode; of what a
/// symbolic link leads to), without reading it; "" where there is none, or we may not see it.
[[nodiscard]] std::string file_stamp(const std::string& path);

/// Makes the folder and what is missing above it, with `mode`; fine if it is there.
[[nodiscard]] Result<void> ensure_directory(const std::string& path, mode_t mode);

/// `path` if it is absolute, else base + "/" + path; "." and ".." are resolved in the text only.
[[nodiscard]] std::string absolute_path(std::string_view path, std::string_view base);

}  // namespace tallyman
