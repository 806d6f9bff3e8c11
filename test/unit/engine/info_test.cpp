#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "unit/engine/fake_engine.hpp"
#include "unit/engine/recordings_20_10.hpp"
#include "unit/engine/recordings_26_1.hpp"
#include "unit/engine/recordings_26_1_containerd.hpp"

using tallyman::ErrorKind;
using tallyman::test::FakeEngine;

TEST_CASE("info of real engines") {
  struct Row {
    std::string_view body;
    const char* version;
    const char* api;
  };
  for (const Row& row : {Row{tallyman::test::k_engine20_info, "20.10.24+dfsg1", "1.41"},
                         Row{tallyman::test::k_engine26_info, "26.1.5+dfsg1", "1.45"},
                         Row{tallyman::test::k_containerd26_info, "26.1.5+dfsg1", "1.45"}}) {
    CAPTURE(row.version);
    FakeEngine fake(row.api);
    fake.on("GET /info", row.body);
    const auto info = fake.engine.info();
    REQUIRE(info);
    CHECK(info->name == "vm");
    CHECK(info->version == row.version);
    CHECK(info->api_version == row.api);
    CHECK(info->platform.str() == "linux/amd64");
    CHECK(info->socket == "/run/docker.sock");
    CHECK(info->insecure_cidrs == std::vector<std::string>{"127.0.0.0/8"});
    CHECK(info->insecure_registries == std::vector<std::string>{"harbor.test"});
  }
}

TEST_CASE("info says where images and containers are") {
  FakeEngine fake;
  fake.on("GET /info", R"({"DockerRootDir":"/srv/docker"})");
  const auto info = fake.engine.info();
  REQUIRE(info);
  CHECK(info->data_root == "/srv/docker");
}

TEST_CASE("info names the mirrors, Docker's of Docker Hub and Podman's of any registry") {
  using Mirrors = std::map<std::string, std::vector<std::string>>;
  FakeEngine fake;
  fake.on("GET /info", R"({"RegistryConfig":{"Mirrors":["https://mirror.lan/"],"IndexConfigs":{
      "docker.io":{"Name":"docker.io","Mirrors":["https://mirror.lan/"],"Secure":true}}}})");
  CHECK(fake.engine.info()->mirrors == Mirrors{{"docker.io", {"https://mirror.lan/"}}});
  CHECK_FALSE(fake.engine.info()->podman);

  FakeEngine podman;
  podman.ping(tallyman::test::podman_ping())
      .on("GET /info", R"({"RegistryConfig":{"Mirrors":[],"IndexConfigs":{
      "ghcr.io":{"Name":"ghcr.io","Mirrors":["a.lan/ghcr","b.lan"],"Secure":true},
      "127.0.0.1:5000":{"Name":"127.0.0.1:5000","Mirrors":[],"Secure":false}}}})");
  const auto info = podman.engine.info();
  REQUIRE(info);
  CHECK(info->mirrors == Mirrors{{"ghcr.io", {"a.lan/ghcr", "b.lan"}}});
  CHECK(info->insecure_registries == std::vector<std::string>{"127.0.0.1:5000"});
  CHECK(info->podman);
}

TEST_CASE("info of an engine that says little") {
  for (const char* const body :
       {"{}", R"({"RegistryConfig":null})",
        R"({"RegistryConfig":{"InsecureRegistryCIDRs":null,"IndexConfigs":null},"Name":null})",
        R"({"RegistryConfig":{"IndexConfigs":{"docker.io":{"Name":"docker.io"},"x":null}}})"}) {
    CAPTURE(body);
    FakeEngine fake;
    fake.on("GET /info", body);
    const auto info = fake.engine.info();
    REQUIRE(info);
    CHECK(info->name.empty());
    CHECK(info->insecure_cidrs.empty());
    CHECK(info->insecure_registries.empty());
  }
}

TEST_CASE("info with a field of the wrong type names it") {
  struct Row {
    const char* body;
    const char* field;
  };
  for (const Row& row :
       {Row{R"({"Name":7})", "field Name is a JSON number instead of a text"},
        Row{R"({"RegistryConfig":[]})",
            "field RegistryConfig is a JSON array instead of an object"},
        Row{R"({"RegistryConfig":{"InsecureRegistryCIDRs":"127.0.0.0/8"}})",
            "field RegistryConfig.InsecureRegistryCIDRs is a JSON string instead of an array of "
            "texts"},
        Row{R"({"RegistryConfig":{"InsecureRegistryCIDRs":["10.0.0.0/8",8]}})",
            "field RegistryConfig.InsecureRegistryCIDRs[1] is a JSON number instead of a text"},
        Row{R"({"RegistryConfig":{"IndexConfigs":{"a":{"Secure":"no"}}}})",
            "field RegistryConfig.IndexConfigs.a.Secure is a JSON string instead of true or false"},
        Row{R"({"RegistryConfig":{"IndexConfigs":{"a":1}}})",
            "field RegistryConfig.IndexConfigs.a is a JSON number instead of an object"}}) {
    CAPTURE(row.body);
    FakeEngine fake;
    fake.on("GET /info", row.body);
    const auto info = fake.engine.info();
    REQUIRE_FALSE(info);
    CHECK(info.error().kind == ErrorKind::protocol);
    CHECK(info.error().message ==
          "the Docker Engine's answer, its information: " + std::string(row.field));
  }
}
