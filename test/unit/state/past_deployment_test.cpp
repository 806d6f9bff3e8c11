#include "tallyman/state/past_deployment.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "support/temp_folder.hpp"
#include "support/values.hpp"
#include "tallyman/state/state_directory.hpp"
#include "unit/state/journals.hpp"

using namespace tallyman;
using namespace tallyman::test;

TEST_CASE("a record tells who deployed what, and how it ended") {
  Journal journal = full_journal();
  journal.phase = Phase::rolled_back;
  journal.plan.trigger = {.name = "rollback", .by = "anna"};
  const PastDeployment past = value_of(parse_record(record_to_json(past_of(journal))));
  CHECK(past.id == journal.id);
  CHECK((past.result == ServiceState::rolled_back));
  CHECK(past.trigger == "rollback");
  CHECK(past.by == "anna");
  CHECK((past.started_at == journal.started_at));
  REQUIRE(past.services.size() == journal.plan.parts.size());
  CHECK(past.services[0].name == journal.plan.parts[0].service);
  CHECK((past.services[0].from == journal.plan.parts[0].from));
  CHECK((past.services[0].to == journal.plan.parts[0].to));
  REQUIRE(past.images.size() == journal.plan.images.size());
  CHECK((past.images[0].reference == journal.plan.images[0].reference));
  CHECK((past.images[0].digest == journal.plan.images[0].digest));
  CHECK(past.images[0].old.size() == journal.plan.images[0].old.size());
  CHECK(past.error.has_value() == journal.error.has_value());
}

TEST_CASE("what is no record is an error") {
  for (const char* text :
       {"", "{", "[]", "{}", R"({"schema":2})", R"({"schema":1})", R"({"schema":1,"id":7})"}) {
    CAPTURE(text);
    CHECK(error_of(parse_record(text)).kind == ErrorKind::protocol);
  }
}

TEST_CASE("the records of a service: newest first, without those of others and what is broken") {
  const TempFolder folder;
  const StateDirectory state(folder / "state");
  for (const char* id : {"20261121T000000Z-web", "20261122T000000Z-web", "20261123T000000Z-web"}) {
    Journal journal = full_journal(id);
    journal.phase = Phase::committed;
    REQUIRE(state.save_journal(journal).has_value());
    REQUIRE(state.close_journal(journal).has_value());
  }
  folder.write("state/deployments/20261122T000000Z-web/record.json", "{\"schema\": 1, ");
  const std::string service = full_journal().plan.parts.at(0).service;
  const auto past = value_of(state.past_deployments(service));
  REQUIRE(past.size() == 2);
  CHECK(past[0].id == "20261123T000000Z-web");
  CHECK(past[1].id == "20261121T000000Z-web");
  CHECK(value_of(state.past_deployments("somebody-else")).empty());
}

TEST_CASE("a journal remembers its trigger, its hold, and what is on the host already") {
  Journal journal = full_journal();
  journal.plan.images.at(0).local_id = id_of('b');
  journal.plan.trigger = {.name = "rollback",
                          .by = "anna",
                          .hold = Hold{.reason = "rolled back to 11111111",
                                       .until = at("2026-12-01T00:00:00Z"),
                                       .by = "anna",
                                       .at = at("2026-11-22T19:45:14Z"),
                                       .command = "rollback"},
                          .service = "web"};
  const Journal back = value_of(parse_journal(journal_to_json(journal)));
  CHECK(back.plan.images.at(0).local_id == id_of('b'));
  CHECK(back.plan.trigger.name == "rollback");
  CHECK(back.plan.trigger.by == "anna");
  CHECK(back.plan.trigger.service == "web");
  REQUIRE(back.plan.trigger.hold.has_value());
  CHECK(back.plan.trigger.hold->str() == journal.plan.trigger.hold->str());
}

TEST_CASE("a journal from before triggers were known can be finished") {
  std::string text = journal_to_json(full_journal());
  for (const char* key : {"\"local_id\"", "\"trigger\""}) {
    const std::size_t found = text.find(key);
    REQUIRE(found != std::string::npos);
    text.replace(found, 2, "\"x");  // a key that nobody knows
  }
  const Journal journal = value_of(parse_journal(text));
  CHECK(journal.plan.trigger.name == "manual");
  CHECK_FALSE(journal.plan.trigger.hold.has_value());
}

TEST_CASE("a record keeps versions and the time of every step") {
  Journal journal = full_journal();
  journal.plan.images.at(0).old.at(0).version = "v1.2.0";
  journal.images.at(0).version = "v1.3.0";
  journal.steps.at(0).at = at("2026-11-22T19:45:20Z");
  const std::string text = record_to_json(past_of(journal));
  const PastDeployment past = value_of(parse_record(text));
  REQUIRE(past.services.size() == 2);
  CHECK(past.services[0].from_version == "v1.2.0");
  CHECK(past.services[0].to_version == "v1.3.0");
  CHECK(past.images.at(0).version == "v1.3.0");
  REQUIRE(past.steps.size() == journal.steps.size());
  CHECK((past.steps[0].at == journal.steps[0].at));
  CHECK(past.steps[0].text == journal.steps[0].text);
  CHECK((past.downtime == journal.downtime));
  CHECK(record_to_json(past) == text);
  const Journal back = value_of(parse_journal(journal_to_json(journal)));
  CHECK(back.images.at(0).version == "v1.3.0");
  CHECK(back.plan.images.at(0).old.at(0).version == "v1.2.0");
}

TEST_CASE("for programs: the records, each with its folder and files") {
  PastDeployment past = past_of(full_journal());
  past.folder = "/var/lib/tallyman/deployments/a";
  past.outputs = {"compose-shop.log"};
  const auto json = nlohmann::json::parse(history_to_json({past}));
  CHECK(json["schema"] == 1);
  REQUIRE(json["deployments"].size() == 1);
  const auto& one = json["deployments"][0];
  CHECK(one["id"] == past.id);
  CHECK(one["result"] == "failed");
  CHECK(one["folder"] == past.folder);
  CHECK(one["files"] == nlohmann::json({"compose-shop.log"}));
  CHECK(one["services"][0]["service"] == "web");
  CHECK(nlohmann::json::parse(history_to_json({}))["deployments"].empty());
}
