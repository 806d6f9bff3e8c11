#include <doctest/doctest.h>

#include "support/values.hpp"
#include "tallyman/deploy/compose_target.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

std::string hash_of(const std::string& service, const std::string& rest = "") {
  const auto model = parse_compose_model("services:\n  web: {" + service + "}\n" + rest);
  return value_of(model).at("web").hash;
}

}  // namespace

TEST_CASE("a service's hash tells what would be applied") {
  struct Row {
    const char* what;
    const char* one;
    const char* other;
    bool same;
  };
  const Row rows[] = {
      {"an image", "image: a, user: x", "image: b, user: x", true},
      {"the order of keys", "user: x, tty: true", "tty: true, user: x", true},
      {"what is not applied", "user: x, build: {context: /a}, pull_policy: always, scale: 2",
       "user: x, profiles: [p]", true},
      {"the number of replicas", "deploy: {replicas: 2, labels: {a: b}}",
       "deploy: {labels: {a: b}}", true},
      {"limits", "deploy: {resources: {limits: {cpus: 1}}}",
       "deploy: {resources: {limits: {cpus: 2}}}", false},
      {"a variable", "environment: {A: '1'}", "environment: {A: '2'}", false},
      {"no value", "environment: {A: ''}", "environment: {A: null}", false},
      {"a text and a number", "tty: 'true'", "tty: true", false},
      {"the order of a list", "command: [a, b]", "command: [b, a]", false},
      {"where a text ends", "command: [ab, c]", "command: [a, bc]", false},
      {"what is a list", "command: [a, [b]]", "command: [[a], b]", false},
      {"a name and a value", "environment: {A: B}", "environment: [A, B]", false},
      {"a label of that name", "labels: {image: a}", "labels: {image: b}", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK((hash_of(row.one) == hash_of(row.other)) == row.same);
  }
  CHECK(hash_of("user: x").size() == 64);
}

TEST_CASE("of networks, volumes, secrets and configs those count that the service uses") {
  struct Row {
    const char* service;
    const char* one;
    const char* other;
    bool same;
  };
  const Row rows[] = {
      {"networks: {front: null}", "networks: {front: {name: a}}", "networks: {front: {name: b}}",
       false},
      {"networks: [front]", "networks: {front: {name: a}}", "networks: {front: {name: b}}", false},
      {"networks: [front]", "networks: {back: {name: a}}", "networks: {back: {name: b}}", true},
      {"volumes: ['data:/data:rw']", "volumes: {data: {driver: a}}", "volumes: {data: {driver: b}}",
       false},
      {"volumes: ['data:/data:rw']", "volumes: {dat: {driver: a}}", "volumes: {dat: {driver: b}}",
       true},
      {"volumes: [{type: volume, source: data}]", "volumes: {data: {driver: a}}", "volumes: {}",
       false},
      {"secrets: [{source: key}]", "secrets: {key: {file: /a}}", "secrets: {key: {file: /b}}",
       false},
      {"configs: [key]", "configs: {key: {file: /a}}", "configs: {key: {file: /b}}", false},
      {"secrets: [key]", "configs: {key: {file: /a}}", "configs: {key: {file: /b}}", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.service);
    CAPTURE(row.other);
    CHECK((hash_of(row.service, row.one) == hash_of(row.service, row.other)) == row.same);
  }
}

TEST_CASE("aliases are what they stand for, and never endless") {
  CHECK(hash_of("labels: &a {x: y}, annotations: *a") ==
        hash_of("annotations: {x: y}, labels: {x: y}"));
  std::string bomb = "services: {web: {labels: [&a0 [x, x]";
  for (int i = 0; i < 40; ++i) {
    bomb += fmt::format(", &a{} [*a{}, *a{}]", i + 1, i, i);
  }
  CHECK(contains(error_of(parse_compose_model(bomb + "]}}")).message, "too large"));
  CHECK(contains(error_of(parse_compose_model("services: {web: &a {labels: [*a]}}")).message,
                 "compose config printed no YAML"));
}
