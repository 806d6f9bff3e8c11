#include "tallyman/model/memory.hpp"

#include <doctest/doctest.h>

#include "support/values.hpp"
#include "tallyman/model/remote_image.hpp"

using namespace tallyman;
using namespace tallyman::test;
using namespace std::chrono_literals;

namespace {

/// What a registry offers: a digest, and the manifest of this platform behind it; '-' where nobody
/// looked into it.
RemoteImage offered(char hex, char manifest = '-', std::string_view reference = k_web) {
  RemoteImage remote{ref(reference), digest(hex)};
  if (manifest != '-') {
    remote.platform = PlatformImage{digest(manifest), digest('c')};
  }
  return remote;
}

ServiceMemory with_quarantined(char hex, char manifest = '-') {
  ServiceMemory service;
  service.quarantined.push_back(
      {.reference = ref(k_web).str(),
       .digest = digest(hex),
       .manifest = manifest == '-' ? std::nullopt : std::optional(digest(manifest)),
       .reason = "shop-web-1 exited with status 1",
       .at = at("2026-11-22T19:45:14Z")});
  return service;
}

struct Row {
  const char* what;
  char digest;
  char manifest;
  RemoteImage remote;
  bool found;
};

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {"the same digest", '2', '7', offered('2', '7'), true},
      {"the same digest, nobody knows the manifest", '2', '-', offered('2'), true},
      {"the same digest, not looked into", '2', '7', offered('2'), true},
      {"another index around the same manifest", '2', '7', offered('3', '7'), true},
      {"another index and manifest", '2', '7', offered('3', '8'), false},
      {"another index that was not looked into", '2', '7', offered('3'), false},
      {"another index, the manifest that failed is not known", '2', '-', offered('3', '7'), false},
      {"another reference", '2', '7', offered('2', '7', "harbor.lan/shop/web:2"), false},
      {"a digest that equals the manifest", '2', '7', offered('7'), false},
  };
  return all;
}

}  // namespace

TEST_CASE("what failed here is found by its digest, or by the manifest of this platform") {
  for (const Row& row : rows()) {
    CAPTURE(row.what);
    const ServiceMemory service = with_quarantined(row.digest, row.manifest);
    const Quarantined* found = find_quarantined(service, row.remote);
    REQUIRE((found != nullptr) == row.found);
    if (found != nullptr) {
      CHECK(found->reason == "shop-web-1 exited with status 1");
    }
  }
  CHECK(find_quarantined({}, offered('2', '7')) == nullptr);
}

TEST_CASE("a digest is let go of when its reference moves on to another image") {
  for (const Row& row : rows()) {
    CAPTURE(row.what);
    const bool other_reference = row.remote.reference != ref(k_web);
    ServiceMemory service = with_quarantined(row.digest, row.manifest);
    release_moved(service, row.remote);
    REQUIRE(service.quarantined.size() == (row.found || other_reference ? 1 : 0));
    if (row.found) {
      CHECK((service.quarantined[0].digest == row.remote.digest));
      CHECK(find_quarantined(service, offered(row.remote.digest.str().back())) != nullptr);
    }
  }
}

TEST_CASE("the other references of a service keep what failed of them") {
  ServiceMemory service = with_quarantined('2');
  service.quarantined.push_back({.reference = ref("harbor.lan/shop/api:1").str(),
                                 .digest = digest('2'),
                                 .reason = "",
                                 .at = {}});
  release_moved(service, offered('3'));
  REQUIRE(service.quarantined.size() == 1);
  CHECK(service.quarantined[0].reference == "harbor.lan/shop/api:1");
}

TEST_CASE("the longer it fails, the longer it is left alone, up to six hours") {
  struct Wait {
    int failures;
    std::chrono::milliseconds wait;
  };
  const Wait waits[] = {
      {-1, 0ms},  {0, 0ms},    {1, 0ms},    {2, 5min}, {3, 10min}, {4, 20min},          {5, 40min},
      {6, 80min}, {7, 160min}, {8, 320min}, {9, 6h},   {10, 6h},   {1'000'000'000, 6h},
  };
  for (const auto& [failures, wait] : waits) {
    CAPTURE(failures);
    CHECK(backoff(failures) == wait);
  }
}
