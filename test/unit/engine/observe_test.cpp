#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "unit/engine/fake_engine.hpp"
#include "unit/engine/recordings_20_10.hpp"
#include "unit/engine/recordings_26_1.hpp"
#include "unit/engine/recordings_26_1_containerd.hpp"

using std::string_literals::operator""s;
using tallyman::Container;
using tallyman::ContainerStatus;
using tallyman::ErrorKind;
using tallyman::Health;
using tallyman::Host;
using tallyman::Image;
using tallyman::test::engine_error;
using tallyman::test::FakeEngine;
using tallyman::test::json_answer;

namespace {

const Container& named(const Host& host, std::string_view name) {
  const auto found = std::ranges::find(host.containers, name, &Container::name);
  REQUIRE(found != host.containers.end());
  return *found;
}

std::string one_container(std::string_view fields) {
  return fmt::format(R"([{{"Id":"{}",{}}}])", std::string(64, 'a'), fields);
}

/// The only container of a host of one, whose reference the list shows.
Container listed(std::string_view fields) {
  FakeEngine fake;
  fake.lists(one_container(fields), "[]");
  const auto host = fake.engine.observe();
  REQUIRE(host);
  CHECK(fake.asked().size() == 2);
  REQUIRE(host->containers.size() == 1);
  return host->containers.front();
}

Image only_image(std::string_view list) {
  FakeEngine fake;
  fake.lists("[]", list);
  const auto host = fake.engine.observe();
  REQUIRE(host);
  REQUIRE(host->images.size() == 1);
  return host->images.begin()->second;
}

}  // namespace

TEST_CASE("a real host is seen in two calls and one inspect for each container whose tag moved") {
  struct Row {
    const char* api;
    std::string_view containers, images, web, old_id, new_id;
    const char* started;
  };
  const auto id_20_old = "sha256:9cc18c8a8511f274490f3ebb99f1499c365014f22a188d572bc6e7319a95c5c7";
  const auto id_20_new = "sha256:73013bcbe83b66671a0dd0a9604fe93594d73016916c18de4acb5024d8275aa4";
  const auto index = "sha256:38cdf0d6b09acc5b2e2bdb010fc38cac261fd2f3d50dfd27f70c61ab74e73ec6";
  const auto moved = "sha256:cc5d72b444d7c809504c829c789789865729b4b7be9230773faad646d25a0910";
  for (const Row& row :
       {Row{"1.41", tallyman::test::k_engine20_containers, tallyman::test::k_engine20_images,
            tallyman::test::k_engine20_web, id_20_old, id_20_new, "2026-11-22T20:05:16.589Z"},
        Row{"1.45", tallyman::test::k_engine26_containers, tallyman::test::k_engine26_images,
            tallyman::test::k_engine26_web, id_20_old, id_20_new, "2026-11-22T20:05:23.113Z"},
        Row{"1.45", tallyman::test::k_containerd26_containers,
            tallyman::test::k_containerd26_images, tallyman::test::k_containerd26_web, index, moved,
            "2026-11-22T20:05:28.230Z"}}) {
    CAPTURE(row.old_id);
    FakeEngine fake(row.api);
    fake.lists(row.containers, row.images);
    // The recorded id of "web" is the last of the list; the other two of the old image are gone.
    const std::size_t last = row.containers.rfind(R"({"Id":")") + 7;
    const std::string id(row.containers.substr(last, 64));
    fake.on("GET /containers/" + id + "/json", row.web);
    const auto host = fake.engine.observe();
    REQUIRE(host);
    const auto asked = fake.asked();
    REQUIRE(asked.size() == 5);
    CHECK(asked[0] == fmt::format("GET /v{}/containers/json?all=1", row.api));
    CHECK(asked[1] == fmt::format("GET /v{}/images/json", row.api));
    CHECK(asked[4] == fmt::format("GET /v{}/containers/{}/json", row.api, id));

    CHECK(host->containers.size() == 2);
    const Container& fresh = named(*host, "new");
    CHECK(fresh.image == "harbor.lan/shop/web:stable");
    CHECK(fresh.image_id == row.new_id);
    CHECK(fresh.status == ContainerStatus::running);
    CHECK(fresh.health == Health::starting);
    CHECK_FALSE(fresh.started);
    CHECK_FALSE(fresh.restarts);
    CHECK_FALSE(fresh.exit_code);

    const Container& web = named(*host, "web");
    CHECK(web.id == id);
    CHECK(web.image == "harbor.lan/shop/web:stable");
    CHECK(web.image_id == row.old_id);
    CHECK(web.label("com.docker.compose.project") == "shop");
    CHECK(web.status == ContainerStatus::running);
    CHECK(web.health == Health::healthy);
    CHECK(web.restarts == 0);
    CHECK_FALSE(web.exit_code);
    REQUIRE(web.started);
    CHECK(tallyman::format_rfc3339(*web.started) == row.started);

    const Image* old_image = host->image_of(web);
    REQUIRE(old_image != nullptr);
    CHECK(old_image->repo_tags.empty());
    CHECK(old_image->repo_digests == std::vector{"harbor.lan/shop/web@" + std::string(index)});
    CHECK(old_image->labels.get("org.opencontainers.image.version") == "v1.0.0");
    REQUIRE(old_image->created);
    CHECK(tallyman::format_rfc3339(*old_image->created) == "2024-01-01T00:00:00Z");
    const Image* new_image = host->image_of(fresh);
    REQUIRE(new_image != nullptr);
    CHECK(new_image->repo_tags == std::vector{"harbor.lan/shop/web:stable"s});
    CHECK(new_image->repo_digests == std::vector{"harbor.lan/shop/web@" + std::string(moved)});
    CHECK(new_image->size > 4'000'000);
  }
}

