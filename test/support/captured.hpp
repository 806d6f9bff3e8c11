#pragma once

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <stdexcept>
#include <string>

#include "tallyman/io/fd.hpp"

namespace tallyman::test {

/// All that is in a file.
inline std::string text_in(int fd) {
  std::string text(static_cast<std::size_t>(::lseek(fd, 0, SEEK_END)), '\0');
  const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
  REQUIRE(got == static_cast<ssize_t>(text.size()));
  return text;
}

/// What goes to stderr meanwhile.
class CapturedStderr {
 public:
  CapturedStderr() : m_file(::memfd_create("stderr", MFD_CLOEXEC)), m_stderr(::dup(2)) {
    std::fflush(stderr);
    if (!m_file.valid() || ::dup2(m_file.get(), 2) < 0) {
      throw std::runtime_error("cannot capture stderr");
    }
  }
  CapturedStderr(const CapturedStderr&) = delete;
  CapturedStderr& operator=(const CapturedStderr&) = delete;
  ~CapturedStderr() {
    std::fflush(stderr);
    ::dup2(m_stderr.get(), 2);
  }
  [[nodiscard]] std::string text() const {
    std::fflush(stderr);
    return text_in(m_file.get());
  }

 private:
  Fd m_file;
  Fd m_stderr;
};

}  // namespace tallyman::test
