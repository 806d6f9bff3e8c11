#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "support/temp_folder.hpp"
#include "tallyman/io/process.hpp"
#include "unit/report/documents.hpp"

using namespace tallyman;
using namespace tallyman::test;
using Json = nlohmann::json;

namespace {

StatusDocument parsed(const std::string& text) {
  auto status = parse_status(text);
  REQUIRE_MESSAGE(status.has_value(), (status ? "" : status.error().message));
  return std::move(*status);
}

void check_same(const ImageStatus& a, const ImageStatus& b) {
  CHECK(a.reference == b.reference);
  CHECK((a.remote_digest == b.remote_digest));
  CHECK((a.checked_at == b.checked_at));
  CHECK((a.last_success_at == b.last_success_at));
  CHECK((a.running_digest == b.running_digest));
  CHECK((a.image_id == b.image_id));
  CHECK((a.version == b.version));
  CHECK((a.revision == b.revision));
  CHECK((a.created == b.created));
}

void check_same(const ContainerStatusEntry& a, const ContainerStatusEntry& b) {
  CHECK(a.id == b.id);
  CHECK(a.name == b.name);
  CHECK(a.project == b.project);
  CHECK(a.service == b.service);
  CHECK(a.reference == b.reference);
  CHECK((a.digest == b.digest));
  CHECK((a.since == b.since));
  CHECK(a.status == b.status);
  CHECK(a.health == b.health);
  CHECK((a.restarts == b.restarts));
}

void check_same(const std::optional<DeploymentRecord>& a,
                const std::optional<DeploymentRecord>& b) {
  REQUIRE(a.has_value() == b.has_value());
  if (a) {
    CHECK(a->id == b->id);
    CHECK(a->result == b->result);
    CHECK((a->from == b->from));
    CHECK((a->to == b->to));
    CHECK((a->finished_at == b->finished_at));
    CHECK(a->log == b->log);
  }
}

void check_same(const std::optional<Error>& a, const std::optional<Error>& b) {
  REQUIRE(a.has_value() == b.has_value());
  if (a) {
    CHECK(to_string(a->kind) == to_string(b->kind));
    CHECK(a->message == b->message);
    CHECK(a->remedy == b->remedy);
  }
}

template <class Entry>
void check_all(const std::vector<Entry>& a, const std::vector<Entry>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CAPTURE(i);
    check_same(a[i], b[i]);
  }
}

void check_same(const ServiceStatus& a, const ServiceStatus& b) {
  CHECK(a.name == b.name);
  CHECK(to_string(a.state) == to_string(b.state));
  CHECK(to_string(a.reason_code) == to_string(b.reason_code));
  CHECK(a.reason == b.reason);
  CHECK((a.update_available == b.update_available));
  CHECK((a.healthy == b.healthy));
  check_all(a.images, b.images);
  check_all(a.containers, b.containers);
  CHECK((a.last_good == b.last_good));
  CHECK((a.deployed_at == b.deployed_at));
  check_same(a.last_deployment, b.last_deployment);
  CHECK((a.pending_since == b.pending_since));
  CHECK(a.consecutive_failures == b.consecutive_failures);
  CHECK((a.quarantined == b.quarantined));
  check_same(a.error, b.error);
}

}  // namespace

TEST_CASE("a status goes to its text and back without a loss") {
  const StatusDocument before = rich_document();
  const std::string text = status_to_json(before);
  CHECK(text.ends_with("}\n"));
  const StatusDocument after = parsed(text);
  CHECK(after.version == before.version);
  CHECK(after.host == before.host);
  CHECK(after.run_id == before.run_id);
  CHECK(after.trigger == before.trigger);
  CHECK((after.started_at == before.started_at));
  CHECK((after.finished_at == before.finished_at));
  CHECK(after.duration.count() == before.duration.count());
  REQUIRE(after.services.size() == before.services.size());
  for (std::size_t i = 0; i < before.services.size(); ++i) {
    CAPTURE(before.services[i].name);
    check_same(after.services[i], before.services[i]);
  }
  CHECK(status_to_json(after) == text);
}