TEST_CASE("containers and images are asked for side by side, and so are the inspects") {
  struct Counting final : tallyman::Http {
    void send(tallyman::HttpRequest request, Done done) override {
      queue.emplace_back(std::move(request), std::move(done));
    }
    void watch(int, std::move_only_function<void()>) override {}
    void run() override {
      batches.push_back(queue.size());
      for (auto& [request, done] : std::exchange(queue, {})) {
        if (request.url.ends_with("/_ping")) {
          done(tallyman::HttpResponse{.status = 200, .headers = {{"api-version", "1.41"}}});
        } else if (request.url.ends_with("/containers/json?all=1")) {
          done(
              json_answer(R"([{"Id":"a1","Image":"sha256:1","ImageID":"sha256:1","State":"running"},
                               {"Id":"b2","Image":"sha256:2"}])"));
        } else if (request.url.ends_with("/images/json")) {
          done(json_answer("[]"));
        } else {
          done(json_answer(R"({"Id":"a1","Name":"/web"})"));
        }
      }
    }
    std::vector<std::pair<tallyman::HttpRequest, Done>> queue;
    std::vector<std::size_t> batches;
  } http;
  tallyman::DockerEngine engine(http, http, "/run/docker.sock");
  REQUIRE(engine.observe());
  CHECK(http.batches == std::vector<std::size_t>{1, 2, 3});
}

TEST_CASE("a container is inspected only if the list does not show a reference") {
  struct Row {
    std::string image;
    bool inspected;
  };
  const std::string hex(64, 'b');
  for (const Row& row : {Row{"nginx", false}, Row{"nginx:1.25", false},
                         Row{"harbor.lan:8443/shop/web:1@sha256:" + hex, false},
                         Row{"abcdef12345", false},  // 11 characters
                         Row{std::string(65, 'b'), false}, Row{"ABCDEF123456", false},
                         Row{"abcdef12345g", false}, Row{"abcdef123456:1", false},
                         Row{"abcdef123456", true}, Row{hex, true}, Row{"sha256:" + hex, true},
                         Row{"sha256:bb", true}, Row{"weird-image-id", true}, Row{"", true}}) {
    CAPTURE(row.image);
    FakeEngine fake;
    fake.lists(one_container(fmt::format(R"("Names":["/web"],"Image":"{}","ImageID":"{}")",
                                         row.image, "weird-image-id")),
               "[]");
    fake.on("GET /containers/" + std::string(64, 'a') + "/json",
            fmt::format(R"({{"Id":"{}","Name":"/web","Config":{{"Image":"nginx:2"}}}})",
                        std::string(64, 'a')));
    const auto host = fake.engine.observe();
    REQUIRE(host);
    REQUIRE(host->containers.size() == 1);
    CHECK(host->containers[0].image == (row.inspected ? "nginx:2" : row.image));
    CHECK(fake.asked().size() == (row.inspected ? 3 : 2));
  }
}

