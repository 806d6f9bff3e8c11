#pragma once

#include <sys/mman.h>

#include <cstdio>
#include <memory>
#include <string>

#include "support/captured.hpp"
#include "tallyman/cli/terminal.hpp"

namespace tallyman::test {

/// A terminal whose text can be read.
class Screen {
 public:
  explicit Screen(Terminal::Options options = {})
      : m_stream(::fdopen(::memfd_create("screen", MFD_CLOEXEC), "w")),
        terminal(m_stream.get(), options) {}

  [[nodiscard]] std::string text() const {
    std::fflush(m_stream.get());
    return text_in(::fileno(m_stream.get()));
  }

 private:
  struct Closer {
    void operator()(std::FILE* stream) const { std::fclose(stream); }
  };
  std::unique_ptr<std::FILE, Closer> m_stream;

 public:
  Terminal terminal;
};

}  // namespace tallyman::test
