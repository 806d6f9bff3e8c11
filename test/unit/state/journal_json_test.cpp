#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tallyman/state/state_directory.hpp"
#include "unit/state/journals.hpp"

using namespace tallyman;
using namespace tallyman::test;
using Json = nlohmann::ordered_json;

namespace {

Journal parsed(const std::string& text) {
  return value_of(parse_journal(text));
}

/// A full journal whose text was changed.
Error refusal(const std::function<void(Json&)>& change) {
  Json json = Json::parse(journal_to_json(full_journal()));
  change(json);
  return error_of(parse_journal(json.dump()));
}

}  // namespace

TEST_CASE("a journal goes to its text and back without a loss") {
  const Journal journal = full_journal();
  const std::string text = journal_to_json(journal);
  CHECK(text.ends_with("}\n"));
  CHECK(journal_to_json(parsed(text)) == text);
}

TEST_CASE("what hooks and scripts need is in the text") {
  const Journal journal = parsed(journal_to_json(full_journal()));
  CHECK(journal.hooks_called);
  CHECK_FALSE(journal.plan.projects.at(0).by_script);
  CHECK(journal.plan.projects.at(1).by_script);
  const HookSettings& hooks = journal.plan.parts.at(0).hooks;
  CHECK(hooks.before == Calls{"/usr/local/bin/dump", "db"});
  CHECK(hooks.after == Calls{"./tell"});
  CHECK(hooks.on_failure == Calls{"logger", "oh"});
  CHECK(hooks.directory == "/opt/hooks");
  CHECK((hooks.timeout == std::chrono::seconds(90)));
  CHECK(journal.plan.parts.at(1).hooks.before.empty());
}

TEST_CASE("a journal from before there were hooks and scripts is understood") {
  Json json = Json::parse(journal_to_json(full_journal()));
  json.erase("hooks_called");
  for (Json& part : json["plan"]["parts"]) {
    part.erase("hooks");
  }
  for (Json& project : json["plan"]["projects"]) {
    project.erase("by_script");
  }
  const Journal journal = parsed(json.dump());
  CHECK_FALSE(journal.hooks_called);
  CHECK_FALSE(journal.plan.projects.at(1).by_script);
  CHECK(journal.plan.parts.at(0).hooks.before.empty());
}

