#include "../src/registry/url.hpp"

#include <doctest/doctest.h>

#include <string>

namespace tallyman {
namespace {

TEST_CASE("a URL is taken apart and written down again") {
  struct Row {
    std::string text, host, path, query, written;
    int port;
  };
  const Row rows[] = {
      {"https://ghcr.io", "ghcr.io", "/", "", "https://ghcr.io/", 443},
      {"https://GHCR.io/v2/", "ghcr.io", "/v2/", "", "https://ghcr.io/v2/", 443},
      {"HTTP://harbor.lan:80/x", "harbor.lan", "/x", "", "http://harbor.lan/x", 80},
      {"http://harbor.lan:443/", "harbor.lan", "/", "", "http://harbor.lan:443/", 443},
      {"https://a.lan:8443/t?a=b&c=d#f", "a.lan", "/t", "a=b&c=d", "https://a.lan:8443/t?a=b&c=d",
       8443},
      {"https://a.lan?x=/y", "a.lan", "/", "x=/y", "https://a.lan/?x=/y", 443},
      {"https://172.21.138.103/v2", "172.21.138.103", "/v2", "", "https://172.21.138.103/v2", 443},
      {"http://[::1]:5000/", "[::1]", "/", "", "http://[::1]:5000/", 5000},
      {"http://[0:0::0:1]/", "[::1]", "/", "", "http://[::1]/", 80},
      {"https://my_host-1/", "my_host-1", "/", "", "https://my_host-1/", 443},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto url = Url::parse(row.text);
    REQUIRE(url.has_value());
    CHECK(url->host == row.host);
    CHECK(url->port == row.port);
    CHECK(url->path == row.path);
    CHECK(url->query == row.query);
    CHECK(url->str() == row.written);
  }
}

TEST_CASE("what two programs could read in two ways is no URL") {
  for (const std::string text : {
           "",
           "ghcr.io",
           "ghcr.io/v2",
           "ftp://a.lan/",
           "file:///etc/passwd",
           "https://",
           "https:///x",
           "https://user@a.lan/",
           "https://user:pw@a.lan/",
           "https://a.lan:0/",
           "https://a.lan:65536/",
           "https://a.lan:/",
           "https://a.lan:80x/",
           "https://a..lan/",
           "https://.a.lan/",
           "https://localhost./",
           "https://127.1/",
           "https://2130706433/",
           "https://0x7f000001/",
           "https://0177.0.0.1/",
           "https://1.2.3.256/",
           "https://a.lan\\@b.lan/",
           "https://a.lan/ x",
           "https://a.lan/\nx",
           "https://a.lan/\xc3\xa9",
           "https://\xe2\x91\xa0.lan/",
           "https://a%2elan/",
           "https://[::1/",
           "https://[::1]x/",
           "https://[fe80::1%25eth0]/",
           "https://[127.0.0.1]/",
       }) {
    CAPTURE(text);
    CHECK_FALSE(Url::parse(text).has_value());
  }
  CHECK_FALSE(Url::parse("https://a.lan/" + std::string(20000, 'x')).has_value());
  CHECK_FALSE(Url::parse(std::string("https://a.lan/\0x", 16)).has_value());
}

TEST_CASE("a Location or realm is seen from where it was said") {
  const Url base = *Url::parse("https://harbor.lan:8443/v2/shop/api/manifests/stable?x=1");
  struct Row {
    std::string text, resolved;
  };
  const Row rows[] = {
      {"https://other.lan/x", "https://other.lan/x"},
      {"http://other.lan/x", "http://other.lan/x"},
      {"//other.lan/x", "https://other.lan/x"},
      {"/service/token", "https://harbor.lan:8443/service/token"},
      {"/t?a=http://b", "https://harbor.lan:8443/t?a=http://b"},
      {"latest", "https://harbor.lan:8443/v2/shop/api/manifests/latest"},
      {"?n=2", "https://harbor.lan:8443/v2/shop/api/manifests/stable?n=2"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto url = base.resolve(row.text);
    REQUIRE(url.has_value());
    CHECK(url->str() == row.resolved);
  }
  for (const std::string text : {"", "mailto:a@b.lan", "//", "javascript:1", "/a b", "https:x"}) {
    CAPTURE(text);
    CHECK_FALSE(base.resolve(text).has_value());
  }
}

TEST_CASE("an origin is scheme, host and port, whatever of it was written") {
  const Url base = *Url::parse("https://a.lan/x");
  CHECK(same_origin(base, *Url::parse("https://A.LAN:443/y?z")));
  CHECK_FALSE(same_origin(base, *Url::parse("http://a.lan:443/x")));
  CHECK_FALSE(same_origin(base, *Url::parse("https://a.lan:8443/x")));
  CHECK_FALSE(same_origin(base, *Url::parse("https://b.lan/x")));
  CHECK(base.origin() == "https://a.lan");
  CHECK(Url::parse("http://a.lan:443/")->origin() == "http://a.lan:443");
  CHECK(base.with_path("/v2/").str() == "https://a.lan/v2/");
}

}  // namespace
}  // namespace tallyman
