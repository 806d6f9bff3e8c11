#include "tallyman/io/output_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "io/path_error.hpp"

namespace tallyman {

namespace {

/// At an offset, or at the end of a file that was opened with O_APPEND. 0, or the error's number.
int put_all(int fd, std::string_view bytes, std::optional<std::uint64_t> offset) {
  while (!bytes.empty()) {
    const ssize_t wrote =
        offset ? ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(*offset))
               : ::write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno != EINTR) {
      return errno;
    }
    const auto done = static_cast<std::size_t>(std::max<ssize_t>(wrote, 0));
    bytes.remove_prefix(done);
    offset = offset ? std::optional(*offset + done) : std::nullopt;
  }
  return 0;
}

}  // namespace

void OutputFile::write(std::string_view bytes) {
  if (bytes.empty()) {
    return;
  }
  open_once();
  const std::uint64_t room = m_half - std::min(m_came, m_half);
  const std::string_view first = bytes.substr(0, room);
  write_head(first);
  m_came += first.size();
  write_tail(bytes.substr(first.size()));
}

void OutputFile::open_once() {
  if (m_came > 0) {
    return;
  }
  constexpr int k_flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC;
  m_head = Fd(::open(m_path.c_str(), k_flags, 0600));
  if (!m_head.valid()) {
    fail_with(errno);
  }
}

void OutputFile::write_head(std::string_view bytes) {
  if (m_error) {
    return;
  }
  if (const int number = put_all(m_head.get(), bytes, std::nullopt)) {
    fail_with(number);
  }
}

void OutputFile::write_tail(std::string_view bytes) {
  if (!bytes.empty() && !m_error && !m_tail.valid()) {
    const std::string name = m_path + ".tail";
    m_tail = Fd(::open(name.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!m_tail.valid()) {
      fail_with(errno);
    }
    ::unlink(name.c_str());  // nothing is left behind by a crash
  }
  while (!bytes.empty()) {
    const std::uint64_t offset = (m_came - m_half) % m_half;
    const std::string_view piece = bytes.substr(0, m_half - offset);
    if (!m_error) {
      if (const int number = put_all(m_tail.get(), piece, offset)) {
        fail_with(number);
      }
    }
    m_came += piece.size();
    bytes.remove_prefix(piece.size());
  }
}

void OutputFile::append_tail(std::uint64_t begin, std::uint64_t end) {
  std::array<char, 64 * 1024> piece;
  while (begin < end && !m_error) {
    const std::size_t wanted = std::min<std::uint64_t>(piece.size(), end - begin);
    const ssize_t got = ::pread(m_tail.get(), piece.data(), wanted, static_cast<off_t>(begin));
    if (got > 0) {
      write_head({piece.data(), static_cast<std::size_t>(got)});
      begin += static_cast<std::uint64_t>(got);
    } else if (got == 0 || errno != EINTR) {
      fail_with(got == 0 ? EIO : errno);
    }
  }
}

Result<void> OutputFile::finish() {
  if (m_tail.valid()) {
    const std::uint64_t came = m_came - m_half;
    if (came <= m_half) {
      append_tail(0, came);
    } else {
      const std::uint64_t oldest = came % m_half;
      write_head(fmt::format("\n[tallyman: {} bytes were cut out here]\n", came - m_half));
      append_tail(oldest, m_half);
      append_tail(0, oldest);
    }
  }
  m_tail.reset();
  m_head.reset();
  return m_error ? Result<void>(std::unexpected(*m_error)) : Result<void>();
}

void OutputFile::fail_with(int number) {
  if (!m_error) {
    m_error = path_error("write", m_path, number).error();
  }
}

}  // namespace tallyman
