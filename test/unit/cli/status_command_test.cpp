#include <doctest/doctest.h>

#include "support/fake_clock.hpp"
#include "support/temp_folder.hpp"
#include "tallyman/cli/commands.hpp"
#include "unit/cli/screen.hpp"
#include "unit/report/documents.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

struct Shown {
  int status;
  std::string out;
  std::string err;
};

Shown show_file(const std::string& path, bool json = false, Terminal::Options options = {}) {
  FakeClock clock;
  clock.wall = at("2026-11-22T19:47:30Z");
  Screen screen(options);
  const CapturedStderr captured;
  Log log({});
  const int status = status_command(path, json, clock, screen.terminal, log);
  return {status, screen.text(), captured.text()};
}

Shown show(const StatusDocument& status, bool json = false, Terminal::Options options = {}) {
  const TempFolder folder;
  REQUIRE(save_status(folder / "status.json", status).has_value());
  return show_file(folder / "status.json", json, options);
}

ServiceStatus running(std::string name, ServiceState state, const char* version,
                      std::string_view since) {
  ServiceStatus service = service_in(state, std::move(name));
  service.images = {{.reference = std::string(k_web),
                     .running_digest = id_of('9'),
                     .image_id = id_of('a'),
                     .version = version}};
  service.containers = {{.id = "c",
                         .name = "c",
                         .project = "",
                         .service = "",
                         .reference = "",
                         .since = at(since),
                         .status = "running",
                         .health = "none"}};
  return service;
}

/// The example of the design, and more.
StatusDocument example() {
  StatusDocument status = document_of({});
  status.services.push_back(
      running("api-prod", ServiceState::current, "v1.2.0", "2026-11-10T12:00:00Z"));
  status.services.push_back(
      running("api-stg", ServiceState::updated, "v1.3.0", "2026-11-22T19:45:10Z"));
  status.services.back().reason = "222222222222 deployed";
  status.services.push_back(
      running("both", ServiceState::pending, "v1.3.0", "2026-11-22T16:45:10Z"));
  status.services.back().images.push_back({.reference = "nginx:1"});
  status.services.back().reason = "222222222222 is available, and mode is notify";
  status.services.push_back(service_in(ServiceState::absent, "gone"));
  status.services.back().reason = "no running container of harbor.lan/shop/gone:1";
  return status;
}

}  // namespace

TEST_CASE("status shows a table that can be read at 80 columns") {
  const Shown shown = show(example());
  CHECK(shown.status == 0);
  CHECK(shown.err == "");
  CHECK(shown.out ==
        "deploy-01, last run 2 min ago: attention\n"
        "SERVICE   STATE    RUNNING          SINCE  REASON\n"
        "api-prod  current  v1.2.0 99999999  12 d\n"
        "api-stg   updated  v1.3.0 99999999  2 min\n"
        "both      pending  v1.3.0 99999999  3 h    222222222222 is available, and mode\n"
        "                                           is notify\n"
        "                   mixed                   nginx:1\n"
        "gone      absent                           no running container of\n"
        "                                           harbor.lan/shop/gone:1\n");
}

TEST_CASE("status colours the states on a terminal only") {
  CHECK_FALSE(contains(show(example()).out, "\x1b"));
  const std::string coloured = show(example(), false, {.colour = true}).out;
  CHECK(contains(coloured, "last run 2 min ago: \x1b[33mattention\x1b[0m\n"));
  CHECK(contains(coloured, "\x1b[32mcurrent\x1b[0m  v1.2.0"));
  CHECK(contains(coloured, "\x1b[33mpending\x1b[0m  v1.3.0"));
}

TEST_CASE("status exits with what the run found") {
  CHECK(show(document_of({ServiceState::current, ServiceState::pending})).status == 0);
  CHECK(show(document_of({ServiceState::failed})).status == 1);
  CHECK(show(document_of({ServiceState::unknown})).status == 1);
  StatusDocument with_error = document_of({ServiceState::pending});
  with_error.services[0].error = Error{ErrorKind::transient, "cut"};
  CHECK(show(with_error).status == 1);
  CHECK(contains(show(document_of({ServiceState::failed})).out, ": failed\n"));
}

TEST_CASE("status --json prints the file") {
  const Shown shown = show(example(), true);
  CHECK(shown.status == 0);
  CHECK(shown.out == status_to_json(example()));
  CHECK(show(document_of({ServiceState::failed}), true).status == 1);
}

TEST_CASE("status of a run without services") {
  const Shown shown = show(document_of({}));
  CHECK(shown.status == 0);
  CHECK(shown.out == "deploy-01, last run 2 min ago: ok\nno services configured\n");
}

TEST_CASE("status of a run that ends in the future is not older than now") {
  StatusDocument status = document_of({});
  status.finished_at = at("2026-11-22T20:00:00Z");
  CHECK(contains(show(status).out, "last run 0 ms ago"));
}

TEST_CASE("status without a file says that nothing has run, and is no success") {
  for (const bool json : {false, true}) {
    const TempFolder folder;
    const Shown shown = show_file(folder / "none.json", json);
    CHECK(shown.status == 1);
    CHECK(shown.out == "");
    CHECK(shown.err == "error: no status file " + (folder / "none.json") +
                           ": no run has finished yet: start one with: tallyman run\n");
  }
}
