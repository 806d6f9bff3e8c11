#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "support/values.hpp"
#include "unit/engine/fake_engine.hpp"

using tallyman::Container;
using tallyman::ContainerStatus;
using tallyman::ErrorKind;
using tallyman::Health;
using tallyman::Host;
using tallyman::Image;
using tallyman::test::at;
using tallyman::test::engine_error;
using tallyman::test::FakeEngine;
using tallyman::test::podman_ping;

namespace {

// Recorded of Podman 4.3.1: web, whose health check has passed, app in web's network, and one that
// has ended. The lists have neither HostConfig nor the health.
constexpr std::string_view k_containers = R"([
{"Id":"0f6a69bbeb35c49bdadcc82d7039ed7ceecd7457438a5ff25b0803ede03ccda2","Names":["/shop-web-1"],"Image":"harbor.lan/shop/web:stable","ImageID":"sha256:4d58cdd2fe34769ae47898d109400ca8fcc5c70cccfbb94faf47d9a98df4d952","Command":"/bin/httpd -f -p 80 -h /www","Created":1795827388,"Ports":[],"Labels":{"com.docker.compose.project":"shop","com.docker.compose.service":"web"},"State":"running","Status":"Up 12 minutes","NetworkSettings":{"Networks":{"shop_default":{"IPAMConfig":null,"Links":null}}},"Mounts":[],"Name":"","Config":null,"NetworkingConfig":null,"Platform":null,"AdjustCPUShares":false},
{"Id":"38a71522bd485a803e6cc8897495bffccd098580951afcb25d27c1b33572e040","Names":["/shop-app-1"],"Image":"harbor.lan/shop/app:1","ImageID":"sha256:372a7236c6d795d968c2776af47643f5137fd9caaf2eac58261a1a8037885c9c","Created":1795827388,"Labels":{"com.docker.compose.project":"shop","com.docker.compose.service":"app"},"State":"running","Status":"Up 12 minutes","NetworkSettings":{"Networks":{"shop_default":{}}},"Config":null,"Platform":null},
{"Id":"aa","Names":["/old"],"Image":"harbor.lan/shop/web:stable","ImageID":"sha256:4d58cdd2fe34769ae47898d109400ca8fcc5c70cccfbb94faf47d9a98df4d952","Created":1795827388,"Labels":{},"State":"exited","Status":"Exited (0) 3 minutes ago"}])";
constexpr std::string_view k_web =
    R"({"Id":"0f6a69bbeb35c49bdadcc82d7039ed7ceecd7457438a5ff25b0803ede03ccda2","Created":"2026-11-28T00:56:28.365553267Z","State":{"Status":"running","Running":true,"Paused":false,"OOMKilled":false,"Dead":false,"ExitCode":0,"Error":"","StartedAt":"2026-11-28T00:56:31.28683604Z","FinishedAt":"0001-01-01T00:00:00Z","Health":{"Status":"healthy","FailingStreak":0,"Log":[{"Start":"2026-11-28T00:56:35.562867181Z","End":"2026-11-28T00:56:36.827058318Z","ExitCode":0,"Output":""}]}},"Image":"sha256:4d58cdd2fe34769ae47898d109400ca8fcc5c70cccfbb94faf47d9a98df4d952","Name":"/shop-web-1","RestartCount":0,"HostConfig":{"NetworkMode":"bridge"},"Config":{"Image":"harbor.lan/shop/web:stable","Labels":{"com.docker.compose.project":"shop","com.docker.compose.service":"web"}}})";
constexpr std::string_view k_app =
    R"({"Id":"38a71522bd485a803e6cc8897495bffccd098580951afcb25d27c1b33572e040","Name":"/shop-app-1","Image":"sha256:372a7236c6d795d968c2776af47643f5137fd9caaf2eac58261a1a8037885c9c","Created":"2026-11-28T00:56:28.720041889Z","RestartCount":0,"State":{"Status":"running","OOMKilled":false,"ExitCode":0,"Error":"","StartedAt":"2026-11-28T00:56:40.630012438Z","Health":{"Status":"","FailingStreak":0,"Log":null}},"Config":{"Image":"harbor.lan/shop/app:1","Labels":{"com.docker.compose.project":"shop","com.docker.compose.service":"app"}},"HostConfig":{"NetworkMode":"container:0f6a69bbeb35c49bdadcc82d7039ed7ceecd7457438a5ff25b0803ede03ccda2"}})";
// An image whose name has moved on has neither tags nor digests; one that was pulled by digest has
// that among its tags; every name has every digest.
constexpr std::string_view k_images = R"([
{"Id":"sha256:372a7236c6d795d968c2776af47643f5137fd9caaf2eac58261a1a8037885c9c","ParentId":"","RepoTags":null,"RepoDigests":[],"Created":1704067200,"Size":2008625,"Labels":{"org.opencontainers.image.version":"v1"},"Containers":1,"Names":null,"Digest":"sha256:e3c1d2254f38e0a3a86c1fd60f8e55cf4cf3b7c9e19f77af4fafc38370c0ff26","History":null},
{"Id":"sha256:4d58cdd2fe34769ae47898d109400ca8fcc5c70cccfbb94faf47d9a98df4d952","ParentId":"","RepoTags":["harbor.lan/shop/web:stable","harbor.lan/shop/web@sha256:90fdb0633a2437b852c224ca6e624f86c4064253d4ab691dc21e35621ff5e41a"],"RepoDigests":["harbor.lan/shop/web@sha256:90fdb0633a2437b852c224ca6e624f86c4064253d4ab691dc21e35621ff5e41a","localhost/web@sha256:90fdb0633a2437b852c224ca6e624f86c4064253d4ab691dc21e35621ff5e41a"],"Created":1704067200,"Size":2008625,"Labels":null,"Containers":1}])";

