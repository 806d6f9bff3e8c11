#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>

#include "unit/cli/running.hpp"
#include "unit/state/journals.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

struct Shell {
  TempFolder folder;
  StateDirectory state{folder / "state"};
  FakeClock clock;

  Shell() {
    ::setenv("TZ", "UTC0", 1);
    ::tzset();
  }
  Ran hold(const std::string& reason = "", const std::string& until = "",
           const std::string& by = "anna") {
    return ran([&](Terminal& out, Log& log) {
      return hold_command(state, "web", {.reason = reason, .until = until, .by = by}, clock, out,
                          log);
    });
  }
  Ran release() {
    return ran(
        [&](Terminal& out, Log& log) { return release_command(state, "web", clock, out, log); });
  }
  [[nodiscard]] std::size_t held() const { return value_of(state.holds().load()).size(); }

 private:
  template <class Command>
  static Ran ran(Command command) {
    Screen screen;
    const CapturedStderr captured;
    Log log({.level = LogLevel::warning});
    const int status = command(screen.terminal, log);
    return {status, screen.text(), captured.text()};
  }
};

}  // namespace

TEST_CASE("hold says what it holds, until when and why, and how it ends") {
  Shell shell;
  const Ran ran = shell.hold("exam week", "2026-12-01 18:00");
  CHECK(ran.status == 0);
  CHECK(ran.err == "");
  CHECK(ran.out ==
        "web: held until 2026-12-01 18:00 UTC: exam week\n"
        "  next      no run deploys it until then; to end it earlier: tallyman release\n"
        "            web\n");
  const Hold hold = value_of(value_of(shell.state.holds().load()).at("web"));
  CHECK(hold.str() ==
        "held by anna since 2026-11-22T19:45:14Z until 2026-12-01T18:00:00Z: exam week");
  CHECK(shell.hold().out ==
        "web: held\n"
        "  next      no run deploys it until: tallyman release web\n");
}

TEST_CASE("hold says that what is at work comes to its end") {
  Shell shell;
  REQUIRE(shell.state.save_journal(full_journal()).has_value());
  CHECK(contains(shell.hold().out, "it is being deployed, and that comes to its end first"));
}

TEST_CASE("hold and release need no lock") {
  Shell shell;
  const auto lock = shell.state.try_lock(shell.clock.now());
  REQUIRE((lock.has_value() && lock->has_value()));
  CHECK(shell.hold().status == 0);
  CHECK(shell.held() == 1);
  CHECK(shell.release().status == 0);
  CHECK(shell.held() == 0);
}

TEST_CASE("release says what was held, and is content if nothing was") {
  Shell shell;
  (void)shell.hold("exam week");
  CHECK(shell.release().out ==
        "web: released; was held by anna since 2026-11-22T19:45:14Z: exam week\n");
  const Ran again = shell.release();
  CHECK(again.status == 0);
  CHECK(again.out == "web: was not held\n");
  (void)shell.hold("", "1h");
  shell.clock.advance(std::chrono::hours(1));
  CHECK(shell.release().out == "web: was not held\n");
}

TEST_CASE("release gets rid of a hold that nobody can read") {
  Shell shell;
  (void)shell.hold();
  shell.folder.write("state/holds/web.json", "{");
  const Ran ran = shell.release();
  CHECK(ran.status == 0);
  CHECK(ran.out.starts_with("web: released; was held, but nobody knows"));
  CHECK(shell.held() == 0);
}

TEST_CASE("a reason or a time that cannot be is exit status 2, and nothing is held") {
  Shell shell;
  const Ran reason = shell.hold("two\nlines");
  CHECK(reason.status == 2);
  CHECK(contains(reason.err, "error: --reason: a reason is one line"));
  const Ran until = shell.hold("", "yesterday");
  CHECK(until.status == 2);
  CHECK(contains(until.err, "error: --until: \"yesterday\" is no time"));
  CHECK(contains(until.err, "18:00"));
  CHECK(shell.hold("", "2026-11-22").status == 2);
  CHECK(shell.held() == 0);
}

TEST_CASE("a hold that cannot be written is exit status 1") {
  Shell shell;
  REQUIRE(::mkdir((shell.folder / "state").c_str(), 0700) == 0);
  shell.folder.write("state/holds", "");
  CHECK(shell.hold().status == 1);
  CHECK(shell.release().status == 1);
}