TEST_CASE(
    "the status file has the members that the design promises, and null for what is unknown") {
  StatusDocument status = document_of({});
  status.services = {rich_service(), service_in(ServiceState::absent, "bare")};
  const Json json = Json::parse(status_to_json(status));
  CHECK(json["schema"] == 1);
  CHECK(json["tallyman"] == "0.1.0");
  CHECK(json["host"] == "deploy-01");
  CHECK(json["run"] == Json({{"id", "2026-11-22T19:45:14Z"},
                             {"trigger", "manual"},
                             {"started_at", "2026-11-22T19:45:14Z"},
                             {"finished_at", "2026-11-22T19:45:20.500Z"},
                             {"duration_ms", 6500},
                             {"result", "failed"}}));
  CHECK(json["summary"]["services"] == 2);
  CHECK(json["summary"]["failed"] == 1);
  CHECK(json["summary"]["absent"] == 1);
  CHECK(json["summary"]["current"] == 0);
  CHECK(json["summary"].size() == 1 + std::size(k_all_states));

  const Json& web = json["services"][0];
  CHECK(web["state"] == "failed");
  CHECK(web["reason_code"] == "wrong_result");
  CHECK(web["images"][0]["running"]["version"] == "v1.2.0");
  CHECK(web["images"][1]["remote"] ==
        Json({{"digest", nullptr}, {"checked_at", nullptr}, {"last_success_at", nullptr}}));
  CHECK(web["last_good"]["digests"]["nginx:1"] == id_of('3'));
  CHECK(
      web["error"] ==
      Json({{"kind", "process"}, {"message", "compose up failed"}, {"remedy", "look at its log"}}));
  CHECK(web["quarantined"] == Json({id_of('5'), id_of('6')}));
  CHECK(web["last_deployment"]["log"] == "/var/lib/tallyman/deployments/x");
  const Json& bare = json["services"][1];
  for (const char* key : {"update_available", "healthy", "last_good", "last_deployment",
                          "pending_since", "hold", "drift", "error"}) {
    CAPTURE(key);
    REQUIRE(bare.contains(key));
    CHECK(bare[key].is_null());
  }
  CHECK(bare["quarantined"] == Json::array());
  CHECK(bare["images"] == Json::array());
}

TEST_CASE("registries with limits go to the text and back") {
  StatusDocument status = document_of({});
  status.registries = {
      {"docker.io", RegistryMemory::RateLimit{100, 76, std::chrono::hours(6)}, std::nullopt},
      {"harbor.lan", std::nullopt, at("2026-11-22T20:00:00Z")}};
  const auto read = parse_status(status_to_json(status));
  REQUIRE(read.has_value());
  REQUIRE(read->registries.size() == 2);
  CHECK(read->registries[0].name == "docker.io");
  REQUIRE(read->registries[0].rate_limit.has_value());
  CHECK(read->registries[0].rate_limit->limit == 100);
  CHECK(read->registries[0].rate_limit->remaining == 76);
  CHECK((read->registries[0].rate_limit->window == std::chrono::hours(6)));
  CHECK_FALSE(read->registries[0].not_before.has_value());
  CHECK_FALSE(read->registries[1].rate_limit.has_value());
  CHECK((read->registries[1].not_before == at("2026-11-22T20:00:00Z")));
}

TEST_CASE("an error without a remedy has no member for it") {
  StatusDocument status = document_of({ServiceState::unknown});
  status.services[0].error = Error{ErrorKind::tls, "no trust"};
  const Json json = Json::parse(status_to_json(status));
  CHECK(json["services"][0]["error"] == Json({{"kind", "tls"}, {"message", "no trust"}}));
}

TEST_CASE("a deployment without a folder has no log") {
  StatusDocument status = document_of({ServiceState::pending});
  status.services[0].last_deployment =
      DeploymentRecord{.id = "x", .result = "pending", .from = std::nullopt, .to = std::nullopt};
  const std::string text = status_to_json(status);
  CHECK(Json::parse(text)["services"][0]["last_deployment"]["log"].is_null());
  CHECK(parsed(text).services[0].last_deployment->log == "");
}

TEST_CASE("text that is not UTF-8 does not stop the status from being written") {
  StatusDocument status = document_of({ServiceState::current});
  status.services[0].reason = "caf\xe9";
  CHECK(parsed(status_to_json(status)).services[0].reason == "caf\ufffd");
}

