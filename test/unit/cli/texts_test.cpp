#include <doctest/doctest.h>

#include "support/values.hpp"
#include "tallyman/cli/commands.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

ServiceStatus in(ServiceState state, std::string name = "web") {
  return {.name = std::move(name), .state = state, .reason_code = ReasonCode::up_to_date};
}

Config config_of(std::vector<std::string> watched, std::vector<std::string> broken = {}) {
  Config config;
  for (std::string& name : watched) {
    config.watches.push_back({.name = std::move(name), .file = "", .image = std::nullopt});
  }
  for (std::string& name : broken) {
    config.broken.push_back({std::move(name), {}});
  }
  return config;
}

}  // namespace

TEST_CASE("summary_text: what was done, what is well, and by name what is not") {
  CHECK(summary_text({}) == "no services configured");
  CHECK(summary_text({in(ServiceState::current)}) == "1 current");
  CHECK(summary_text({in(ServiceState::current, "a"), in(ServiceState::updated, "b"),
                      in(ServiceState::current, "c"), in(ServiceState::quarantined, "web-stg")}) ==
        "1 updated, 2 current, 1 quarantined (web-stg)");
  std::vector<ServiceStatus> all;
  for (const ServiceState state : k_all_states) {
    all.push_back(in(state, "x"));
  }
  all.push_back(in(ServiceState::pending, "y"));
  CHECK(summary_text(all) ==
        "1 updated, 1 current, 1 local, 1 pinned, 1 absent (x), 2 pending (x, y), 1 held (x), "
        "1 quarantined (x), 1 unknown (x), 1 rolled_back (x), 1 failed (x)");
}

TEST_CASE("exit_status_of: 1 if a service failed, is unknown or has an error; 4 if rolled back") {
  CHECK(exit_status_of({}) == 0);
  for (const ServiceState state : k_all_states) {
    CAPTURE(to_string(state));
    const bool bad = state == ServiceState::failed || state == ServiceState::unknown;
    const bool undone = state == ServiceState::rolled_back;
    CHECK(exit_status_of({in(ServiceState::current), in(state)}) == (bad ? 1 : undone ? 4 : 0));
    ServiceStatus with_error = in(state);
    with_error.error = Error{ErrorKind::transient, "cut"};
    CHECK(exit_status_of({in(ServiceState::current), with_error}) == (undone ? 4 : 1));
    // What is worse than a rollback counts, in whatever order.
    CHECK(exit_status_of({in(ServiceState::rolled_back), with_error}) == (undone ? 4 : 1));
    CHECK(exit_status_of({with_error, in(ServiceState::rolled_back)}) == (undone ? 4 : 1));
  }
}

TEST_CASE("short_digest") {
  CHECK(short_digest(id_of('2')) == "22222222");
  CHECK(short_digest("0123456789") == "01234567");
  CHECK(short_digest("sha256:12") == "12");
  CHECK(short_digest(std::nullopt) == "");
}

TEST_CASE("running_text: version and digest, as far as they are known") {
  CHECK(running_text({.reference = "x",
                      .running_digest = id_of('2'),
                      .image_id = id_of('a'),
                      .version = "v1.2.0"}) == "v1.2.0 22222222");
  CHECK(running_text({.reference = "x", .running_digest = id_of('2'), .image_id = id_of('a')}) ==
        "22222222");
  CHECK(running_text({.reference = "x", .image_id = id_of('a')}) == "aaaaaaaa");
  CHECK(running_text({.reference = "x"}) == "mixed");
  CHECK(running_text({.reference = "x", .image_id = id_of('a'), .version = "v\x1b[31m"}) ==
        "v\\x1b[31m aaaaaaaa");
  CHECK(running_text({.reference = "x",
                      .image_id = id_of('a'),
                      .version = "a-very-long-version-of-somebody"}) ==
        "a-very-long-version-of-s aaaaaaaa");
}

TEST_CASE("trouble_text: what, where, why and what to do") {
  ServiceStatus service = in(ServiceState::pending, "api-stg");
  service.reason_code = ReasonCode::pull_failed;
  service.images = {{.reference = "172.21.138.103/shop/api:staging",
                     .running_digest = id_of('2'),
                     .image_id = id_of('a'),
                     .version = "v1.2.0"}};
  service.error =
      Error{ErrorKind::tls,
            "dockerd: 172.21.138.103:443 connection refused, since it does not list this registry "
            "as insecure",
            "/etc/docker/daemon.json:\n  \"insecure-registries\": [\"172.21.138.103\"]"};
  CHECK(trouble_text(service, 80) ==
        "api-stg: PENDING, pull failed\n"
        "  image     172.21.138.103/shop/api:staging\n"
        "  running   v1.2.0 22222222\n"
        "  error     dockerd: 172.21.138.103:443 connection refused, since it does not\n"
        "            list this registry as insecure\n"
        "  fix       /etc/docker/daemon.json:\n"
        "              \"insecure-registries\": [\"172.21.138.103\"]\n"
        "  next      nothing was touched; tried again by a later run\n");
}

TEST_CASE("trouble_text says what tallyman does about it by itself") {
  struct Row {
    ServiceState state;
    bool quarantined;
    const char* next;
  };
  const Row rows[] = {
      {ServiceState::rolled_back, false, "tried again by a later run"},
      {ServiceState::rolled_back, true,
       "222222222222 is quarantined: left alone until its tag moves"},
      {ServiceState::failed, false, "tried again by the next run"},
      {ServiceState::failed, true, "left alone until its tag moves; look after it"},
      {ServiceState::pending, false, "nothing was touched; tried again by a later run"},
  };
  for (const Row& row : rows) {
    ServiceStatus service = in(row.state);
    service.error = Error{ErrorKind::process, "no good"};
    if (row.quarantined) {
      service.quarantined = {digest('2')};
    }
    const std::string text = trouble_text(service, 80);
    const char* see =
        row.state == ServiceState::pending ? "" : "  see       tallyman history web\n";
    CHECK(text.ends_with(fmt::format("  error     no good\n  next      {}\n{}", row.next, see)));
  }
  CHECK(trouble_text(in(ServiceState::rolled_back), 80).starts_with("web: ROLLED BACK, "));
}

TEST_CASE("trouble_text without an image and without a remedy") {
  ServiceStatus service = in(ServiceState::unknown, "bad");
  service.reason_code = ReasonCode::config_error;
  service.error = Error{ErrorKind::config, "no good"};
  CHECK(trouble_text(service, 80) ==
        "bad: UNKNOWN, config error\n"
        "  error     no good\n");
}

TEST_CASE("check_service_names knows drop-ins, broken ones too") {
  const Config config = config_of({"api", "web"}, {"bad"});
  CHECK(check_service_names(config, {}).has_value());
  CHECK(check_service_names(config, {"web", "bad", "api"}).has_value());
}

TEST_CASE("check_service_names suggests the nearest name, or tells them all") {
  const Config config = config_of({"api-stg", "web-stg"}, {"bad"});
  const Error slip = error_of(check_service_names(config, {"web-stg", "web-sgt"}));
  CHECK(slip.kind == ErrorKind::config);
  CHECK(slip.message == "no service web-sgt");
  CHECK(slip.remedy == "did you mean web-stg?");
  const Error other = error_of(check_service_names(config, {"database"}));
  CHECK(other.message == "no service database");
  CHECK(other.remedy == "known are: api-stg, bad, web-stg");
  const Error none = error_of(check_service_names({}, {"a\x1b[31m"}));
  CHECK(none.message == "no service a\\x1b[31m");
  CHECK(none.remedy == "known are: none");
}
