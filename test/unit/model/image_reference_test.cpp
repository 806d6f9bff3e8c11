#include "tallyman/model/image_reference.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

// The cases are those of github.com/distribution/reference (reference_test.go, normalize_test.go)
// and some more.

using tallyman::Digest;
using tallyman::ErrorKind;
using tallyman::ImageReference;

namespace {

constexpr std::string_view k_f64 =
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
constexpr std::string_view k_hex =
    "dbcc1c35ac38df41fd2f5e4130b32ffdb93ebae8b3dbe638c23575912276fc9c";

std::string sha(std::string_view hex) {
  return "sha256:" + std::string(hex);
}

ImageReference parsed(std::string_view text) {
  const auto reference = ImageReference::parse(text);
  REQUIRE_MESSAGE(reference.has_value(), text);
  return *reference;
}

std::string repeat(std::string_view part, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += part;
  }
  return text;
}

}  // namespace

TEST_CASE("a reference is normalised as Docker does") {
  struct Row {
    std::string text;
    std::string domain;
    std::string path;
    std::string tag;
    std::string digest;
    std::string familiar;
    bool explicit_domain;
  };
  const std::string dock = "docker.io";
  const std::vector<Row> rows = {
      // Docker Hub, official and not
      {"redis", dock, "library/redis", "latest", "", "redis:latest", false},
      {"redis:7-alpine", dock, "library/redis", "7-alpine", "", "redis:7-alpine", false},
      {"library/redis", dock, "library/redis", "latest", "", "redis:latest", false},
      {"docker.io/redis", dock, "library/redis", "latest", "", "redis:latest", true},
      {"docker.io/library/redis:1", dock, "library/redis", "1", "", "redis:1", true},
      {"index.docker.io/redis", dock, "library/redis", "latest", "", "redis:latest", true},
      {"index.docker.io/fooo/bar", dock, "fooo/bar", "latest", "", "fooo/bar:latest", true},
      {"acme/web", dock, "acme/web", "latest", "", "acme/web:latest", false},
      {"test_com/foo", dock, "test_com/foo", "latest", "", "test_com/foo:latest", false},
      {"other/library", dock, "other/library", "latest", "", "other/library:latest", false},
      {"docker.io/library/foo/bar", dock, "library/foo/bar", "latest", "", "library/foo/bar:latest",
       true},
      {"store/foo/bar", dock, "store/foo/bar", "latest", "", "store/foo/bar:latest", false},
      {"ubuntu-12.04-base", dock, "library/ubuntu-12.04-base", "latest", "",
       "ubuntu-12.04-base:latest", false},
      // without a slash nothing is a domain
      {"test.com", dock, "library/test.com", "latest", "", "test.com:latest", false},
      {"test.com:5000", dock, "library/test.com", "5000", "", "test.com:5000", false},
      {"localhost:5000", dock, "library/localhost", "5000", "", "localhost:5000", false},
      {"192.168.1.1:80", dock, "library/192.168.1.1", "80", "", "192.168.1.1:80", false},
      {"foo_bar.com:8080", dock, "library/foo_bar.com", "8080", "", "foo_bar.com:8080", false},
      // other registries
      {"ghcr.io/acme/web:1", "ghcr.io", "acme/web", "1", "", "ghcr.io/acme/web:1", true},
      {"test.com/repo:tag", "test.com", "repo", "tag", "", "test.com/repo:tag", true},
      {"ghcr.io/library/x", "ghcr.io", "library/x", "latest", "", "ghcr.io/library/x:latest", true},
      {"test:5000/repo", "test:5000", "repo", "latest", "", "test:5000/repo:latest", true},
      {"localhost/repo", "localhost", "repo", "latest", "", "localhost/repo:latest", true},
      {"localhost:5000/a/b:c", "localhost:5000", "a/b", "c", "", "localhost:5000/a/b:c", true},
      {"172.21.138.103/shop/api:staging", "172.21.138.103", "shop/api", "staging", "",
       "172.21.138.103/shop/api:staging", true},
      {"127.0.0.1:8000/private/moonbase", "127.0.0.1:8000", "private/moonbase", "latest", "",
       "127.0.0.1:8000/private/moonbase:latest", true},
      {"b.gcr.io/test.example.com/my-app:test.example.com", "b.gcr.io", "test.example.com/my-app",
       "test.example.com", "", "b.gcr.io/test.example.com/my-app:test.example.com", true},
      {"xn--n3h.com/myimage:xn--n3h.com", "xn--n3h.com", "myimage", "xn--n3h.com", "",
       "xn--n3h.com/myimage:xn--n3h.com", true},
      {"test-com:8080/foo", "test-com:8080", "foo", "latest", "", "test-com:8080/foo:latest", true},
      {"[2001:db8::1]/repo", "[2001:db8::1]", "repo", "latest", "", "[2001:db8::1]/repo:latest",
       true},
      {"[2001:db8:1:2:3:4:5:6]/repo:tag", "[2001:db8:1:2:3:4:5:6]", "repo", "tag", "",
       "[2001:db8:1:2:3:4:5:6]/repo:tag", true},
      {"[::1]:5000/a/b", "[::1]:5000", "a/b", "latest", "", "[::1]:5000/a/b:latest", true},
      // an upper-case first part is a domain, kept as written
      {"Foo/bar", "Foo", "bar", "latest", "", "Foo/bar:latest", true},
      {"DOCKER/docker", "DOCKER", "docker", "latest", "", "DOCKER/docker:latest", true},
      {"GHCR.io/acme/web", "GHCR.io", "acme/web", "latest", "", "GHCR.io/acme/web:latest", true},
      // digests
      {"redis@" + sha(k_hex), dock, "library/redis", "", sha(k_hex), "redis@" + sha(k_hex), false},
      {"test:5000/repo:tag@" + sha(k_f64), "test:5000", "repo", "tag", sha(k_f64),
       "test:5000/repo:tag@" + sha(k_f64), true},
      {"[2001:db8::1]:5000/repo@" + sha(k_f64), "[2001:db8::1]:5000", "repo", "", sha(k_f64),
       "[2001:db8::1]:5000/repo@" + sha(k_f64), true},
      {"xn--7o8h.com/myimage:t@sha512:" + repeat(k_f64, 2), "xn--7o8h.com", "myimage", "t",
       "sha512:" + repeat(k_f64, 2), "xn--7o8h.com/myimage:t@sha512:" + repeat(k_f64, 2), true},
      // nearly an id
      {std::string(k_hex.substr(1)), dock, "library/" + std::string(k_hex.substr(1)), "latest", "",
       std::string(k_hex.substr(1)) + ":latest", false},
      {"dbcc1", dock, "library/dbcc1", "latest", "", "dbcc1:latest", false},
      {"sha256:dbcc1", dock, "library/sha256", "dbcc1", "", "sha256:dbcc1", false},
      // Docker prints these without docker.io, and then cannot read them back
      {"docker.io/localhost/web", dock, "localhost/web", "latest", "",
       "docker.io/localhost/web:latest", true},
      {"docker.io/a.b/web", dock, "a.b/web", "latest", "", "docker.io/a.b/web:latest", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const ImageReference reference = parsed(row.text);
    CHECK(reference.domain() == row.domain);
    CHECK(reference.path() == row.path);
    CHECK(reference.repository() == row.domain + "/" + row.path);
    CHECK(reference.tag().value_or("") == row.tag);
    CHECK((reference.digest() ? reference.digest()->str() : "") == row.digest);
    CHECK(reference.has_explicit_domain() == row.explicit_domain);
    CHECK(reference.familiar() == row.familiar);
    CHECK(reference.str() == row.domain + "/" + row.path + (row.tag.empty() ? "" : ":" + row.tag) +
                                 (row.digest.empty() ? "" : "@" + row.digest));
    CHECK(parsed(reference.str()) == reference);
    CHECK(parsed(reference.familiar()) == reference);
  }
}

TEST_CASE("unusual but valid repositories and tags are taken") {
  const std::vector<std::string> rows = {
      "docker---rules/docker",
      "dock__er/docker",
      "d/docker",
      "jess/t",
      "x/a.b_c__d-e---f/g",
      "lowercase:Uppercase",
      "web:_x",
      "web:1.2.3-rc.1_build",
      "web:" + std::string(128, 'a'),
      "thisisthesongthatneverendsitgoesonandonandonthisisthesongthatnev",
      "docker.io/1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a",
      "sub-dom1.foo.com/bar/baz/quux:some-long-tag",
      "example.com/" + std::string(255, 'a'),
      "a.b/" + repeat("a/", 127) + "a:a-tag-does-not-count",
  };
  for (const std::string& text : rows) {
    CAPTURE(text);
    CHECK(ImageReference::parse(text).has_value());
  }
}

TEST_CASE("what is no reference is a config error that says why") {
  struct Row {
    std::string text;
    std::string_view says;
  };
  const std::vector<Row> rows = {
      {"", "it is empty"},
      {" ", "malformed"},
      {"nginx ", "malformed"},
      {" nginx", "malformed"},
      {"ngi\nnx", "malformed"},
      {":justtag", "malformed"},
      {"@" + sha(k_f64), "malformed"},
      {"web:", "the tag \"\" is malformed"},
      {"web:-x", "tag"},
      {"web:.x", "tag"},
      {"web:a/b", "host[:port]"},
      {"web:a:b", "tag"},
      {"web:" + std::string(129, 'a'), "tag"},
      {"web:caf\xc3\xa9", "tag"},
      {"repo@sha256:ffffffffffffffffffffffffffffffffff", "34 characters"},
      {"repo@" + sha(k_f64) + "0", "65 characters"},
      {"repo@", "no algorithm"},
      {"repo:tag@", "no algorithm"},
      {"repo@latest", "no algorithm"},
      {"repo@" + sha(k_f64) + "@" + sha(k_f64), "characters after the colon"},
      {"validname@invaliddigest:" + std::string(k_f64), "not supported"},
      {"repo@SHA256:" + std::string(k_f64), "not supported"},
      {"Uppercase:tag", "lower case"},
      {"test:5000/Uppercase/lowercase:tag", "lower case"},
      {"docker/Docker", "lower case"},
      {"docker.io/docker/Docker", "lower case"},
      {"aa/asdf$$^/aa", "malformed"},
      {"https://github.com/docker/docker", "URL"},
      {"-docker", "malformed"},
      {"docker-", "malformed"},
      {"-docker/docker", "malformed"},
      {"docker-/docker", "malformed"},
      {"_docker/_docker", "malformed"},
      {"____/____", "malformed"},
      {"dock___er", "malformed"},
      {"dock..er/docker", "host[:port]"},
      {"docker/dock..er", "malformed"},
      {"dock_.er/docker", "host[:port]"},
      {"docker/dock_.er", "malformed"},
      {"dock-.er/docker", "host[:port]"},
      {"docker/dock-.er", "malformed"},
      {"docker///docker", "malformed"},
      {"docker.io/docker///docker", "malformed"},
      {"docker/", "malformed"},
      {"docker.io/", "malformed"},
      {"ghcr.io/", "no repository"},
      {"ghcr.io/:tag", "no repository"},
      {"/web", "malformed"},
      {"ghcr.io//web", "malformed"},
      {"ghcr.io/web/", "malformed"},
      {"-docker.io/docker/docker", "host[:port]"},
      {"docker-.io/docker", "host[:port]"},
      {"ghcr..io/web", "host[:port]"},
      {".ghcr.io/web", "host[:port]"},
      {"ghcr.io./web", "host[:port]"},
      {"ghcr.io:/web", "host[:port]"},
      {"ghcr.io:80a/web", "host[:port]"},
      {"ghcr.io:80:80/web", "host[:port]"},
      {":5000/web", "host[:port]"},
      {"user@ghcr.io/web", "host[:port]"},
      {"foo_bar.com/web", "host[:port]"},
      {"fc00::1:5000/debian", "host[:port]"},
      {"[fc00::1]", "malformed"},
      {"[fc00::1]:5000", "malformed"},
      {"[fe80::1%eth0]:5000/repo", "host[:port]"},
      {"[fe80::1%@invalidzone]:5000/repo", "host[:port]"},
      {"[2001:db8:3:4::192.0.2.33]:5000/debian", "host[:port]"},
      {"[::1/repo", "host[:port]"},
      {"[::1]x/repo", "host[:port]"},
      {"[]:80/repo", "host[:port]"},
      {"<none>", "malformed"},
      {"<none>:<none>", "malformed"},
      {"example.com/" + std::string(256, 'a'), "longer than 255"},
      {"a.b/" + repeat("a/", 128) + "a", "longer than 255"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto reference = ImageReference::parse(row.text);
    REQUIRE_FALSE(reference.has_value());
    CHECK(reference.error().kind == ErrorKind::config);
    CAPTURE(reference.error().message);
    CHECK(reference.error().message.find(row.says) != std::string::npos);
    CHECK(reference.error().message.find('\n') == std::string::npos);
  }
}

TEST_CASE("a refusal quotes the text") {
  const auto reference = ImageReference::parse("Uppercase:tag");
  REQUIRE_FALSE(reference.has_value());
  CHECK(reference.error().message.starts_with("\"Uppercase:tag\" is not an image reference"));
}

TEST_CASE("an image id is refused as one, with the remedy") {
  for (const std::string& text : {std::string(k_hex), sha(k_hex), "sha512:" + repeat(k_hex, 2)}) {
    CAPTURE(text);
    const auto reference = ImageReference::parse(text);
    REQUIRE_FALSE(reference.has_value());
    CHECK(reference.error().kind == ErrorKind::config);
    CHECK(reference.error().message.find("image id") != std::string::npos);
    CHECK_FALSE(reference.error().remedy.empty());
  }
}

TEST_CASE("two spellings of one reference are equal, whoever wrote the domain") {
  CHECK(parsed("nginx") == parsed("index.docker.io/library/nginx:latest"));
  CHECK(parsed("nginx") != parsed("nginx:1"));
  CHECK(parsed("nginx") != parsed("ghcr.io/library/nginx"));
  CHECK(parsed("nginx@" + sha(k_hex)) != parsed("nginx:latest@" + sha(k_hex)));
  CHECK(parsed("ghcr.io/a:1") < parsed("ghcr.io/a:2"));
  CHECK((parsed("nginx") <=> parsed("docker.io/nginx:latest")) == 0);
}

TEST_CASE("at() names the same repository by digest only") {
  const auto digest = Digest::parse(sha(k_hex));
  REQUIRE(digest.has_value());
  CHECK(parsed("ghcr.io/acme/web:1").at(*digest).str() == "ghcr.io/acme/web@" + sha(k_hex));
  CHECK(parsed("nginx:1@" + sha(k_f64)).at(*digest).familiar() == "nginx@" + sha(k_hex));
  CHECK_FALSE(parsed("nginx").at(*digest).has_explicit_domain());
}

TEST_CASE("a RepoDigests entry counts only for its own repository") {
  struct Row {
    std::string entry;
    std::string reference;
    bool found;
  };
  const std::string digest = sha(k_hex);
  const std::vector<Row> rows = {
      {"nginx@" + digest, "nginx:1.27", true},
      {"nginx@" + digest, "docker.io/library/nginx", true},
      {"docker.io/library/nginx@" + digest, "nginx", true},
      {"index.docker.io/nginx@" + digest, "nginx", true},
      {"ghcr.io/o/i@" + digest, "ghcr.io/o/i:latest@" + sha(k_f64), true},
      {"harbor.lan:8443/o/i@" + digest, "harbor.lan:8443/o/i", true},
      {"harbor.lan:8443/o/i@" + digest, "harbor.lan/o/i", false},
      {"mirror.lan/library/nginx@" + digest, "nginx", false},
      {"nginx2@" + digest, "nginx", false},
      {"acme/nginx@" + digest, "nginx", false},
      {"moby-dangling@" + digest, "nginx", false},
      {"nginx", "nginx", false},
      {"nginx:latest", "nginx", false},
      {"nginx@sha256:abc", "nginx", false},
      {"nginx@", "nginx", false},
      {digest, "nginx", false},
      {"<none>@<none>", "nginx", false},
      {"", "nginx", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.entry);
    CAPTURE(row.reference);
    const auto found = tallyman::repo_digest_of(row.entry, parsed(row.reference));
    REQUIRE(found.has_value() == row.found);
    if (found) {
      CHECK(found->str() == digest);
    }
  }
}
