#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "support/fake_registry.hpp"
#include "tallyman/cli/commands.hpp"
#include "unit/cli/screen.hpp"

using namespace tallyman;
using namespace tallyman::test;
using Json = nlohmann::json;

namespace {

struct Shown {
  int status;
  std::string out;
  std::string err;
};

struct Asking {
  Calls calls;
  FakeRegistry registry{calls};
  std::optional<Platform> platform = std::nullopt;
  bool json = false;

  Shown digest(const std::string& image) {
    Screen screen;
    const CapturedStderr captured;
    Log log({});
    const int status = digest_command(registry, image, platform, json, screen.terminal, log);
    return {status, screen.text(), captured.text()};
  }
};

}  // namespace

TEST_CASE("digest prints the digest and nothing else") {
  Asking asking;
  asking.registry.has(k_web, '2');
  const Shown shown = asking.digest(std::string(k_web));
  CHECK(shown.status == 0);
  CHECK(shown.out == id_of('2') + "\n");
  CHECK(shown.err == "");
  CHECK(asking.calls == Calls{"resolve harbor.lan/shop/web:1"});
}

TEST_CASE("digest --platform prints the digest of the platform's own manifest") {
  Asking asking;
  asking.registry.has("nginx", '2');
  asking.registry.holds('2', '7', '8');
  asking.platform = value_of(Platform::parse("linux/arm64"));
  CHECK(asking.digest("nginx").out == id_of('7') + "\n");
  CHECK(shortened(asking.calls) ==
        Calls{"resolve nginx:latest", "look into nginx@#2 for linux/arm64"});
}

TEST_CASE("digest --json says which reference it means") {
  Asking asking;
  asking.json = true;
  asking.registry.has("nginx", '2');
  CHECK(Json::parse(asking.digest("nginx").out) ==
        Json({{"reference", "docker.io/library/nginx:latest"}, {"digest", id_of('2')}}));
  asking.registry.holds('2', '7', '8');
  asking.platform = value_of(Platform::parse("linux/arm64"));
  CHECK(Json::parse(asking.digest("nginx").out) ==
        Json({{"reference", "docker.io/library/nginx:latest"},
              {"digest", id_of('2')},
              {"platform", "linux/arm64"},
              {"manifest", id_of('7')},
              {"config", id_of('8')},
              {"layer_bytes", 1000}}));
}

TEST_CASE("digest of a reference with a digest asks only for what is in it") {
  Asking asking;
  const std::string pinned = "nginx@" + id_of('3');
  CHECK(asking.digest(pinned).out == id_of('3') + "\n");
  CHECK(asking.calls.empty());
  asking.registry.holds('3', '7', '8');
  asking.platform = value_of(Platform::parse("linux/arm64"));
  CHECK(asking.digest(pinned).out == id_of('7') + "\n");
}

TEST_CASE("digest of what is no reference is wrong usage") {
  Asking asking;
  const Shown shown = asking.digest("Nginx:: latest");
  CHECK(shown.status == 2);
  CHECK(shown.out == "");
  CHECK(contains(shown.err, "Nginx:: latest"));
  CHECK(asking.calls.empty());
}

TEST_CASE("digest that nobody knows is a failure") {
  Asking asking;
  const Shown no_tag = asking.digest("nginx");
  CHECK(no_tag.status == 1);
  CHECK(no_tag.out == "");
  CHECK(no_tag.err == "error: nginx:latest: manifest unknown\n");

  asking.registry.has("nginx", '2');
  asking.registry.cannot_look_into('2', {ErrorKind::not_found, "no linux/arm64", "look"});
  asking.platform = value_of(Platform::parse("linux/arm64"));
  const Shown no_platform = asking.digest("nginx");
  CHECK(no_platform.status == 1);
  CHECK(no_platform.out == "");
  CHECK(no_platform.err == "error: no linux/arm64: look\n");
}
