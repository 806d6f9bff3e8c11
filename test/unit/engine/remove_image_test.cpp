#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "unit/engine/fake_engine.hpp"

using tallyman::ErrorKind;
using tallyman::test::engine_error;
using tallyman::test::FakeEngine;

TEST_CASE("a name of an image is taken away without force") {
  const std::string digest = "sha256:" + std::string(64, 'd');
  for (const std::string& name :
       {std::string("harbor.lan:8443/shop/web:2"), "harbor.lan:8443/shop/web@" + digest, digest}) {
    CAPTURE(name);
    FakeEngine fake;
    fake.on("DELETE /images/" + name + "?noprune=0", R"([{"Untagged":"web:2"}])");
    CHECK(fake.engine.remove_image(name));
    CHECK(fake.asked() == std::vector<std::string>{"DELETE /v1.41/images/" + name + "?noprune=0"});
    CHECK(fake.http.requests.back().timeout == std::chrono::minutes(5));
  }
}

TEST_CASE("an image that a container uses stays") {
  for (const std::string reason :
       {"conflict: unable to remove repository reference \\\"web:1\\\" (must force) - container "
        "77a70aa8b2a8 is using its referenced image 1ecded18f898",
        "conflict: unable to delete 1ecded18f898 (cannot be forced) - image is being used by "
        "running "
        "container ba562b29b139"}) {
    FakeEngine fake;
    fake.on("DELETE /images/web:1?noprune=0", engine_error(409, reason));
    const auto removed = fake.engine.remove_image("web:1");
    REQUIRE_FALSE(removed);
    CHECK(removed.error().kind == ErrorKind::transient);
    CHECK(removed.error().message.starts_with(
        "the Docker Engine could not remove image web:1: conflict: unable to "));
  }
}

TEST_CASE("an image that is not there, and what is no image's name") {
  FakeEngine fake;
  fake.on("DELETE /images/nosuch:1?noprune=0", engine_error(404, "No such image: nosuch:1"));
  const auto missing = fake.engine.remove_image("nosuch:1");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind == ErrorKind::not_found);
  CHECK(missing.error().message ==
        "the Docker Engine could not remove image nosuch:1: No such image: nosuch:1");
  const auto nameless = fake.engine.remove_image("");
  REQUIRE_FALSE(nameless);
  CHECK(nameless.error().kind == ErrorKind::not_found);
  CHECK(fake.asked().size() == 1);
}
