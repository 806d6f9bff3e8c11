#include <doctest/doctest.h>

#include "unit/deploy/bench.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

/// A project with everything that can be set but env files, which v1 has one of.
void fill(Bench& bench) {
  ComposeSettings& compose = bench.plan.compose;
  compose.files = {"/srv/shop/compose.yaml", "/srv/shop/prod.yaml"};
  compose.env_files = {"/srv/shop/.env"};
  compose.profiles = {"prod", "eu"};
  compose.environment = {{"CHANNEL", "stable"}, {"HOME", "/srv/home"}};
  compose.timeout = std::chrono::minutes(7);
  bench.plan.services.push_back(
      {.name = "worker", .reference = ref(k_web), .containers = {planned("shop", "worker")}});
  bench.plan.followers = {{.name = "vpn",
                           .reference = ref("vpn:3"),
                           .containers = {planned("shop", "vpn", 1), planned("shop", "vpn", 2),
                                          planned("shop", "vpn", 3)}}};
  bench.model(R"(services:
  web: {image: "harbor.lan/shop/web:1"}
  worker: {image: "harbor.lan/shop/web:1"}
  vpn: {image: "docker.io/library/vpn:3"}
  db: {image: "postgres:16"}
)");
}

struct Row {
  const char* tool;
  const char* version;
  const char* before;  ///< the options that depend on the version
  const char* config;
  const char* up;
};

constexpr const char* k_project =
    " -p shop --project-directory /srv/shop -f /srv/shop/compose.yaml -f /srv/shop/prod.yaml "
    "--env-file /srv/shop/.env --profile prod --profile eu";
constexpr const char* k_scaled =
    " --force-recreate --scale web=2 --scale worker=1 --scale vpn=3 web worker vpn";

const Row k_rows[] = {
    {"docker-compose", "1.25.0", " --no-ansi", " config", " up -d --no-deps --no-build"},
    {"docker-compose", "1.27.4", " --no-ansi", " config", " up -d --no-deps --no-build"},
    {"docker-compose", "1.29.2", " --ansi never", " config", " up -d --no-deps --no-build"},
    {"docker compose", "2.8.0", " --ansi never", " config web worker vpn",
     " up -d --no-deps --no-build --pull never"},
    {"docker compose", "2.26.1", " --ansi never --progress plain", " config web worker vpn",
     " up -d --no-deps --no-build --pull never"},
    {"docker compose", "5.1.0", " --ansi never --progress plain", " config web worker vpn",
     " up -d --no-deps --no-build --pull never"},
};

}  // namespace

TEST_CASE("ComposeTarget asks for the model and recreates, in the words of each compose") {
  for (const Row& row : k_rows) {
    CAPTURE(row.version);
    Bench bench;
    bench.process.prints(row.tool + std::string(" version"), row.version);
    fill(bench);
    const PreparedProject prepared = bench.prepared();
    const std::string begin = row.tool + std::string(row.before) + k_project;
    REQUIRE(bench.process.lines().size() >= 2);
    CHECK(bench.process.lines().back() == begin + row.config);
    CHECK(FakeProcess::line_of(prepared.recreate) == begin + row.up + k_scaled);
  }
}

TEST_CASE(
    "ComposeTarget runs compose in the project's folder, with its time and no more variables") {
  Bench bench;
  bench.v2("2.26.1");
  fill(bench);
  const Command up = bench.prepared().recreate;
  const Command config = bench.process.commands.back();
  const std::map<std::string, std::string> expected = {{"CHANNEL", "stable"},
                                                       {"DOCKER_HOST", "unix:///run/docker.sock"},
                                                       {"HOME", "/srv/home"},
                                                       {"PATH", "/usr/bin"}};
  CHECK((up.environment == expected));
  CHECK((config.environment == expected));
  CHECK(up.directory == "/srv/shop");
  CHECK(config.directory == "/srv/shop");
  CHECK((up.timeout == std::chrono::minutes(7)));
  CHECK((config.timeout == std::chrono::minutes(1)));
}

TEST_CASE("ComposeTarget leaves out what is not set") {
  Bench bench;
  bench.v2("2.26.1");
  bench.good_model();
  CHECK(FakeProcess::line_of(bench.prepared().recreate) ==
        "docker compose --ansi never --progress plain -p shop --project-directory /srv/shop "
        "up -d --no-deps --no-build --pull never --scale web=2 web");
}

TEST_CASE("ComposeTarget passes names with spaces and commas in one piece") {
  Bench bench;
  bench.v2("2.26.1");
  bench.good_model();
  bench.plan.compose.directory = "/srv/my shop";
  bench.plan.compose.files = {"/srv/my shop/a,b.yaml"};
  const std::vector<std::string> argv = bench.prepared().recreate.argv;
  CHECK(std::ranges::count(argv, "/srv/my shop/a,b.yaml") == 1);
  CHECK(std::ranges::count(argv, "/srv/my shop") == 1);
}

TEST_CASE("ComposeTarget: v2 takes several env files, v1 takes one") {
  const std::vector<std::string> two = {"/srv/shop/a.env", "/srv/shop/b.env"};
  Bench v2;
  v2.v2("2.26.1");
  v2.good_model();
  v2.plan.compose.env_files = two;
  CHECK(contains(FakeProcess::line_of(v2.prepared().recreate),
                 "--env-file /srv/shop/a.env --env-file /srv/shop/b.env"));

  Bench v1;
  v1.v1("1.29.2");
  v1.good_model();
  v1.plan.compose.env_files = two;
  const Error error = v1.refusal();
  CHECK(error.kind == ErrorKind::config);
  CHECK(error.message == "docker-compose 1.29.2 takes one env file, project shop has 2");
}

TEST_CASE("prepare touches nothing") {
  Bench bench;
  bench.v2("2.26.1");
  bench.good_model();
  (void)bench.prepared();
  for (const std::string& line : bench.process.lines()) {
    CHECK_FALSE(contains(line, " up "));
  }
  CHECK(bench.calls.empty());
}

TEST_CASE("recreate runs exactly what was prepared, and logs what compose says") {
  Bench bench;
  bench.v2("2.26.1");
  bench.good_model();
  bench.process.on(
      " up ",
      Exit{.code = 0, .out = "\n", .err = " Container shop-web-1  Recreate\n\nForged\x1b[31m\n"});
  const PreparedProject prepared = bench.prepared();
  REQUIRE(bench.target.recreate(prepared, bench.lock).has_value());
  CHECK(bench.process.lines().back() == FakeProcess::line_of(prepared.recreate));
  CHECK((bench.process.commands.back().environment == prepared.recreate.environment));
  CHECK(bench.process.commands.back().keep_fd == bench.lock.fd());
  const std::string log = bench.captured.text();
  CHECK(contains(log, "debug: running cd /srv/shop && docker compose --ansi never"));
  CHECK(contains(log, "\ncompose shop:  Container shop-web-1  Recreate\n"));
  CHECK(contains(log, "\ncompose shop: Forged\\x1b[31m\n"));
  CHECK_FALSE(contains(log, "compose shop: \n"));
}
