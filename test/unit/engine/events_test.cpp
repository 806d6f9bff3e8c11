#include <doctest/doctest.h>

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/values.hpp"
#include "unit/engine/fake_engine.hpp"
#include "unit/engine/recordings_of_life.hpp"

using tallyman::ContainerEvent;
using tallyman::Error;
using tallyman::ErrorKind;
using tallyman::Result;
using tallyman::test::at;
using tallyman::test::engine_error;
using tallyman::test::FakeEngine;
using tallyman::test::json_answer;

namespace {

const std::string k_line =
    "GET /events?since=1795389872.661000000&until=1795389880.000000000&filters="
    "%7B%22event%22%3A%5B%22start%22%2C%22die%22%5D%2C%22label%22%3A%5B%22"
    "com.docker.compose.project%3Dshop%22%5D%2C%22type%22%3A%5B%22container%22%5D%7D";

Result<std::vector<ContainerEvent>> events_of(std::string_view body) {
  FakeEngine fake;
  fake.on(k_line, body);
  return fake.engine.events("shop", at("2026-11-22T23:24:32.661Z"), at("2026-11-22T23:24:40Z"));
}

}  // namespace

TEST_CASE("events of real engines") {
  struct Row {
    std::string_view body;
    const char* first;
    const char* last;
    const char* id;
  };
  for (const Row& row : {Row{tallyman::test::k_engine20_events, "2026-11-22T23:24:33.755Z",
                             "2026-11-22T23:24:35.537Z",
                             "77a70aa8b2a8e30062563d0cbd8ff3fd326acc01b78372168ede94e511c40a6d"},
                         Row{tallyman::test::k_engine26_events, "2026-11-22T23:24:52.623Z",
                             "2026-11-22T23:24:54.845Z",
                             "3674fb5e2227bcf7b5ba410f5555ea05273b808d6cd5e49a917738a02dbb5e7a"}}) {
    const auto events = events_of(row.body);
    REQUIRE(events);
    REQUIRE(events->size() == 3);
    CHECK((*events)[0].action == "start");
    CHECK((*events)[0].at == at(row.first));
    CHECK((*events)[1].action == "start");
    CHECK((*events)[1].container == row.id);
    CHECK((*events)[2].action == "die");
    CHECK((*events)[2].container == row.id);
    CHECK((*events)[2].at == at(row.last));
  }
}

TEST_CASE("no events") {
  const auto events = events_of("");
  REQUIRE(events);
  CHECK(events->empty());
}

TEST_CASE("other actions than those asked for do not count") {
  const auto events = events_of(
      R"({"Action":"exec_create: sh","Actor":{"ID":"a"}}{"Action":"die","Actor":{"ID":"b"}})");
  REQUIRE(events);
  REQUIRE(events->size() == 1);
  CHECK(events->front().container == "b");
}

TEST_CASE("events that cannot be understood are an error") {
  struct Row {
    std::string body;
    const char* trouble;
  };
  std::string many;
  for (int i = 0; i < 10'001; ++i) {
    many += R"({"Action":"die","Actor":{"ID":"a"}})";
  }
  for (const Row& row :
       {Row{"<html>", "events are no stream of JSON objects of at most 1 MiB"},
        Row{"{]}", "answer, an event, is not JSON"},
        Row{R"({"Actor":{"ID":"a"}})", "answer, an event: field Action is missing"},
        Row{R"({"Action":"die"})", "answer, an event: field Actor.ID is missing"},
        Row{R"({"Action":"die","Actor":{"ID":"a"},"timeNano":"now"})",
            "answer, an event: field timeNano is a JSON string instead of an integer of 64 bits"},
        Row{many, "tells of more than 10000 events"}}) {
    CAPTURE(row.body.substr(0, 100));
    const auto events = events_of(row.body);
    REQUIRE_FALSE(events);
    CHECK(events.error().kind == ErrorKind::protocol);
    CHECK(events.error().message.ends_with(row.trouble));
  }
}

TEST_CASE("a stream that ends within an event is worth another try") {
  const auto events = events_of(R"({"Action":"die",)");
  REQUIRE_FALSE(events);
  CHECK(events.error().kind == ErrorKind::transient);
  CHECK(events.error().message == "the Docker Engine's events of project shop end within one");
}

TEST_CASE("an engine that refuses to tell") {
  FakeEngine fake;
  const auto events = fake.engine.events("shop", {}, {});
  REQUIRE_FALSE(events);
  CHECK(events.error().kind == ErrorKind::not_found);
  CHECK(events.error().message ==
        "the Docker Engine could not list the events of project shop: page not found");
  CHECK(fake.asked().front().contains("since=0.000000000&until=0.000000000&"));
}
