#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "unit/engine/fake_engine.hpp"
#include "unit/engine/recordings_20_10.hpp"
#include "unit/engine/recordings_26_1.hpp"
#include "unit/engine/recordings_26_1_containerd.hpp"
#include "unit/engine/recordings_of_life.hpp"

using std::string_literals::operator""s;
using tallyman::Container;
using tallyman::ContainerStatus;
using tallyman::ErrorKind;
using tallyman::Health;
using tallyman::Platform;
using tallyman::test::engine_error;
using tallyman::test::FakeEngine;

namespace {

Container inspected(std::string_view body) {
  FakeEngine fake;
  fake.on("GET /containers/web/json", body);
  const auto container = fake.engine.inspect_container("web");
  REQUIRE(container);
  return *container;
}

}  // namespace

TEST_CASE("a container that ran and ended") {
  const Container gone = inspected(tallyman::test::k_engine20_gone);
  CHECK(gone.name == "gone");
  CHECK(gone.id.size() == 64);
  CHECK(gone.image == "harbor.lan/shop/web:stable");
  CHECK(gone.image_id == "sha256:9cc18c8a8511f274490f3ebb99f1499c365014f22a188d572bc6e7319a95c5c7");
  CHECK(gone.status == ContainerStatus::exited);
  CHECK(gone.exit_code == 1);
  CHECK(gone.restarts == 0);
  CHECK(gone.health == Health::unhealthy);
  REQUIRE(gone.started);
  CHECK(tallyman::format_rfc3339(*gone.started) == "2026-11-22T20:05:17.965Z");
}

TEST_CASE("exit codes are those of containers that do not run") {
  const auto with_status = [](const char* status) {
    return inspected(fmt::format(R"({{"Id":"a","Name":"/web","RestartCount":3,
                         "State":{{"Status":"{}","ExitCode":127}}}})",
                                 status));
  };
  CHECK_FALSE(with_status("running").exit_code);
  CHECK_FALSE(with_status("paused").exit_code);
  for (const char* const status : {"created", "restarting", "exited", "dead", "removing", "new"}) {
    CAPTURE(status);
    CHECK(with_status(status).exit_code == 127);
    CHECK(with_status(status).restarts == 3);
  }
}

TEST_CASE("a container that was never started has no start") {
  const Container container = inspected(
      R"({"Id":"a","Name":"/web","State":{"Status":"created","StartedAt":"0001-01-01T00:00:00Z"}})");
  CHECK_FALSE(container.started);
}

TEST_CASE("health of an inspect: none, podman's empty text, an unknown one") {
  const auto health = [](const char* json) {
    return inspected(
               fmt::format(R"({{"Id":"a","State":{{"Status":"running","Health":{}}}}})", json))
        .health;
  };
  CHECK(health("null") == Health::none);
  CHECK(health("{}") == Health::none);
  CHECK(health(R"({"Status":""})") == Health::none);
  CHECK(health(R"({"Status":"none"})") == Health::none);
  CHECK(health(R"({"Status":"reset"})") == Health::none);
  CHECK(health(R"({"Status":"starting"})") == Health::starting);
  CHECK(health(R"({"Status":"unhealthy"})") == Health::unhealthy);
}

TEST_CASE("the output of the newest health check") {
  for (const std::string_view body :
       {tallyman::test::k_engine20_sick, tallyman::test::k_engine26_sick}) {
    const Container sick = inspected(body);
    CHECK(sick.health == Health::unhealthy);
    CHECK(sick.health_output == "connection refused\n");
    CHECK(sick.start_error.empty());
    CHECK_FALSE(sick.oom_killed);
  }
  const auto output = [](const std::string& log) {
    return inspected(R"({"Id":"a","State":{"Health":{"Log":)" + log + "}}}").health_output;
  };
  CHECK(output("null").empty());
  CHECK(output("[]").empty());
  CHECK(output("[null]").empty());
  CHECK(output(R"([{"Output":"old"},{"Output":"new"}])") == "new");
}

TEST_CASE("output is bounded, and not cut within a character") {
  const std::string fits(4096, 'x');
  const auto output = [](const std::string& text) {
    return inspected(R"({"Id":"a","State":{"Health":{"Log":[{"Output":")" + text + "\"}]}}}")
        .health_output;
  };
  CHECK(output(fits) == fits);
  CHECK(output(fits + "y") == fits);
  CHECK(output(fits.substr(1) + "ü") == fits.substr(1));
  CHECK(output(fits.substr(2) + "ü") == fits.substr(2) + "ü");
}

TEST_CASE("why a container could not be started") {
  CHECK(inspected(tallyman::test::k_engine20_unstartable).start_error ==
        "failed to create shim task: OCI runtime create failed: runc create failed: unable to "
        "start container process: exec: \"/no/such/program\": stat /no/such/program: no such file "
        "or directory: unknown");
  const Container bad = inspected(tallyman::test::k_engine26_unstartable);
  CHECK(bad.start_error.starts_with("failed to create task for container: failed to create shim"));
  CHECK(bad.status == ContainerStatus::created);
  CHECK(bad.exit_code == 127);
}

TEST_CASE("a container that ran out of memory") {
  CHECK(inspected(R"({"Id":"a","State":{"Status":"exited","OOMKilled":true}})").oom_killed);
}

