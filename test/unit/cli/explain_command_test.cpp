#include <doctest/doctest.h>

#include "support/tick_world.hpp"
#include "tallyman/cli/commands.hpp"
#include "unit/cli/screen.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

struct Explained {
  int status;
  std::string out;
};

Explained explain(TickWorld& world, const ServiceName& service = "web") {
  Screen screen;
  const int status = explain_command(world.config, service, world.registry, world.engine,
                                     world.deployer, Memory{}, world.clock, screen.terminal);
  return {status, shortened(screen.text())};
}

constexpr const char* k_drop_in = "  drop-in   /etc/tallyman/conf.d/web.toml, mode auto\n";

}  // namespace

TEST_CASE("explain shows both sides of a service that is current") {
  TickWorld world;
  const Explained explained = explain(world);
  CHECK(explained.status == 0);
  CHECK(explained.out == std::string("web: current (up_to_date)\n") + k_drop_in +
                             "  image     harbor.lan/shop/web:1\n"
                             "  registry  #1\n"
                             "            (https, anonymous)\n"
                             "  container shop-web-1, running for 2 d\n"
                             "            #1\n"
                             "            #a\n"
                             "            runs the registry's digest\n");
}

TEST_CASE("explain shows an update, why, and the command that would run") {
  TickWorld world;
  world.pushes_web();
  const Explained explained = explain(world);
  CHECK(explained.status == 0);
  CHECK(explained.out == std::string("web: pending (update_available)\n") + k_drop_in +
                             "  image     harbor.lan/shop/web:1\n"
                             "  registry  #2\n"
                             "            (https, anonymous)\n"
                             "            for linux/amd64:\n"
                             "            #7\n"
                             "  container shop-web-1, running for 2 d\n"
                             "            #1\n"
                             "            #a\n"
                             "            differs\n"
                             "  because   222222222222 is available\n"
                             "  would run cd " +
                             world.folder.path() + " && compose -p shop up\n");
  CHECK(world.asked("pull").empty());
  CHECK(world.asked("recreate").empty());
}

TEST_CASE("explain says what is in the way of a deployment") {
  TickWorld world;
  world.pushes_web();
  world.target.prepare_error = Error{ErrorKind::config, "no usable Docker Compose", "install it"};
  const Explained explained = explain(world);
  CHECK(
      explained.out.ends_with("  because   222222222222 is available\n"
                              "  obstacle  no usable Docker Compose\n"
                              "  fix       install it\n"));
}

TEST_CASE("explain shows an index that moved for other platforms") {
  TickWorld world;
  world.registry.has(k_web, '2');
  world.registry.holds('2', '7', 'a');
  const Explained explained = explain(world);
  CHECK(explained.out.starts_with("web: current (same_content)\n"));
  CHECK(contains(explained.out, "another digest, the same image for this platform\n"));
}

TEST_CASE("explain shows why nothing is known") {
  TickWorld world;
  world.registry.fails(k_web, {ErrorKind::auth, "harbor.lan: who are you?", "log in"});
  const Explained explained = explain(world);
  CHECK(explained.status == 1);
  CHECK(explained.out.starts_with("web: unknown (registry_error)\n"));
  CHECK(contains(explained.out, "  registry  no answer (https, anonymous)\n"));
  CHECK(
      explained.out.ends_with("  error     harbor.lan: who are you?\n"
                              "  fix       log in\n"));
}

TEST_CASE("explain shows why a registry is not asked") {
  TickWorld world;
  world.engine.containers.at(0).image = std::string(k_web) + "@" + id_of('1');
  CHECK(contains(explain(world).out, "  registry  not asked: runs by digest\n"));

  world.watches("app", "myapp:1");
  world.engine.add_image("myapp:1", 'e', "");
  world.runs("shop", "app", "myapp:1", 'e');
  const Explained explained = explain(world, "app");
  CHECK(explained.out.starts_with("app: local (no_origin)\n"));
  CHECK(contains(explained.out, "not asked: no registry in its name"));
  CHECK(contains(explained.out, "docker.io/library/myapp:1"));
}

TEST_CASE("explain of a broken drop-in, of what does not run, and of what runs by an image's id") {
  TickWorld world;
  world.with_broken("bad");
  const Explained bad = explain(world, "bad");
  CHECK(bad.status == 1);
  CHECK(bad.out.starts_with("bad: unknown (config_error)\n  error     "));
  CHECK(contains(bad.out, "tallyman validate"));

  world.config.watches.at(0).mode = Mode::notify;
  world.engine.containers.at(0).status = ContainerStatus::exited;
  CHECK(explain(world).out ==
        "web: absent (not_running)\n"
        "  drop-in   /etc/tallyman/conf.d/web.toml, mode notify\n"
        "  because   no running container of harbor.lan/shop/web:1\n");

  world.config.watches.at(0).image.reset();
  world.config.watches.at(0).compose.services = {"web"};
  world.engine.containers.at(0).status = ContainerStatus::running;
  world.engine.containers.at(0).image = id_of('a');
  CHECK(contains(explain(world).out, "  container shop-web-1, created from an image id\n"));
}