TEST_CASE("what was written is what the schema allows") {
  const TempFolder folder;
  const std::string schema = TALLYMAN_SOURCE_DIR "/packaging/status.schema.json";
  const std::string validator = folder.write("validate.py", R"(
import json, sys, jsonschema
schema, document = (json.load(open(name)) for name in sys.argv[1:])
jsonschema.Draft202012Validator.check_schema(schema)
jsonschema.Draft202012Validator(schema).validate(document)
)");
  const auto validate = [&](const std::string& text) {
    const Command command{.argv = {"python3", validator, schema, folder.write("status", text)},
                          .environment = {{"PATH", "/usr/bin:/bin:/usr/local/bin"}}};
    const auto exit = PosixProcess().run(command);
    REQUIRE_MESSAGE(exit.has_value(), (exit ? "" : exit.error().message));
    return *exit;
  };
  for (const StatusDocument& status : {rich_document(), document_of({})}) {
    const Exit good = validate(status_to_json(status));
    CHECK_MESSAGE(good.ok(), good.err);
  }
  struct Row {
    const char* member;
    Json value;
    const char* error;
  };
  const Row rows[] = {
      {"/services/0/state", "fine", "'fine' is not one of"},
      {"/services/0/quarantined/1", "5555", "'5555' does not match"},
      {"/services/0/quarantined/1", nullptr, "None is not of type 'string'"},
      {"/services/0/last_deployment/log", 5, "is not valid under any of the given schemas"},
      {"/services/0/last_deployment/result", "fine", "is not valid under any of the given schemas"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.member);
    Json wrong = Json::parse(status_to_json(rich_document()));
    wrong[Json::json_pointer(row.member)] = row.value;
    const Exit bad = validate(wrong.dump());
    CHECK_FALSE(bad.ok());
    CHECK_MESSAGE(contains(bad.err, row.error), bad.err);
  }
}

TEST_CASE("what is no status of schema 1 is refused") {
  for (const char* text :
       {"", "{", "null", "[]", "5", "\"schema\"", "{}", R"({"schema": 2})", R"({"schema": "1"})",
        R"({"schema": null})", R"({"schema": 1.0})", "{\"schema\": 1}\xff",
        "\x7f"
        "ELF"}) {
    CAPTURE(text);
    const auto status = parse_status(text);
    const Error error = error_of(status);
    CHECK(error.kind == ErrorKind::protocol);
    CHECK(error.message == "not a status file of schema 1");
  }
}

TEST_CASE("what has the wrong type in a status is left empty, the rest stays") {
  const StatusDocument status = parsed(R"({
    "schema": 1, "tallyman": 5, "host": "h", "run": [],
    "services": [
      {"name": "web", "state": "marvellous", "reason_code": 7, "update_available": "yes",
       "images": [{"reference": "a", "remote": 5, "running": null}, 7],
       "containers": {"id": "c"}, "last_good": {"digests": 5, "deployed_at": 5},
       "last_deployment": [], "consecutive_failures": "many", "error": "text",
       "quarantined": ["5555", 7, null]},
      {"name": "api", "state": "current", "images": 5, "quarantined": "sha256", "last_good": {"digests": {"a": "b"}},
       "last_deployment": {"id": "x", "log": 7}}
    ]})");
  CHECK(status.version == "");
  CHECK(status.host == "h");
  CHECK(status.run_id == "");
  REQUIRE(status.services.size() == 2);
  const ServiceStatus& web = status.services[0];
  CHECK(web.state == ServiceState::unknown);
  CHECK_FALSE(web.update_available.has_value());
  REQUIRE(!web.images.empty());
  CHECK(web.images[0].reference == "a");
  CHECK_FALSE(web.images[0].remote_digest.has_value());
  CHECK(web.containers.empty());
  CHECK(web.last_good.empty());
  CHECK_FALSE(web.last_deployment.has_value());
  CHECK(web.consecutive_failures == 0);
  CHECK_FALSE(web.error.has_value());
  CHECK(web.quarantined.empty());
  CHECK(status.services[1].state == ServiceState::current);
  CHECK(status.services[1].images.empty());
  CHECK(status.services[1].last_good.empty());
  CHECK(status.services[1].quarantined.empty());
  CHECK(status.services[1].last_deployment->log == "");
}

TEST_CASE("services that are no list are none") {
  CHECK(parsed(R"({"schema": 1, "services": "web"})").services.empty());
  CHECK(parsed(R"({"schema": 1, "services": {"web": {}}})").services.empty());
  CHECK(parsed(R"({"schema": 1})").services.empty());
}