TEST_CASE("what a recovery needs is in the text") {
  const Journal journal = parsed(journal_to_json(full_journal()));
  CHECK(journal.id == "20261122T194514Z-web");
  CHECK(journal.folder == "/var/lib/tallyman/deployments/20261122T194514Z-web");
  CHECK(to_string(journal.phase) == "restore");
  CHECK(journal.writes == 7);
  CHECK(journal.recoveries == 2);
  CHECK((journal.started_at == at("2026-11-22T19:45:14.250Z")));
  CHECK((journal.finished_at == at("2026-11-22T19:46:00Z")));
  CHECK(journal.was_unhealthy);
  CHECK(journal.judged);
  CHECK(journal.has_evidence);
  CHECK(journal.suspects == Calls{"harbor.lan/shop/web:1"});
  CHECK(to_string(journal.reason_code) == "unhealthy");
  REQUIRE(journal.error.has_value());
  CHECK(journal.error->kind == ErrorKind::process);
  CHECK(journal.error->message == "shop-web-1 exited with status 1");
  CHECK(journal.error->remedy == "look at its log");
  CHECK((journal.downtime == std::chrono::milliseconds(1234)));
  CHECK(journal.replicas == 3);
  REQUIRE(journal.steps.size() == 2);
  CHECK(journal.steps[1].text == "caf\u00e9 \"quoted\"\n");
  CHECK(journal.steps[0].took.count() == 6100);
  REQUIRE(journal.commands.size() == 2);
  CHECK(journal.commands[0].argv.size() == 5);
  CHECK(journal.commands[0].directory == "/srv/shop");
  CHECK(journal.commands[0].environment.at("PASSWORD") == k_secret);
  CHECK(journal.commands[0].timeout.count() == 600'000);
  REQUIRE(journal.models.size() == 2);
  CHECK(journal.models[1].empty());
  const ComposeModel& model = journal.models[0].at("web");
  CHECK(model.made_by == "2.26.1");
  CHECK(model.hash == "hash");
  CHECK((model.inputs == ModelInputs{"settings", {{"/srv/shop/compose.yaml", "1.5 7 9"}}}));
  CHECK(journal.plan.projects.at(0).drop_in == "web");
  REQUIRE(journal.images.size() == 2);
  CHECK(journal.images[0].image_id == id_of('f'));
  CHECK(journal.images[0].was_here);
  CHECK(journal.images[0].tag_before == id_of('a'));
}

TEST_CASE("so is the plan") {
  const DeploymentPlan plan = parsed(journal_to_json(full_journal())).plan;
  REQUIRE(plan.parts.size() == 2);
  CHECK(plan.name() == "web, worker");
  CHECK(plan.parts[0].references.size() == 2);
  CHECK((plan.parts[0].from == digest('1')));
  CHECK((plan.parts[0].to == digest('2')));
  CHECK_FALSE(plan.parts[1].from.has_value());
  CHECK_FALSE(plan.parts[0].rollback.enabled);
  CHECK(plan.parts[0].rollback.keep == 5);
  const HealthSettings& health = plan.parts[0].health;
  CHECK(health.timeout.count() == 1500);
  CHECK(health.settle.count() == 250);
  CHECK(health.http == Calls{"http://127.0.0.1:3000/health"});
  CHECK((health.http_status == 204));
  CHECK(health.tcp == Calls{"127.0.0.1:5432"});
  CHECK(health.command == Calls{"wget", "-q"});
  CHECK_FALSE(plan.parts[1].health.http_status.has_value());
  REQUIRE(plan.images.size() == 2);
  CHECK((plan.images[0].reference == ref("harbor.lan/shop/web:1")));
  CHECK(plan.images[0].platform.str() == "linux/arm64/v8");
  CHECK((plan.images[0].manifest == digest('7')));
  REQUIRE(plan.images[0].old.size() == 2);
  CHECK(plan.images[0].old[0].project == "shop");
  CHECK((plan.images[0].old[0].digest == digest('1')));
  CHECK_FALSE(plan.images[0].old[1].digest.has_value());
  REQUIRE(plan.projects.size() == 2);
  CHECK(plan.projects[0].compose.project == "shop");
  CHECK(plan.projects[0].created_by_v1);
  const ServicePlan& service = plan.projects[0].services.at(0);
  CHECK(service.name == "web");
  REQUIRE(service.containers.size() == 2);
  CHECK(service.containers[1].id == "c2");
  CHECK(service.containers[1].name == "shop-web-2");
  CHECK(service.containers[1].number == 2);
  CHECK(service.containers[1].image_id == id_of('b'));
  CHECK(service.bystanders == Calls{"c3"});
  CHECK(plan.projects[0].followers.at(0).name == "vpn");
}

TEST_CASE("a journal of each phase goes to its text and back") {
  for (int i = 0; i <= static_cast<int>(Phase::failed); ++i) {
    Journal journal = full_journal();
    journal.phase = static_cast<Phase>(i);
    CHECK((parsed(journal_to_json(journal)).phase == journal.phase));
  }
}

TEST_CASE("bytes that are no UTF-8 do not stop a journal from being written") {
  Journal journal = full_journal();
  journal.error->message = "exec: \"\xff\xfe\"";
  journal.steps[0].text = "\xc3";
  CHECK(parsed(journal_to_json(journal)).steps.size() == 2);
}

TEST_CASE("a journal that was cut off anywhere is an error") {
  const std::string text = journal_to_json(full_journal());
  for (std::size_t size = 0; size + 2 < text.size(); ++size) {
    const auto journal = parse_journal(std::string_view(text).substr(0, size));
    if (journal || journal.error().kind != ErrorKind::protocol) {
      CAPTURE(size);
      FAIL_CHECK("it was taken for a whole one");
    }
  }
}

TEST_CASE("a journal with any byte changed is an error, or a journal") {
  const std::string text = journal_to_json(full_journal());
  std::size_t refused = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const char byte : {'"', '9', '\xff'}) {
      std::string changed = text;
      changed[i] = byte;
      const auto journal = parse_journal(changed);
      if (journal) {
        CHECK(journal->commands.size() == journal->plan.projects.size());
        CHECK(journal->images.size() == journal->plan.images.size());
        CHECK(!record_to_json(past_of(*journal)).empty());
      } else {
        ++refused;
        CHECK(journal.error().kind == ErrorKind::protocol);
      }
    }
  }
  CHECK(refused > text.size());
}