TEST_CASE("an inspect that cannot be understood names the field") {
  struct Row {
    const char* body;
    const char* trouble;
  };
  for (const Row& row :
       {Row{"[]", "is a JSON array instead of an object"},
        Row{R"({"Name":"/web"})", "field Id is missing"},
        Row{R"({"Id":"a","RestartCount":4294967296})", "field RestartCount is out of range"},
        Row{R"({"Id":"a","State":"running"})", "field State is a JSON string instead of an object"},
        Row{R"({"Id":"a","State":{"StartedAt":"soon"}})", "field State.StartedAt is no time"},
        Row{R"({"Id":"a","State":{"Health":{"Status":[]}}})",
            "field State.Health.Status is a JSON array instead of a text"},
        Row{R"({"Id":"a","State":{"Health":{"Log":{}}}})",
            "field State.Health.Log is a JSON object instead of an array of objects"},
        Row{R"({"Id":"a","State":{"Health":{"Log":[{},{"Output":1}]}}})",
            "field State.Health.Log[1].Output is a JSON number instead of a text"},
        Row{R"({"Id":"a","State":{"OOMKilled":1}})",
            "field State.OOMKilled is a JSON number instead of true or false"}}) {
    CAPTURE(row.body);
    FakeEngine fake;
    fake.on("GET /containers/web/json", row.body);
    const auto container = fake.engine.inspect_container("web");
    REQUIRE_FALSE(container);
    CHECK(container.error().kind == ErrorKind::protocol);
    CHECK(container.error().message.ends_with(row.trouble));
  }
}

TEST_CASE("a container that is not there") {
  FakeEngine fake;
  fake.on("GET /containers/web/json", engine_error(404, "No such container: web"));
  const auto container = fake.engine.inspect_container("web");
  REQUIRE_FALSE(container);
  CHECK(container.error().kind == ErrorKind::not_found);
  CHECK(container.error().message ==
        "the Docker Engine could not inspect container web: No such container: web");
}

TEST_CASE("images of real engines; only the old one has what compose v1 needs") {
  struct Row {
    std::string_view body;
    const char* id;
    bool has_container_config;
  };
  const auto config = "sha256:73013bcbe83b66671a0dd0a9604fe93594d73016916c18de4acb5024d8275aa4";
  const auto digest = "sha256:cc5d72b444d7c809504c829c789789865729b4b7be9230773faad646d25a0910";
  for (const Row& row : {Row{tallyman::test::k_engine20_image, config, true},
                         Row{tallyman::test::k_engine26_image, config, false},
                         Row{tallyman::test::k_containerd26_image, digest, false}}) {
    FakeEngine fake;
    fake.on("GET /images/harbor.lan/shop/web:stable/json", row.body);
    const auto detail = fake.engine.inspect_image("harbor.lan/shop/web:stable");
    REQUIRE(detail);
    CHECK(detail->image.id == row.id);
    CHECK(detail->image.repo_tags == std::vector{"harbor.lan/shop/web:stable"s});
    CHECK(detail->image.repo_digests == std::vector{"harbor.lan/shop/web@"s + digest});
    CHECK(detail->image.labels.get("org.opencontainers.image.version") == "v2.0.0");
    REQUIRE(detail->image.created);
    CHECK(tallyman::format_rfc3339(*detail->image.created) == "2024-01-01T00:00:00Z");
    CHECK(detail->image.size > 4'000'000);
    CHECK(detail->platform == Platform{"linux", "amd64"});
    CHECK(detail->has_container_config == row.has_container_config);
  }
}

TEST_CASE("ContainerConfig counts only as an object") {
  const auto has = [](const char* json) {
    FakeEngine fake;
    fake.on("GET /images/nginx/json",
            fmt::format(R"({{"Id":"sha256:1","ContainerConfig":{}}})", json));
    const auto detail = fake.engine.inspect_image("nginx");
    REQUIRE(detail);
    return detail->has_container_config;
  };
  CHECK(has("{}"));
  CHECK_FALSE(has("null"));
}

TEST_CASE("the platform with its variant") {
  FakeEngine fake;
  fake.on("GET /images/nginx/json",
          R"({"Id":"sha256:1","Os":"linux","Architecture":"arm","Variant":"v6","Config":null})");
  const auto detail = fake.engine.inspect_image("nginx");
  REQUIRE(detail);
  CHECK(detail->platform == Platform{"linux", "arm", "v6"});
}

TEST_CASE("references stay readable in the path, and nothing can leave it") {
  struct Row {
    const char* name;
    const char* path;
  };
  for (const Row& row :
       {Row{"nginx", "nginx"}, Row{"harbor.lan:8443/a/b_c:1.0", "harbor.lan:8443/a/b_c:1.0"},
        Row{"nginx@sha256:00ff", "nginx@sha256:00ff"}, Row{"a b", "a%20b"},
        Row{"a?all=1#x%2f", "a%3Fall%3D1%23x%252f"}, Row{"a\r\nb", "a%0D%0Ab"},
        Row{"grüße", "gr%C3%BC%C3%9Fe"}, Row{"a\\b&c", "a%5Cb%26c"}}) {
    CAPTURE(row.name);
    FakeEngine fake;
    CHECK_FALSE(fake.engine.inspect_image(row.name));
    CHECK(fake.asked() == std::vector{"GET /v1.41/images/"s + row.path + "/json"});
  }
  for (const char* const name : {"", "/", "..", "a/../b", "./a", "a//b", "/a", "a/"}) {
    CAPTURE(name);
    FakeEngine fake;
    const auto detail = fake.engine.inspect_image(name);
    REQUIRE_FALSE(detail);
    CHECK(detail.error().kind == ErrorKind::not_found);
    CHECK(detail.error().message == "no image can be called \""s + name + "\"");
    CHECK_FALSE(fake.engine.inspect_container(name));
    CHECK(fake.http.requests.empty());
  }
}
