#include <doctest/doctest.h>

#include "support/values.hpp"
#include "tallyman/model/drift.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

const Timestamp k_first = at("2026-11-22T10:00:00Z");
const Timestamp k_later = at("2026-11-23T10:00:00Z");
const Timestamp k_last = at("2026-11-24T10:00:00Z");

ComposeModel model(std::string hash, std::string stamp = "1", std::string made_by = "2.26.1") {
  return {.made_by = std::move(made_by),
          .hash = std::move(hash),
          .inputs = {.settings = "s", .files = {{"/srv/web/compose.yaml", std::move(stamp)}}}};
}

ServiceModels known() {
  ServiceModels models;
  CHECK_FALSE(learn_model(models, model("a"), "label", k_first));
  return models;
}

std::string message_of(const ServiceModels& models) {
  const auto drift = drift_of({{{"shop", "web"}, models}});
  return drift ? drift->message : "";
}

}  // namespace

TEST_CASE("what compose says after the first time, and what follows from it") {
  struct Row {
    const char* what;
    ComposeModel now;
    const char* label;
    bool drifts;
  };
  const Row rows[] = {
      {"nothing changed", model("a"), "label", false},
      {"a file was written again, as it was", model("a", "2"), "label", false},
      {"an edit", model("b", "2"), "label", true},
      {"an edit of what is included", model("b"), "label", true},
      {"an edit, and nobody knows what runs", model("b", "2"), "", true},
      {"an edit that somebody has applied", model("b", "2"), "other", false},
      {"another compose", model("b", "1", "2.27.0"), "label", false},
      {"another compose, and an edit", model("b", "2", "2.27.0"), "label", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    ServiceModels models = known();
    CHECK(learn_model(models, row.now, row.label, k_later) == row.drifts);
    CHECK(models.changed.has_value() == row.drifts);
    CHECK(is_known(models, row.now.inputs));
    CHECK((models.at == (row.drifts ? k_first : k_later)));
  }
}

TEST_CASE("drift is news once, and gone when what was there is put back") {
  ServiceModels models = known();
  CHECK_FALSE(is_known(models, model("b", "2").inputs));
  CHECK(learn_model(models, model("b", "2"), "label", k_later));
  CHECK_FALSE(learn_model(models, model("c", "3"), "label", k_last));
  CHECK((models.changed->since == k_later));
  CHECK_FALSE(learn_model(models, model("a", "4"), "label", k_last));
  CHECK_FALSE(models.changed.has_value());
}

TEST_CASE("another label says that what compose said last was applied") {
  ServiceModels models = known();
  (void)learn_model(models, model("b", "2"), "label", k_later);
  for (const char* label : {"label", ""}) {
    settle_models(models, label, k_last);
    CHECK(models.changed.has_value());
  }
  settle_models(models, "other", k_last);
  CHECK_FALSE(models.changed.has_value());
  CHECK(models.applied.hash == "b");
  CHECK(models.label == "other");

  ServiceModels deployed{.applied = model("b"), .at = k_first};
  settle_models(deployed, "other", k_last);
  CHECK(deployed.label == "other");
  CHECK((deployed.at == k_first));
}

TEST_CASE("the message names services, files and the day") {
  ServiceModels edited = known();
  (void)learn_model(edited, model("b", "2"), "label", k_later);
  CHECK(message_of(edited) == "service web: /srv/web/compose.yaml was edited since 2026-11-22");

  ServiceModels included = known();
  (void)learn_model(included, model("b"), "label", k_later);
  CHECK(message_of(included) ==
        "service web: a file that compose includes, or a variable, changed since 2026-11-22");

  ServiceModels settings = known();
  ComposeModel other = model("b");
  other.inputs = {.settings = "t", .files = {{"/srv/web/prod.yaml", "7"}}};
  (void)learn_model(settings, other, "label", k_later);
  CHECK(message_of(settings) == "service web: the settings of compose changed since 2026-11-22");

  ServiceModels two = known();
  ComposeModel more = model("b", "");
  more.inputs.files["/srv/web/.env"] = "1";
  (void)learn_model(two, more, "label", k_last);
  const auto drift = drift_of({{{"shop", "api"}, edited},
                               {{"shop", "db"}, known()},
                               {{"shop", "web"}, edited},
                               {{"shop", "worker"}, two}});
  REQUIRE(drift.has_value());
  CHECK(drift->message ==
        "service worker: /srv/web/.env, /srv/web/compose.yaml were edited since 2026-11-22; "
        "services api, web: /srv/web/compose.yaml was edited since 2026-11-22");
  CHECK(drift->services == std::vector<std::string>{"api", "web", "worker"});
  CHECK(drift->files == std::vector<std::string>{"/srv/web/.env", "/srv/web/compose.yaml"});
  CHECK((drift->since == k_later));
  CHECK(message_of(known()).empty());
}