TEST_CASE("any member that is missing, or of another type, is an error, or a journal") {
  const Json whole = Json::parse(journal_to_json(full_journal()));
  const Json flat = whole.flatten();
  for (const auto& [pointer, old] : flat.items()) {
    for (const Json& value : {Json(nullptr), Json(7), Json(-1e300), Json("x"), Json::array(),
                              Json::object(), Json::parse("[[[1]]]"), Json(true)}) {
      Json json = whole;
      json[Json::json_pointer(pointer)] = value;
      const auto journal = parse_journal(json.dump());
      CHECK((journal || journal.error().kind == ErrorKind::protocol));
    }
  }
  for (const auto& [key, value] : whole.items()) {
    CAPTURE(key);
    Json json = whole;
    json.erase(key);
    // What came later than the rest has a default: an upgrade must not lose an open journal.
    CHECK(parse_journal(json.dump()).has_value() == (key == "hooks_called" || key == "models"));
  }
}

TEST_CASE("what is no journal of schema 1 is refused") {
  for (const char* text : {"", "null", "[]", "7", "{}", "{\"schema\": 1}", "\xff"}) {
    CAPTURE(text);
    CHECK(error_of(parse_journal(text)).kind == ErrorKind::protocol);
  }
  CHECK(refusal([](Json& json) { json["schema"] = 2; }).message == "not of schema 1");
  CHECK(refusal([](Json& json) { json["phase"] = "pulling"; }).message ==
        "\"pulling\" is not known");
  CHECK(refusal([](Json& json) { json["reason_code"] = "?"; }).message == "\"?\" is not known");
  CHECK(refusal([](Json& json) { json["started_at"] = "now"; }).message == "\"now\" is not known");
  CHECK(contains(refusal([](Json& json) { json.erase("writes"); }).message, "writes"));
}

TEST_CASE("lists that do not fit together are refused") {
  const std::function<void(Json&)> changes[] = {
      [](Json& json) { json["commands"].erase(0); },
      [](Json& json) { json["commands"].push_back(json["commands"][0]); },
      [](Json& json) { json["images"].erase(0); },
      [](Json& json) { json["plan"]["images"].erase(0); },
      [](Json& json) { json["plan"]["parts"] = Json::array(); },
  };
  for (const auto& change : changes) {
    CHECK(refusal(change).message == "its lists do not fit together");
  }
}

TEST_CASE("a text that nests deeply is an error") {
  const std::string deep(100'000, '[');
  CHECK(error_of(parse_journal(deep)).kind == ErrorKind::protocol);
  CHECK(error_of(parse_journal(deep + std::string(100'000, ']'))).kind == ErrorKind::protocol);
}

TEST_CASE("a record says how it ended, and keeps no secret") {
  const std::string text = record_to_json(past_of(full_journal()));
  CHECK_FALSE(contains(text, k_secret));
  CHECK_FALSE(contains(text, "/srv/shop"));
  const Json json = Json::parse(text);
  CHECK(json["schema"] == 1);
  CHECK(json["id"] == "20261122T194514Z-web");
  CHECK(json["result"] == "failed");
  CHECK_FALSE(json.contains("phase"));
  CHECK(json["reason_code"] == "unhealthy");
  CHECK(json["error"]["message"] == "shop-web-1 exited with status 1");
  CHECK(json["started_at"] == "2026-11-22T19:45:14.250Z");
  CHECK(json["downtime_ms"] == 1234);
  REQUIRE(json["services"].size() == 2);
  CHECK(json["services"][0]["service"] == "web");
  CHECK(json["services"][0]["from"] == digest('1').str());
  CHECK(json["services"][1]["from"].is_null());
  REQUIRE(json["images"].size() == 2);
  CHECK(json["images"][0]["reference"] == "harbor.lan/shop/web:1");
  CHECK(json["images"][0]["image_id"] == id_of('f'));
  CHECK(json["images"][0]["old"].size() == 2);
  CHECK(json["steps"].size() == 2);
}
