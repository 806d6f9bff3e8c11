#include "tallyman/io/stop.hpp"

#include <doctest/doctest.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>

#include "unit/io/signals.hpp"

using tallyman::Stop;
using tallyman::test::SignalsRestored;

namespace {

bool readable(int fd) {
  pollfd entry{fd, POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1;
}

}  // namespace

TEST_CASE("a Stop without signals is never requested") {
  const Stop stop;
  CHECK(stop.fd() == -1);
  CHECK_FALSE(stop.requested());
}

TEST_CASE("every one of the signals requests a stop, once and for all") {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    CAPTURE(signal);
    const SignalsRestored restored;
    const Stop stop = Stop::on_signals();
    CHECK_FALSE(stop.requested());
    CHECK_FALSE(readable(stop.fd()));
    ::raise(signal);
    CHECK(readable(stop.fd()));
    CHECK(stop.requested());
    CHECK_FALSE(readable(stop.fd()));
    CHECK(stop.requested());
  }
}

TEST_CASE("on_signals turns a broken pipe into an error of write()") {
  const SignalsRestored restored;
  const Stop stop = Stop::on_signals();
  int ends[2] = {};
  REQUIRE(::pipe(ends) == 0);
  ::close(ends[0]);
  CHECK(::write(ends[1], "x", 1) == -1);
  ::close(ends[1]);
}
