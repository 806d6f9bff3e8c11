#include <atomic>
#include <string>

#include "unit/registry/faults.hpp"

namespace tallyman::test {
namespace {

ScriptedAnswer redirect_to(const std::string& location, int status = 307) {
  return {status, {{"Location", location}}};
}

TEST_CASE("faults: redirects that are not followed") {
  const Expected no_url{ErrorKind::protocol,
                        "HOST redirects (307) to something that is no http or https URL"};
  check_faults({
      {"to nowhere", {307}, no_url},
      {"to an empty place", redirect_to(""), no_url},
      {"to a file", redirect_to("file:///etc/passwd"), no_url},
      {"to ftp", redirect_to("ftp://127.0.0.1/x"), no_url},
      {"to gopher", redirect_to("gopher://127.0.0.1:6379/_FLUSHALL"), no_url},
      {"to a unix socket", redirect_to("unix:///var/run/docker.sock"), no_url},
      {"to data", redirect_to("data:text/plain,x"), no_url},
      {"to a script", redirect_to("javascript:alert(1)"), no_url},
      {"to a URL with a password", redirect_to("http://user:pass@127.0.0.1/"), no_url},
      {"to a host with a blank", redirect_to("http://a b/"), no_url},
      {"to a host with a control character", redirect_to("http://a\tb/"), no_url},
      {"to no host", redirect_to("http:///x"), no_url},
      {"to port 0", redirect_to("http://a.test:0/"), no_url},
      {"to port 99999", redirect_to("http://a.test:99999/"), no_url},
      {"to an open bracket", redirect_to("http://[::1/"), no_url},
      {"to 127.1", redirect_to("http://127.1/"), no_url},
      {"to a number", redirect_to("http://2130706433/"), no_url},
      {"to 20 KB", redirect_to("/" + std::string(20'000, 'x')), no_url},
      {"to itself",
       redirect_to("/v2/shop/api/manifests/1"),
       {ErrorKind::protocol, "HOST redirects more than 5 times"}},
      {"to deeper and deeper",
       redirect_to("x/y"),
       {ErrorKind::protocol, "HOST redirects more than 5 times"}},
      {"301 to itself",
       redirect_to("?", 301),
       {ErrorKind::protocol, "HOST redirects more than 5 times"}},
      {"to link-local",
       redirect_to("http://169.254.169.254/latest/meta-data"),
       {ErrorKind::protocol, "HOST redirects to 169.254.169.254, an address"}},
      {"to link-local over IPv6",
       redirect_to("http://[fe80::1]/"),
       {ErrorKind::protocol, "HOST redirects to [fe80::1], an address"}},
      {"300, many choices",
       redirect_to("/x", 300),
       {ErrorKind::protocol, "HOST answered 300 for such tag"}},
      {"304, which nobody asked for",
       {304},
       {ErrorKind::protocol, "HOST answered 304 for such tag"}},
      {"305, use a proxy",
       redirect_to("http://127.0.0.1:1/", 305),
       {ErrorKind::protocol, "HOST answered 305 for such tag"}},
      {"306", redirect_to("/x", 306), {ErrorKind::protocol, "HOST answered 306 for such tag"}},
      {"399", redirect_to("/x", 399), {ErrorKind::protocol, "HOST answered 399 for such tag"}},
  });
}

TEST_CASE("faults: redirects for ever, each to another place, are six requests") {
  std::atomic<int> count = 0;
  ScriptedServer server(
      [&](const RecordedRequest&) { return redirect_to("/v2/" + std::to_string(++count)); });
  Loopback loopback;
  loopback.plain(server.host());
  const std::string image = server.host() + "/shop/api:1";
  check_fault(loopback.resolve(image), {ErrorKind::protocol, "HOST redirects more than 5 times"},
              server.host(), image);
  CHECK(server.requests().size() == 6);
}

TEST_CASE("faults: two registries that redirect to each other") {
  std::string first_host;
  ScriptedServer second(
      [&](const RecordedRequest&) { return redirect_to("http://" + first_host + "/x"); });
  ScriptedServer first([&](const RecordedRequest&) { return redirect_to(second.url("/y")); });
  first_host = first.host();
  Loopback loopback;
  loopback.plain(first.host());
  const std::string image = first.host() + "/shop/api:1";
  check_fault(loopback.resolve(image), {ErrorKind::protocol, "redirects more than 5 times"},
              first.host(), image);
  CHECK(first.requests().size() + second.requests().size() == 6);
}

TEST_CASE("faults: a redirect to who is not there names both") {
  std::string dead;
  {
    ScriptedServer gone([](const RecordedRequest&) { return good_tag(); });
    dead = gone.host();
  }
  ScriptedServer server(
      [&](const RecordedRequest&) { return redirect_to("http://" + dead + "/"); });
  Loopback loopback;
  loopback.plain(server.host());
  const std::string image = server.host() + "/shop/api:1";
  check_fault(loopback.resolve(image), {ErrorKind::transient, dead + " refused the connection"},
              server.host(), image);
}

TEST_CASE("faults: a registry elsewhere does not redirect into this host") {
  for (const std::string target :
       {"127.0.0.1:2375", "127.9.9.9", "localhost", "x.localhost:1", "0.0.0.0", "[::1]:5000",
        "[::]", "[::ffff:127.0.0.1]", "169.254.169.254", "[fe80::1]"}) {
    CAPTURE(target);
    ScriptedServer world([&](const RecordedRequest&) {
      return redirect_to("http://" + target + "/containers/json");
    });
    Loopback loopback;
    loopback.go_through(world);
    loopback.plain("registry.test");
    const std::string image = "registry.test/shop/api:1";
    check_fault(loopback.resolve(image),
                {ErrorKind::protocol, "registry.test redirects to " + target + ", an address of"},
                "registry.test", image);
    CHECK(world.requests().size() == 1);
  }
}

TEST_CASE("faults: redirects of all five sorts within the registry keep the method") {
  for (const int status : {301, 302, 303, 307, 308}) {
    CAPTURE(status);
    ScriptedServer server([&](const RecordedRequest& request) {
      return request.target.starts_with("/v2/") ? redirect_to("/elsewhere?x=y", status)
                                                : good_tag();
    });
    Loopback loopback;
    loopback.plain(server.host());
    CHECK(loopback.resolve(server.host() + "/shop/api:1").has_value());
    const auto requests = server.requests();
    REQUIRE(requests.size() == 2);
    CHECK(requests[1].method == "HEAD");
    CHECK(requests[1].target == "/elsewhere?x=y");
    CHECK(contains(requests[1].header("accept"), "image.index.v1+json"));
  }
}

}  // namespace
}  // namespace tallyman::test
