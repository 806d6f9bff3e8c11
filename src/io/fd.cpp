#include "tallyman/io/fd.hpp"

#include <unistd.h>

namespace tallyman {

void Fd::reset() {
  if (m_fd >= 0) {
    // Never again after EINTR: Linux has closed it by then, and the number may be somebody else's.
    ::close(m_fd);
    m_fd = -1;
  }
}

}  // namespace tallyman