std::string inspect_line(std::string_view list, int which) {
  std::size_t start = 0;
  for (int i = 0; i <= which; ++i) {
    start = list.find(R"({"Id":")", start) + 7;
  }
  return "GET /containers/" + std::string(list.substr(start, 64)) + "/json";
}

FakeEngine& as_podman(FakeEngine& fake) {
  return fake.ping(podman_ping())
      .lists(k_containers, k_images)
      .on(inspect_line(k_containers, 0), k_web)
      .on(inspect_line(k_containers, 1), k_app);
}

}  // namespace

TEST_CASE("podman: what its list does not tell of a running container is inspected") {
  FakeEngine fake;
  const auto host = as_podman(fake).engine.observe();
  REQUIRE(host);
  CHECK(host->podman);
  CHECK(fake.asked() ==
        std::vector<std::string>{"GET /v1.41/containers/json?all=1", "GET /v1.41/images/json",
                                 "GET /v1.41" + inspect_line(k_containers, 0).substr(4),
                                 "GET /v1.41" + inspect_line(k_containers, 1).substr(4)});
  REQUIRE(host->containers.size() == 3);
  const Container& web = host->containers[0];
  CHECK(web.name == "shop-web-1");
  CHECK(web.image == "harbor.lan/shop/web:stable");
  CHECK(web.health == Health::healthy);
  CHECK(web.network_mode == "bridge");
  CHECK(web.restarts == 0);
  const Container& app = host->containers[1];
  CHECK(app.health == Health::none);
  CHECK(app.network_mode == "container:" + web.id);
  CHECK(host->containers[2].status == ContainerStatus::exited);

  const Image* const of_web = host->image_of(web);
  REQUIRE(of_web != nullptr);
  CHECK(of_web->repo_tags == std::vector<std::string>{"harbor.lan/shop/web:stable"});
  CHECK(of_web->repo_digests.size() == 2);
  const Image* const of_app = host->image_of(app);
  REQUIRE(of_app != nullptr);
  CHECK(of_app->repo_tags.empty());
  CHECK(of_app->repo_digests.empty());
  CHECK(of_app->labels.get("org.opencontainers.image.version") == "v1");
}

TEST_CASE("podman: a container that went away meanwhile is left out") {
  FakeEngine fake;
  as_podman(fake).on(inspect_line(k_containers, 1), engine_error(404, "no such container"));
  const auto host = fake.engine.observe();
  REQUIRE(host);
  CHECK(host->containers.size() == 2);
}

TEST_CASE("podman: an empty answer to a list is an error, and not an empty host") {
  FakeEngine fake;
  as_podman(fake).lists(k_containers, "");
  const auto host = fake.engine.observe();
  REQUIRE_FALSE(host);
  CHECK(host.error().kind == ErrorKind::protocol);
}

TEST_CASE("docker is no podman") {
  FakeEngine fake;
  fake.lists("[]", "[]");
  const auto host = fake.engine.observe();
  REQUIRE(host);
  CHECK_FALSE(host->podman);
}

TEST_CASE("podman: events are asked for without an end, and cut here") {
  FakeEngine fake;
  fake.ping(podman_ping())
      .on("GET /events?since=1795389872.661000000&stream=false&filters="
          "%7B%22event%22%3A%5B%22start%22%2C%22died%22%5D%2C%22label%22%3A%5B%22"
          "com.docker.compose.project%3Dshop%22%5D%2C%22type%22%3A%5B%22container%22%5D%7D",
          R"({"status":"die","id":"a","Type":"container","Action":"die","Actor":{"ID":"a"},"scope":"local","time":1795389873,"timeNano":1795389873507565000}
{"status":"start","id":"b","Type":"container","Action":"start","Actor":{"ID":"b"},"scope":"local","time":1795389880,"timeNano":1795389880000000000}
{"status":"start","id":"c","Type":"container","Action":"start","Actor":{"ID":"c"},"scope":"local","time":1795389881,"timeNano":1795389880650851600}
)");
  const auto events =
      fake.engine.events("shop", at("2026-11-22T23:24:32.661Z"), at("2026-11-22T23:24:40Z"));
  REQUIRE(events);
  REQUIRE(events->size() == 2);
  CHECK((*events)[0].action == "die");
  CHECK((*events)[0].container == "a");
  CHECK((*events)[1].container == "b");
}

TEST_CASE("events of an engine that does not answer") {
  FakeEngine fake;
  fake.ping(engine_error(500, "no"), engine_error(500, "no"));
  const auto events = fake.engine.events("shop", {}, {});
  REQUIRE_FALSE(events);
  CHECK(events.error().kind == ErrorKind::transient);
}