TEST_CASE("a container that vanished since it was listed is left out, another error is not") {
  FakeEngine fake;
  fake.lists(R"([{"Id":"a1","Names":["/a"],"Image":"sha256:1"},{"Id":"b2","Image":"nginx"}])",
             "[]");
  SUBCASE("vanished") {
    fake.on("GET /containers/a1/json", engine_error(404, "No such container: a1"));
    const auto host = fake.engine.observe();
    REQUIRE(host);
    REQUIRE(host->containers.size() == 1);
    CHECK(host->containers[0].id == "b2");
  }
  SUBCASE("the engine is unwell") {
    fake.on("GET /containers/a1/json", engine_error(500, "a lock is held"));
    const auto host = fake.engine.observe();
    REQUIRE_FALSE(host);
    CHECK(host.error().kind == ErrorKind::transient);
    CHECK(host.error().message ==
          "the Docker Engine could not inspect container a1: a lock is held");
  }
}

TEST_CASE("the name of a container is its own, not that of a link") {
  CHECK(listed(R"("Image":"nginx","Names":["/other/alias","/web"])").name == "web");
  CHECK(listed(R"("Image":"nginx","Names":["web"])").name == "web");
  CHECK(listed(R"("Image":"nginx","Names":["/shop-web-1"])").name == "shop-web-1");
  CHECK(listed(R"("Image":"nginx","Names":["/a/b"])").name == "aaaaaaaaaaaa");
  CHECK(listed(R"("Image":"nginx","Names":null)").name == "aaaaaaaaaaaa");
  CHECK(listed(R"("Image":"nginx")").name == "aaaaaaaaaaaa");
}

TEST_CASE("the health in the list comes from the status text") {
  struct Row {
    const char* text;
    Health health;
  };
  for (const Row& row : {Row{"Up 2 hours (healthy)", Health::healthy},
                         Row{"Up 2 hours (unhealthy)", Health::unhealthy},
                         Row{"Up Less than a second (health: starting)", Health::starting},
                         Row{"Up 2 hours", Health::none}, Row{"Up 2 hours (Paused)", Health::none},
                         Row{"Exited (137) 3 days ago", Health::none}, Row{"", Health::none}}) {
    CAPTURE(row.text);
    CHECK(listed(fmt::format(R"("Image":"nginx","Status":"{}")", row.text)).health == row.health);
  }
}

TEST_CASE("states, known and unknown") {
  CHECK(listed(R"("Image":"nginx","State":"paused")").status == ContainerStatus::paused);
  CHECK(listed(R"("Image":"nginx","State":"restarting")").status == ContainerStatus::restarting);
  CHECK(listed(R"("Image":"nginx","State":"configured")").status == ContainerStatus::unknown);
  CHECK(listed(R"("Image":"nginx","State":"")").status == ContainerStatus::unknown);
  CHECK(listed(R"("Image":"nginx")").status == ContainerStatus::unknown);
}

TEST_CASE("null and missing lists, maps and times are empty") {
  const Container container = listed(R"("Image":"nginx","Labels":null,"Created":null,"Ports":7)");
  CHECK(container.labels.empty());
  CHECK(container.created == tallyman::Timestamp{});
  CHECK(container.image_id.empty());
  const Image image = only_image(R"([{"Id":"sha256:1","RepoTags":null,"RepoDigests":null,
                                     "Labels":null,"Created":0,"Size":-1}])");
  CHECK(image.repo_tags.empty());
  CHECK(image.repo_digests.empty());
  CHECK(image.labels.empty());
  CHECK_FALSE(image.created);
  CHECK(image.size == 0);
  FakeEngine fake;
  fake.lists("null", "null");
  const auto host = fake.engine.observe();
  REQUIRE(host);
  CHECK(host->containers.empty());
  CHECK(host->images.empty());
}

