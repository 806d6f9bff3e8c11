#include <doctest/doctest.h>

#include "unit/deploy/bench.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

/// What a host has, and which of the two is taken: "" for none.
struct Row {
  const char* what;
  const char* v2;  ///< version, "" where it is not installed
  const char* v1;
  bool made_by_v1;
  bool container_config;
  const char* taken;
};

}  // namespace

TEST_CASE("ComposeTarget prefers the generation that made the containers") {
  const Row rows[] = {
      {"v2 alone", "2.26.1", "", false, true, "docker compose"},
      {"both", "2.26.1", "1.29.2", false, true, "docker compose"},
      {"both, made by v1", "2.26.1", "1.29.2", true, true, "docker-compose"},
      {"both, made by v1, on an engine that v1 cannot use", "2.26.1", "1.29.2", true, false,
       "docker compose"},
      {"v1 alone", "", "1.29.2", true, true, "docker-compose"},
      {"v1 alone, made by v2", "", "1.29.2", false, true, "docker-compose"},
      {"v2 alone, made by v1", "2.26.1", "", true, true, "docker compose"},
      {"v1 alone, on an engine that it cannot use", "", "1.29.2", true, false, ""},
      {"v2 alone, which needs no ContainerConfig", "2.8.0", "", false, false, "docker compose"},
      {"v2 is too old", "2.7.0", "", false, true, ""},
      {"v2 is too old, v1 can do it", "2.7.0", "1.29.2", false, true, "docker-compose"},
      {"v2 is too old, v1 cannot do it", "2.7.0", "1.29.2", false, false, ""},
      {"docker-compose is a v2", "", "2.30.0", true, false, "docker-compose"},
      {"v5", "5.1.0", "1.29.2", false, true, "docker compose"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Bench bench;
    if (*row.v2 != '\0') {
      bench.v2(row.v2);
    }
    if (*row.v1 != '\0') {
      bench.v1(row.v1);
    }
    bench.good_model();
    bench.plan.created_by_v1 = row.made_by_v1;
    if (!row.container_config) {
      bench.without_container_config();
    }
    const auto prepared = bench.target.prepare(bench.plan);
    CHECK(prepared.has_value() == (*row.taken != '\0'));
    if (prepared) {
      CHECK(FakeProcess::line_of(prepared->recreate).starts_with(row.taken + std::string(" --")));
    }
  }
}

TEST_CASE("ComposeTarget refuses v1 on an engine without ContainerConfig before anything runs") {
  Bench bench;
  bench.v1("1.29.2");
  bench.plan.created_by_v1 = true;
  bench.without_container_config();
  const Error error = bench.refusal();
  CHECK(error.kind == ErrorKind::config);
  CHECK(error.message ==
        "docker-compose 1.29.2 cannot recreate containers on this engine: its images have no "
        "ContainerConfig any more, and compose v1 fails half way");
  CHECK(error.remedy == "install docker compose v2");
  CHECK(bench.process.lines() ==
        Calls{"docker-compose version --short", "docker compose version --short"});
}

TEST_CASE("ComposeTarget refuses a v2 without up --pull") {
  Bench bench;
  bench.v2("v2.7.0");
  const Error error = bench.refusal();
  CHECK(error.kind == ErrorKind::config);
  CHECK(error.message == "docker compose 2.7.0 is too old: up --pull never came with 2.8");
  CHECK(error.remedy == "install a newer docker compose");
}

TEST_CASE("ComposeTarget without any compose says what it tried") {
  Bench bench;
  bench.process.on("docker compose version",
                   Exit{.code = 1, .err = "docker: 'compose' is not a docker command.\n"});
  const Error error = bench.refusal();
  CHECK(error.kind == ErrorKind::config);
  CHECK(error.message ==
        "no usable Docker Compose: docker compose version: exit status 1: docker: 'compose' is not "
        "a docker command.; docker-compose: not found in PATH /usr/bin");
  CHECK(error.remedy == "install docker compose v2, or set command under [compose]");
}

TEST_CASE("ComposeTarget does not take everything for a compose") {
  Bench bench;
  bench.process.prints("docker compose version", "Docker\x1b version unknown\n");
  const Error error = bench.refusal();
  CHECK(contains(error.message,
                 "docker compose version --short printed no version: Docker\\x1b version unknown"));
}

TEST_CASE("ComposeTarget tries the configured command and no other") {
  Bench bench;
  bench.plan.compose.command = {"/opt/bin/compose", "--tls"};
  bench.v2("2.26.1");
  CHECK(contains(bench.refusal().message, "/opt/bin/compose: not found"));
  CHECK(bench.process.lines() == Calls{"/opt/bin/compose --tls version --short"});

  Bench with;
  with.plan.compose.command = {"/opt/bin/compose", "--tls"};
  with.process.prints("/opt/bin/compose --tls version", "2.26.1");
  with.good_model();
  CHECK(FakeProcess::line_of(with.prepared().recreate)
            .starts_with("/opt/bin/compose --tls --ansi never"));
}

TEST_CASE("ComposeTarget asks each compose for its version once") {
  Bench bench;
  bench.v2("2.26.1");
  bench.good_model();
  (void)bench.prepared();
  (void)bench.prepared();
  CHECK(bench.process.commands.size() == 3);
  CHECK(bench.process.lines().front() == "docker compose version --short");
  CHECK((bench.process.commands.front().environment == bench.environment));
}

TEST_CASE("ComposeTarget does not guess what an engine has that cannot be asked") {
  Bench bench;
  bench.v1("1.29.2");
  bench.v2("2.26.1");
  bench.plan.created_by_v1 = true;
  bench.engine.fails("inspect", {ErrorKind::transient, "engine: connection refused"});
  const Error error = bench.refusal();
  CHECK(error.kind == ErrorKind::transient);
  CHECK(error.message == "engine: connection refused");
}
