#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "unit/engine/fake_engine.hpp"

using tallyman::ErrorKind;
using tallyman::HttpResponse;
using tallyman::ImageReference;
using tallyman::test::engine_error;
using tallyman::test::FakeEngine;

namespace {

ImageReference reference(std::string_view text) {
  const auto parsed = ImageReference::parse(text);
  REQUIRE(parsed);
  return *parsed;
}

const std::string k_digest = "sha256:" + std::string(64, 'd');

}  // namespace

TEST_CASE("a tag is given by repository and tag, both encoded") {
  struct Row {
    std::string image;
    const char* reference;
    std::string path;
  };
  for (const Row& row :
       {Row{"harbor.lan:8443/shop/web@" + k_digest, "harbor.lan:8443/shop/web:stable",
            "/images/harbor.lan:8443/shop/web@" + k_digest +
                "/tag?repo=harbor.lan%3A8443%2Fshop%2Fweb&tag=stable"},
        Row{k_digest, "nginx",
            "/images/" + k_digest + "/tag?repo=docker.io%2Flibrary%2Fnginx&tag=latest"},
        Row{"abcdef123456", "acme/web:tallyman-rollback-0a",
            "/images/abcdef123456/tag?repo=docker.io%2Facme%2Fweb&tag=tallyman-rollback-0a"}}) {
    CAPTURE(row.path);
    FakeEngine fake;
    fake.on("POST " + row.path, HttpResponse{.status = 201, .headers = {}, .body = ""});
    CHECK(fake.engine.tag(row.image, reference(row.reference)));
    CHECK(fake.asked() == std::vector{"POST /v1.41" + row.path});
    CHECK(fake.http.requests.back().body.empty());
  }
}

TEST_CASE("an image that is gone cannot be tagged") {
  FakeEngine fake;
  fake.on("POST /images/nginx@" + k_digest + "/tag?repo=docker.io%2Flibrary%2Fnginx&tag=1",
          engine_error(404, "No such image: nginx@" + k_digest));
  const auto result = fake.engine.tag("nginx@" + k_digest, reference("nginx:1"));
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::not_found);
  CHECK(result.error().message == "the Docker Engine could not tag nginx@" + k_digest +
                                      " as docker.io/library/nginx:1: No such image: nginx@" +
                                      k_digest);
}

TEST_CASE("a reference without a tag, or no name at all, is never sent") {
  FakeEngine fake;
  const auto untagged = fake.engine.tag("nginx", reference("nginx@" + k_digest));
  REQUIRE_FALSE(untagged);
  CHECK(untagged.error().kind == ErrorKind::bug);
  const auto nameless = fake.engine.tag("a/../b", reference("nginx:1"));
  REQUIRE_FALSE(nameless);
  CHECK(nameless.error().kind == ErrorKind::not_found);
  CHECK(fake.http.requests.empty());
}
