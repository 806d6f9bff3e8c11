#include "tallyman/io/fd.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <utility>

using tallyman::Fd;

namespace {

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) != -1;
}

Fd some_file() {
  return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

}  // namespace

TEST_CASE("Fd closes what it owns, once") {
  int number = -1;
  {
    const Fd fd = some_file();
    REQUIRE(fd.valid());
    number = fd.get();
    CHECK(is_open(number));
  }
  CHECK_FALSE(is_open(number));
}

TEST_CASE("Fd hands over on a move") {
  Fd first = some_file();
  const int number = first.get();
  Fd second = std::move(first);
  CHECK(second.get() == number);
  Fd third = some_file();
  const int replaced = third.get();
  third = std::move(second);
  CHECK(third.get() == number);
  CHECK(is_open(number));
  CHECK_FALSE(is_open(replaced));
}

TEST_CASE("a released or reset Fd owns nothing") {
  Fd fd = some_file();
  const int number = fd.release();
  CHECK_FALSE(fd.valid());
  CHECK(is_open(number));
  Fd again(number);
  again.reset();
  CHECK_FALSE(again.valid());
  CHECK_FALSE(is_open(number));
  again.reset();
}