TEST_CASE("what is no name of an image is dropped, and digests among the tags are sorted out") {
  const Image dangling = only_image(
      R"([{"Id":"sha256:1","RepoTags":["<none>:<none>"],"RepoDigests":["<none>@<none>"]}])");
  CHECK(dangling.repo_tags.empty());
  CHECK(dangling.repo_digests.empty());
  const Image untagged = only_image(
      R"([{"Id":"sha256:1","RepoTags":["nginx:<none>","<none>:<none>",null],
           "RepoDigests":["nginx@sha256:2","nginx@sha256:2"]}])");
  CHECK(untagged.repo_digests == std::vector{"nginx@sha256:2"s});
  const Image containerd = only_image(
      R"([{"Id":"sha256:2","RepoTags":["nginx:1","nginx@sha256:2"],
           "RepoDigests":["nginx@sha256:2"]}])");
  CHECK(containerd.repo_tags == std::vector{"nginx:1"s});
  CHECK(containerd.repo_digests == std::vector{"nginx@sha256:2"s});
}

TEST_CASE("an image that is listed twice is one image with all its names") {
  const Image image = only_image(
      R"([{"Id":"sha256:1","RepoTags":["a:1"],"RepoDigests":["a@sha256:9"],"Size":5},
          {"Id":"sha256:1","RepoTags":["b:1","a:1"],"RepoDigests":["b@sha256:9"],"Size":5}])");
  CHECK(image.repo_tags == std::vector{"a:1"s, "b:1"s});
  CHECK(image.repo_digests == std::vector{"a@sha256:9"s, "b@sha256:9"s});
}

TEST_CASE("ids without an algorithm, as podman may give them, match those with one") {
  const std::string hex(64, 'c');
  FakeEngine fake;
  fake.lists(one_container(fmt::format(R"("Image":"nginx","ImageID":"{}")", hex)),
             fmt::format(R"([{{"Id":"{}","RepoTags":["nginx:1"]}}])", hex));
  const auto host = fake.engine.observe();
  REQUIRE(host);
  CHECK(host->containers[0].image_id == "sha256:" + hex);
  CHECK(host->image_of(host->containers[0]) != nullptr);
}

TEST_CASE("the image of an alive container that the list hides is inspected, once") {
  const std::string id = "sha256:" + std::string(64, 'c');
  const auto containers = [&id](const char* state) {
    return fmt::format(R"([{{"Id":"a1","Image":"nginx","ImageID":"{0}","State":"{1}"}},
                           {{"Id":"b2","Image":"nginx","ImageID":"{0}","State":"{1}"}}])",
                       id, state);
  };
  const std::string line = "GET /images/" + id + "/json";
  FakeEngine fake;
  fake.on(line, fmt::format(R"({{"Id":"{}","RepoTags":[],"RepoDigests":[],
                                 "Config":{{"Labels":{{"a":"b"}}}}}})",
                            id));
  SUBCASE("alive") {
    for (const char* const state : {"running", "paused", "restarting"}) {
      CAPTURE(state);
      fake.lists(containers(state), "[]");
      const auto host = fake.engine.observe();
      REQUIRE(host);
      REQUIRE(host->images.size() == 1);
      CHECK(host->images.at(id).labels.get("a") == "b");
      CHECK(host->image_of(host->containers.front()) == &host->images.at(id));
    }
    CHECK(fake.asked().size() == 9);
  }
  SUBCASE("not alive") {
    fake.lists(containers("exited"), "[]");
    const auto host = fake.engine.observe();
    REQUIRE(host);
    CHECK(host->images.empty());
    CHECK(fake.asked().size() == 2);
  }
  SUBCASE("gone for good") {
    fake.lists(containers("running"), "[]").on(line, engine_error(404, "No such image: " + id));
    const auto host = fake.engine.observe();
    REQUIRE(host);
    CHECK(host->images.empty());
    CHECK(host->containers.size() == 2);
  }
  SUBCASE("the engine is unwell") {
    fake.lists(containers("running"), "[]").on(line, engine_error(500, "no"));
    const auto host = fake.engine.observe();
    REQUIRE_FALSE(host);
    CHECK(host.error().kind == ErrorKind::transient);
  }
}

TEST_CASE("an observation may be big, and has a limit") {
  FakeEngine fake;
  fake.lists("[]", "[]");
  REQUIRE(fake.engine.observe());
  CHECK(fake.http.requests.at(1).max_body == 64U * 1024 * 1024);
}
