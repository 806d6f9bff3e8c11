#pragma once

#include "tallyman/io/fd.hpp"
#include "tallyman/model/error.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tallyman {

/// The output of a child on disk, written as it comes and never collected in memory. Of more than
/// `max_bytes` the first and the last half of that are kept, with a line between them that says how
/// much was cut. The last half is there after finish() only: a crash loses it. Mode 0600; the file
/// comes into being with the first byte.
class OutputFile {
 public:
  static constexpr std::size_t k_max_bytes = std::size_t{16} * 1024 * 1024;

  /// The folder of `path` must be there; a file of that name is written on.
  explicit OutputFile(std::string path, std::size_t max_bytes = k_max_bytes)
      : m_path(std::move(path)), m_half(std::max<std::size_t>(max_bytes / 2, 1)) {}

  /// What cannot be written is dropped, and finish() says so.
  void write(std::string_view bytes);
  /// The end. ErrorKind::io or denied: the first thing that could not be done; the file is not
  /// complete.
  [[nodiscard]] Result<void> finish();

  [[nodiscard]] bool used() const { return m_came > 0; }  ///< was there any output?
  [[nodiscard]] const std::string& path() const { return m_path; }

 private:
  void open_once();
  void write_head(std::string_view bytes);
  void write_tail(std::string_view bytes);
  void append_tail(std::uint64_t begin, std::uint64_t end);
  void fail_with(int number);

  std::string m_path;
  std::uint64_t m_half;
  Fd m_head = {};            ///< what `path` names
  Fd m_tail = {};            ///< a file without a name, in which the last half goes round
  std::uint64_t m_came = 0;  ///< bytes so far
  std::optional<Error> m_error = std::nullopt;
};

}  // namespace tallyman
