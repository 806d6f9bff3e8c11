#include "tallyman/model/manifest.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

using nlohmann::json;
using tallyman::ErrorKind;
using tallyman::ImageIndex;
using tallyman::ImageManifest;
using tallyman::Manifest;
using tallyman::parse_manifest;
using tallyman::Platform;

namespace {

std::string digest(char c) {
  return "sha256:" + std::string(64, c);
}

json described(std::string_view media_type, char c, std::int64_t size) {
  return {{"mediaType", media_type}, {"digest", digest(c)}, {"size", size}};
}

json image(std::string_view media_type = tallyman::k_media_oci_manifest) {
  return {{"schemaVersion", 2},
          {"mediaType", media_type},
          {"config", described("application/vnd.oci.image.config.v1+json", 'c', 7'000)},
          {"layers",
           {described("application/vnd.oci.image.layer.v1.tar+gzip", '1', 30'000'000),
            described("application/vnd.oci.image.layer.v1.tar+gzip", '2', 8'200'000)}}};
}

json entry(char c, json platform) {
  json value = described(tallyman::k_media_oci_manifest, c, 500);
  if (!platform.is_null()) {
    value["platform"] = std::move(platform);
  }
  return value;
}

json on(std::string_view os, std::string_view architecture, std::string_view variant = "") {
  json platform = {{"os", os}, {"architecture", architecture}};
  if (!variant.empty()) {
    platform["variant"] = variant;
  }
  return platform;
}

json index_of(json entries, std::string_view media_type = tallyman::k_media_oci_index) {
  return {{"schemaVersion", 2}, {"mediaType", media_type}, {"manifests", std::move(entries)}};
}

Manifest parsed(const json& document, std::string_view content_type = "") {
  auto manifest = parse_manifest(document.dump(), content_type);
  REQUIRE_MESSAGE(manifest.has_value(), manifest.error().message);
  return *manifest;
}

ImageIndex parsed_index(const json& entries) {
  return std::get<ImageIndex>(parsed(index_of(entries)).content);
}

void check_refused(std::string_view body, std::string_view content_type, std::string_view says) {
  const auto manifest = parse_manifest(body, content_type);
  REQUIRE_FALSE(manifest.has_value());
  CHECK(manifest.error().kind == ErrorKind::protocol);
  CAPTURE(manifest.error().message);
  CHECK(manifest.error().message.find(says) != std::string::npos);
  CHECK(manifest.error().message.size() < 2'000);
}

}  // namespace

TEST_CASE("the Accept header has the four types and no more") {
  CHECK(tallyman::manifest_accept_header() ==
        "application/vnd.oci.image.index.v1+json, "
        "application/vnd.docker.distribution.manifest.list.v2+json, "
        "application/vnd.oci.image.manifest.v1+json, "
        "application/vnd.docker.distribution.manifest.v2+json");
}

TEST_CASE("an image of either type is read") {
  for (const auto type : {tallyman::k_media_oci_manifest, tallyman::k_media_docker_manifest}) {
    CAPTURE(type);
    const Manifest manifest = parsed(image(type), type);
    CHECK(manifest.media_type == type);
    REQUIRE(std::holds_alternative<ImageManifest>(manifest.content));
    const auto& content = std::get<ImageManifest>(manifest.content);
    CHECK(content.config.digest.str() == digest('c'));
    CHECK(content.config.media_type == "application/vnd.oci.image.config.v1+json");
    CHECK(content.config.size == 7'000);
    REQUIRE(content.layers.size() == 2);
    CHECK(content.layers[1].digest.str() == digest('2'));
    CHECK(content.layer_bytes() == 38'200'000);
  }
}

TEST_CASE("an index of either type is read") {
  const json entries = {entry('a', on("linux", "amd64")), entry('b', on("linux", "arm64", "v8")),
                        entry('d', nullptr)};
  for (const auto type : {tallyman::k_media_oci_index, tallyman::k_media_docker_list}) {
    CAPTURE(type);
    const Manifest manifest = parsed(index_of(entries, type), type);
    CHECK(manifest.media_type == type);
    REQUIRE(std::holds_alternative<ImageIndex>(manifest.content));
    const auto& content = std::get<ImageIndex>(manifest.content);
    REQUIRE(content.entries.size() == 3);
    CHECK(content.entries[0].descriptor.digest.str() == digest('a'));
    CHECK(content.entries[0].descriptor.media_type == tallyman::k_media_oci_manifest);
    CHECK(content.entries[0].descriptor.size == 500);
    CHECK(content.entries[0].platform == Platform{"linux", "amd64", ""});
    CHECK(content.entries[1].platform == Platform{"linux", "arm64", "v8"});
    CHECK_FALSE(content.entries[2].platform.has_value());
    CHECK_FALSE(content.entries[0].attestation);
  }
}

TEST_CASE("the type comes from the body or from Content-Type, whose parameters do not count") {
  json untyped = image();
  untyped.erase("mediaType");
  const std::string oci(tallyman::k_media_oci_manifest);
  CHECK(parsed(untyped, oci).media_type == oci);
  CHECK(parsed(untyped, oci + "; charset=utf-8").media_type == oci);
  CHECK(parsed(untyped, "  Application/vnd.OCI.image.manifest.v1+JSON ;x").media_type == oci);
  CHECK(parsed(image(), "").media_type == oci);
  CHECK(parsed(image(), oci + ";charset=utf-8").media_type == oci);
  json null_type = image();
  null_type["mediaType"] = nullptr;
  CHECK(parsed(null_type, oci).media_type == oci);
}

TEST_CASE("a type that is unknown, missing or disputed is refused") {
  struct Row {
    json media_type;
    std::string_view content_type;
    std::string_view says;
  };
  const std::vector<Row> rows = {
      {tallyman::k_media_oci_manifest, tallyman::k_media_docker_manifest, "Content-Type"},
      {tallyman::k_media_oci_manifest, tallyman::k_media_oci_index, "Content-Type"},
      {tallyman::k_media_oci_manifest, "application/json", "Content-Type"},
      {nullptr, "", "not a media type"},
      {nullptr, "application/json", "not a media type"},
      {nullptr, "text/html; charset=utf-8", "text/html"},
      {"application/vnd.example", "", "application/vnd.example"},
      {7, tallyman::k_media_oci_manifest, "mediaType is no text"},
      {"a\x1b[2J\nb", "", "a\\x1b[2J\\x0ab"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.media_type);
    CAPTURE(row.content_type);
    json document = image();
    document["mediaType"] = row.media_type;
    check_refused(document.dump(), row.content_type, row.says);
  }
}

TEST_CASE("bytes that are no manifest are refused") {
  struct Row {
    std::string_view what;
    std::string body;
    std::string_view says;
  };
  const std::string good = image().dump();
  const std::vector<Row> rows = {
      {"empty", "", "not JSON"},
      {"a page of a proxy", "<html><body>502</body></html>", "not JSON"},
      {"cut off", good.substr(0, good.size() - 1), "not JSON"},
      {"something behind it", good + "x", "not JSON"},
      {"two documents", good + good, "not JSON"},
      {"bad UTF-8", "{\"schemaVersion\":2,\"x\":\"\xff\"}", "not JSON"},
      {"a number that overflows", "{\"schemaVersion\":2,\"x\":1e999}", "not JSON"},
      {"a zero byte", std::string("{\0}", 3), "not JSON"},
      {"a comment", "/* */ " + good, "not JSON"},
      {"null", "null", "no JSON object"},
      {"a list", "[]", "no JSON object"},
      {"a text", "\"x\"", "no JSON object"},
      {"an empty object", "{}", "schemaVersion"},
      {"an error of a registry", R"({"errors":[{"code":"MANIFEST_UNKNOWN"}]})", "schemaVersion"},
      {"deep lists", "{\"x\":" + std::string(200'000, '[') + std::string(200'000, ']') + "}",
       "nested deeper"},
      {"deep lists that are not closed", std::string(200'000, '['), "nested deeper"},
      {"33 levels", "{\"x\":" + std::string(40, '[') + std::string(40, ']') + "}", "nested deeper"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    check_refused(row.body, tallyman::k_media_oci_manifest, row.says);
  }
}

TEST_CASE("extensions that are not nested too deeply do not matter") {
  json document = image();
  document["x-extension"] = json::parse(std::string(20, '[') + std::string(20, ']'));
  document["annotations"] = {{"org.opencontainers.image.version", "1"}};
  document["subject"] = 7;
  CHECK(parsed(document).media_type == tallyman::k_media_oci_manifest);
}

TEST_CASE("schema 1 is refused by name, with the remedy") {
  const std::string body =
      R"({"schemaVersion":1,"name":"library/x","tag":"1","fsLayers":[],"history":[]})";
  for (const std::string_view type :
       {"application/vnd.docker.distribution.manifest.v1+prettyjws",
        "application/vnd.docker.distribution.manifest.v1+json", "application/json", ""}) {
    CAPTURE(type);
    check_refused(body, type, "schema 1");
    CHECK_FALSE(parse_manifest(body, type).error().remedy.empty());
  }
}

TEST_CASE("a field of an image that is wrong is named") {
  struct Row {
    std::string_view says;
    std::function<void(json&)> spoil;
  };
  const std::vector<Row> rows = {
      {"schemaVersion is 3", [](json& d) { d["schemaVersion"] = 3; }},
      {"schemaVersion is -1", [](json& d) { d["schemaVersion"] = -1; }},
      {"schemaVersion is no", [](json& d) { d["schemaVersion"] = "2"; }},
      {"schemaVersion is no", [](json& d) { d["schemaVersion"] = 2.0; }},
      {"schemaVersion is no", [](json& d) { d.erase("schemaVersion"); }},
      {"config is missing", [](json& d) { d.erase("config"); }},
      {"config is missing", [](json& d) { d["config"] = nullptr; }},
      {"config is no object", [](json& d) { d["config"] = "x"; }},
      {"config.digest is missing", [](json& d) { d["config"].erase("digest"); }},
      {"config.digest is no text", [](json& d) { d["config"]["digest"] = 5; }},
      {"config.digest: ", [](json& d) { d["config"]["digest"] = "sha256:abc"; }},
      {"config.digest: ", [](json& d) { d["config"]["digest"] = "md5:" + std::string(32, 'a'); }},
      {"config.mediaType is missing", [](json& d) { d["config"].erase("mediaType"); }},
      {"config.mediaType is no text", [](json& d) { d["config"]["mediaType"] = json::array(); }},
      {"config.size is no whole", [](json& d) { d["config"].erase("size"); }},
      {"config.size is no whole", [](json& d) { d["config"]["size"] = "7"; }},
      {"config.size is no whole", [](json& d) { d["config"]["size"] = 7.5; }},
      {"config.size -1 is negative", [](json& d) { d["config"]["size"] = -1; }},
      {"is too big", [](json& d) { d["config"]["size"] = std::uint64_t{1} << 63; }},
      {"layers is no list", [](json& d) { d.erase("layers"); }},
      {"layers is no list", [](json& d) { d["layers"] = json::object(); }},
      {"layers is no list", [](json& d) { d["layers"] = nullptr; }},
      {"layers[1] is no object", [](json& d) { d["layers"][1] = 1; }},
      {"layers[1].size -9", [](json& d) { d["layers"][1]["size"] = -9; }},
      {"layers[0].digest: ", [](json& d) { d["layers"][0]["digest"] = ""; }},
      {"layers has 1001 entries",
       [](json& d) { d["layers"] = json::array_t(1'001, d["layers"][0]); }},
      {"has the manifests", [](json& d) { d["manifests"] = json::array(); }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.says);
    json document = image();
    row.spoil(document);
    check_refused(document.dump(), "", row.says);
  }
}

TEST_CASE("a field of an index that is wrong is named") {
  struct Row {
    std::string_view says;
    std::function<void(json&)> spoil;
  };
  const std::vector<Row> rows = {
      {"manifests is no list", [](json& d) { d.erase("manifests"); }},
      {"manifests is no list", [](json& d) { d["manifests"] = "x"; }},
      {"manifests[0] is no object", [](json& d) { d["manifests"][0] = nullptr; }},
      {"manifests[0].digest is missing", [](json& d) { d["manifests"][0].erase("digest"); }},
      {"manifests[0].size -1", [](json& d) { d["manifests"][0]["size"] = -1; }},
      {"manifests[0].platform is no object", [](json& d) { d["manifests"][0]["platform"] = "x"; }},
      {"manifests[0].platform.os is no text",
       [](json& d) { d["manifests"][0]["platform"]["os"] = 1; }},
      {"manifests[0].platform.architecture is no text",
       [](json& d) { d["manifests"][0]["platform"]["architecture"] = json::array(); }},
      {"manifests[0].platform.variant is no text",
       [](json& d) { d["manifests"][0]["platform"]["variant"] = 8; }},
      {"manifests[0].annotations is no object",
       [](json& d) { d["manifests"][0]["annotations"] = json::array(); }},
      {"vnd.docker.reference.type is no text",
       [](json& d) { d["manifests"][0]["annotations"]["vnd.docker.reference.type"] = 1; }},
      {"manifests has 1001 entries",
       [](json& d) { d["manifests"] = json::array_t(1'001, d["manifests"][0]); }},
      {"has the config or layers", [](json& d) { d["layers"] = json::array(); }},
      {"has the config or layers", [](json& d) { d["config"] = json::object(); }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.says);
    json document = index_of(json::array({entry('a', on("linux", "amd64"))}));
    row.spoil(document);
    check_refused(document.dump(), "", row.says);
  }
}

TEST_CASE("a thousand entries are taken") {
  const json layer = described("x", '1', 1);
  json document = image();
  document["layers"] = json::array_t(1'000, layer);
  CHECK(std::get<ImageManifest>(parsed(document).content).layer_bytes() == 1'000);
  CHECK(parsed_index(json::array_t(1'000, entry('a', on("linux", "amd64")))).entries.size() ==
        1'000);
}

TEST_CASE("the sum of the layers does not overflow") {
  json document = image();
  document["layers"][0]["size"] = INT64_MAX;
  CHECK(std::get<ImageManifest>(parsed(document).content).layer_bytes() == INT64_MAX);
  document["layers"] = json::array();
  CHECK(std::get<ImageManifest>(parsed(document).content).layer_bytes() == 0);
}

TEST_CASE("attestations are recognised by platform or by annotation") {
  json annotated = entry('b', on("linux", "amd64"));
  annotated["annotations"] = {{"vnd.docker.reference.type", "attestation-manifest"}};
  json other = entry('d', on("linux", "amd64"));
  other["annotations"] = {{"vnd.docker.reference.type", "something else"}};
  const ImageIndex index = parsed_index(
      {entry('a', on("unknown", "unknown")), annotated, other, entry('e', on("linux", "unknown"))});
  REQUIRE(index.entries.size() == 4);
  CHECK(index.entries[0].attestation);
  CHECK(index.entries[1].attestation);
  CHECK_FALSE(index.entries[2].attestation);
  CHECK_FALSE(index.entries[3].attestation);
}

TEST_CASE("an empty platform is none") {
  const ImageIndex index = parsed_index({entry('a', on("", "")), entry('b', json::object())});
  CHECK_FALSE(index.entries[0].platform.has_value());
  CHECK_FALSE(index.entries[1].platform.has_value());
}

TEST_CASE("the entry for a platform is chosen") {
  struct Row {
    std::string_view what;
    json entries;
    Platform wanted;
    char chosen;  // '-' for none
  };
  json attestation = entry('9', on("linux", "amd64"));
  attestation["annotations"] = {{"vnd.docker.reference.type", "attestation-manifest"}};
  const json unknown = entry('8', on("unknown", "unknown"));
  const json bare = entry('7', nullptr);
  const json amd = entry('a', on("linux", "amd64"));
  const json amd_v3 = entry('b', on("linux", "amd64", "v3"));
  const json arm64 = entry('c', on("linux", "arm64", "v8"));
  const json v6 = entry('d', on("linux", "arm", "v6"));
  const json v7 = entry('e', on("linux", "arm", "v7"));
  const json windows = entry('f', on("windows", "amd64"));
  const std::vector<Row> rows = {
      {"the only match", {v6, arm64, amd, windows}, {"linux", "amd64"}, 'a'},
      {"arm64 without a variant", {amd, arm64}, {"linux", "arm64"}, 'c'},
      {"arm64 in another word", {amd, arm64}, {"linux", "aarch64"}, 'c'},
      {"exact first", {amd, amd_v3}, {"linux", "amd64", "v3"}, 'b'},
      {"never a higher variant", json::array({amd_v3}), {"linux", "amd64"}, '-'},
      {"a lower variant", {amd, arm64}, {"linux", "amd64", "v4"}, 'a'},
      {"arm v7 before v6", {v6, v7}, {"linux", "arm", "v7"}, 'e'},
      {"arm v6 where there is no v7", {v6, arm64}, {"linux", "arm", "v7"}, 'd'},
      {"arm v6 does not run v7", json::array({v7}), {"linux", "arm", "v6"}, '-'},
      {"the first of equals", {amd, entry('0', on("linux", "amd64"))}, {"linux", "amd64"}, 'a'},
      {"attestations never", {attestation, unknown, amd}, {"linux", "amd64"}, 'a'},
      {"only attestations", {attestation, unknown}, {"linux", "amd64"}, '-'},
      {"no unknown platform either", json::array({unknown}), {"unknown", "unknown"}, '-'},
      {"a single one without a platform", json::array({bare}), {"linux", "amd64"}, '7'},
      {"the same beside attestations", {unknown, bare, attestation}, {"linux", "amd64"}, '7'},
      {"one without a platform of several", {bare, arm64}, {"linux", "amd64"}, '-'},
      {"several without a platform", {bare, bare}, {"linux", "amd64"}, '-'},
      {"a single one for another platform", json::array({windows}), {"linux", "amd64"}, '-'},
      {"an empty index", json::array(), {"linux", "amd64"}, '-'},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const ImageIndex index = parsed_index(row.entries);
    const ImageIndex::Entry* chosen = tallyman::select_platform(index, row.wanted);
    CHECK((chosen == nullptr ? '-' : chosen->descriptor.digest.hex().front()) == row.chosen);
  }
}
