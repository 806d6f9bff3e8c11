#include <doctest/doctest.h>

#include "unit/deploy/bench.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

/// With a v2 that works.
struct Working : Bench {
  Working() { v2("2.26.1"); }
  [[nodiscard]] Error up_failure(Exit exit) {
    good_model();
    process.on(" up ", std::move(exit));
    return error_of(target.recreate(prepared(), lock));
  }
};

}  // namespace

TEST_CASE("ComposeTarget refuses to deploy another tag than the watched one") {
  struct Row {
    const char* model;
    const char* resolved;
  };
  for (const Row& row :
       {Row{"{image: harbor.lan/shop/web:2}", "harbor.lan/shop/web:2"},
        Row{"{image: 'harbor.lan/shop/web:'}", "harbor.lan/shop/web:"}, Row{"{image: web}", "web"},
        Row{"{build: .}", "none"}, Row{"{image: \"a\\eb\"}", "a\\x1bb"}}) {
    CAPTURE(row.model);
    Working bench;
    bench.model(std::string("services: {web: ") + row.model + "}");
    const Error error = bench.refusal();
    CHECK(error.kind == ErrorKind::config);
    CHECK(error.message == std::string("compose resolves the image of service web to ") +
                               row.resolved + ", but its containers run harbor.lan/shop/web:1");
    for (const char* word : {".env file", "env_files", "[compose] environment", "by hand"}) {
      CHECK(contains(error.remedy, word));
    }
  }
}

TEST_CASE("ComposeTarget compares what references mean, not how they are written") {
  Working bench;
  bench.plan.services[0].reference = ref("nginx");
  bench.model("services: {web: {image: docker.io/library/nginx:latest}}");
  CHECK(bench.target.prepare(bench.plan).has_value());
}

TEST_CASE("ComposeTarget checks every service, followers too") {
  Working bench;
  bench.plan.services.push_back({.name = "worker", .reference = ref(k_web)});
  bench.plan.followers = {{.name = "vpn", .reference = ref("vpn:3")}};
  bench.model(R"(services: {web: {image: harbor.lan/shop/web:1}, vpn: {image: "vpn:4"},
    worker: {image: harbor.lan/shop/web:1}})");
  CHECK(bench.refusal().message ==
        "compose resolves the image of service vpn to vpn:4, but its containers run vpn:3");
}

TEST_CASE("ComposeTarget refuses a service that compose does not know") {
  Working bench;
  bench.model("services: {api: {image: harbor.lan/shop/web:1}}");
  const Error error = bench.refusal();
  CHECK(error.kind == ErrorKind::config);
  CHECK(error.message == "compose knows no service web in project shop (/srv/shop)");
  CHECK(contains(error.remedy, "files and profiles"));
}

TEST_CASE("ComposeTarget passes on what compose objects to in its files") {
  Working bench;
  bench.process.on(" config", Exit{.code = 14,
                                   .out = "half a model",
                                   .err = "time=\"now\" level=warning\nyaml: line 3: no key\n\n"});
  const Error error = bench.refusal();
  CHECK(error.kind == ErrorKind::process);
  CHECK(error.message ==
        "compose config: exit status 14: time=\"now\" level=warning; yaml: line 3: no key");
}

TEST_CASE("ComposeTarget says how compose ended where that is no exit status") {
  Working slow;
  slow.process.on(" config", Exit{.signal = 15, .timed_out = true});
  CHECK(slow.refusal().message == "compose config: timed out after 1 min");

  Working killed;
  killed.process.on(" config", Exit{.signal = 9, .out = "on stdout\n"});
  CHECK(killed.refusal().message == "compose config: killed by signal 9");

  Working gone;
  gone.process.on(" config", std::unexpected(Error{ErrorKind::process, "no folder /srv/shop"}));
  CHECK(gone.refusal().message == "no folder /srv/shop");
}

TEST_CASE("ComposeTarget refuses a model that is none") {
  Working bench;
  bench.model("WARNING: something: [");
  CHECK(bench.refusal().kind == ErrorKind::protocol);
}

TEST_CASE("recreate tells how up failed") {
  Working bench;
  const Error error = bench.up_failure(
      {.code = 1, .out = "not this", .err = " Container shop-web-1  Recreate\nport is taken\n"});
  CHECK(error.kind == ErrorKind::process);
  CHECK(error.message ==
        "compose up of project shop: exit status 1:  Container shop-web-1  Recreate; port is "
        "taken");

  Working slow;
  slow.plan.compose.timeout = std::chrono::minutes(7);
  CHECK(slow.up_failure({.signal = 15, .timed_out = true}).message ==
        "compose up of project shop: timed out after 7 min");
}

TEST_CASE("recreate shows the end of a long output, in whole lines that cannot forge any") {
  std::string output;
  for (int i = 0; i < 200; ++i) {
    output += fmt::format("line {} of the output\n", i);
  }
  Working bench;
  const std::string message =
      bench.up_failure({.code = 1, .err = output + "\x1b[31mError: boom\r\n"}).message;
  CHECK(message.starts_with("compose up of project shop: exit status 1: line 1"));
  CHECK(contains(message, "line 199 of the output; \\x1b[31mError: boom\\x0d"));
  CHECK_FALSE(contains(message, "line 150 "));
  CHECK(message.size() < 500);
}

TEST_CASE("recreate shows the end of one very long line") {
  Working bench;
  const std::string message =
      bench.up_failure({.code = 1, .err = std::string(5000, 'x') + " the end"}).message;
  CHECK(message.ends_with("xxx the end"));
  CHECK(message.size() < 500);
}

TEST_CASE("recreate fails where compose cannot be started") {
  Working bench;
  bench.good_model();
  const PreparedProject prepared = bench.prepared();
  const auto recreated = bench.target.recreate(prepared, bench.lock);
  CHECK(error_of(recreated).message == "docker: not found in PATH /usr/bin");
}
