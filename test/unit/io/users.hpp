#pragma once

#include <unistd.h>

namespace tallyman::test {

/// Root may do everything; under this one, permissions count.
class WithoutRoot {
 public:
  WithoutRoot() {
    if (::geteuid() == 0) {
      m_was_root = ::seteuid(k_nobody) == 0;
    }
  }
  WithoutRoot(const WithoutRoot&) = delete;
  WithoutRoot& operator=(const WithoutRoot&) = delete;
  ~WithoutRoot() {
    if (m_was_root && ::seteuid(0) != 0) {
      ::_exit(1);
    }
  }

 private:
  static constexpr uid_t k_nobody = 65534;
  bool m_was_root = false;
};

}  // namespace tallyman::test
