#include <string>
#include <vector>

#include "unit/registry/faults.hpp"

namespace tallyman::test {
namespace {

/// 200 with these values of Docker-Content-Digest.
ScriptedAnswer naming(const std::vector<std::string>& digests, const std::string& body = {}) {
  ScriptedAnswer answer{200, {{"Content-Type", k_manifest_type}}, body};
  for (const std::string& digest : digests) {
    answer.headers.emplace_back("Docker-Content-Digest", digest);
  }
  return answer;
}

const std::string k_true_digest = digest_of(k_manifest);
const std::string k_short = "sha256:" + std::string(63, 'a');
const std::string k_long = "sha256:" + std::string(65, 'a');
const std::string k_upper = "sha256:" + std::string(64, 'A');

const std::vector<std::pair<std::string, std::vector<std::string>>> k_no_digests = {
    {"none", {}},
    {"an empty one", {""}},
    {"a blank one", {"  "}},
    {"one that is too short", {k_short}},
    {"one that is too long", {k_long}},
    {"one in upper case", {k_upper}},
    {"one without an algorithm", {std::string(64, 'a')}},
    {"one of md5", {"md5:" + std::string(32, 'a')}},
    {"one of no algorithm that we know",
     {"multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8"}},
    {"one with letters beyond f", {"sha256:" + std::string(64, 'g')}},
    {"one in quotes", {"\"" + k_digest_a + "\""}},
    {"one with something behind", {k_digest_a + "; x=y"}},
    {"two in one header", {k_digest_a + ", " + k_digest_a}},
    {"a path", {"sha256:../../../../etc/passwd"}},
    {"two that differ", {k_digest_a, some_digest('b')}},
    {"a good and a bad one", {k_digest_a, "x"}},
    {"one of 20 KB", {"sha256:" + std::string(20'000, 'a')}},
};

TEST_CASE("faults: a digest that is missing, malformed or ambiguous is made of the bytes") {
  std::vector<Oddity> rows;
  for (const auto& [name, digests] : k_no_digests) {
    rows.push_back({name, naming(digests), naming({}, k_manifest), k_true_digest});
  }
  rows.push_back({"the right one twice", naming({k_digest_a, k_digest_a}), {}, k_digest_a});
  check_oddities(rows);
}

TEST_CASE("faults: and so it is if GET does not name it either") {
  std::vector<Oddity> rows;
  for (const auto& [name, digests] : k_no_digests) {
    rows.push_back({name, naming({}), naming(digests, k_manifest), k_true_digest});
  }
  check_oddities(rows);
}

TEST_CASE("faults: a body that does not match the digest that came with it") {
  const std::string sha512 = "sha512:" + std::string(128, 'a');
  check_faults(
      {{"another body",
        naming({k_digest_a}, k_manifest),
        {ErrorKind::protocol, "HOST sent a manifest that does not match its digest: " + k_digest_a +
                                  " was to come, " + k_true_digest + " came"}},
       {"one byte more",
        naming({k_true_digest}, k_manifest + "\n"),
        {ErrorKind::protocol, "HOST sent a manifest that does not match its digest"}},
       {"no body", naming({k_true_digest}), {ErrorKind::protocol, "does not match its digest"}},
       {"one that we do not verify",
        naming({sha512}, k_manifest),
        {ErrorKind::protocol, "HOST names the manifest by " + sha512}}},
      true);
}

TEST_CASE("faults: what is behind a digest has that digest, whatever the registry says") {
  struct Row {
    std::string name;
    ScriptedAnswer answer;
    Expected expected;
  };
  const Expected mismatch{ErrorKind::protocol,
                          "HOST sent a manifest that does not match its digest: " + k_digest_a};
  for (const Row& row : std::vector<Row>{
           {"another manifest", naming({}, k_manifest), mismatch},
           {"another manifest under the name of the first", naming({k_digest_a}, k_manifest),
            mismatch},
           {"another manifest and its true name", naming({k_true_digest}, k_manifest), mismatch},
           {"an empty body", naming({k_digest_a}), mismatch},
           {"a captive portal",
            {200, {{"Content-Type", "text/html"}}, "<html>log in</html>"},
            mismatch},
           {"not there any more",
            {404},
            {ErrorKind::not_found, "HOST has no such manifest (404)", "push it"}},
       }) {
    CAPTURE(row.name);
    ScriptedServer server([&](const RecordedRequest&) { return row.answer; });
    Loopback loopback;
    loopback.plain(server.host());
    const std::string image = server.host() + "/shop/api";
    check_fault(loopback.look_into(image + ":1", k_digest_a), row.expected, server.host(), image);
    CHECK(server.requests().at(0).target == "/v2/shop/api/manifests/" + k_digest_a);
  }
}

TEST_CASE("faults: an index that leads nowhere, or round in circles") {
  const auto index = [](const std::string& child) {
    return R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",)"
           R"("manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":2,)"
           R"("digest":")" +
           child + R"(","platform":{"os":"linux","architecture":"amd64"}}]})";
  };
  const std::string inner = index(k_digest_a);
  struct Row {
    std::string name;
    std::string body;
    Expected expected;
  };
  for (const Row& row : std::vector<Row>{
           {"an index within an index",
            index(digest_of(inner)),
            {ErrorKind::protocol, "is an index within an index"}},
           {"a child that is gone", index(k_digest_a), {ErrorKind::not_found, "HOST"}},
           {"a child with another body",
            index(some_digest('d')),
            {ErrorKind::protocol, "does not match its digest"}},
           {"a child by no digest",
            index("latest"),
            {ErrorKind::protocol, "the manifest is malformed: manifests[0].digest"}},
           {"a child by a path",
            index("sha256:../../../secret"),
            {ErrorKind::protocol, "the manifest is malformed: manifests[0].digest"}},
       }) {
    CAPTURE(row.name);
    ScriptedServer server([&](const RecordedRequest& request) -> ScriptedAnswer {
      if (request.target.ends_with(digest_of(row.body))) {
        return {200, {}, row.body};
      }
      if (request.target.ends_with(digest_of(inner))) {
        return {200, {}, inner};
      }
      return request.target.ends_with(some_digest('d')) ? good_manifest() : ScriptedAnswer{404};
    });
    Loopback loopback;
    loopback.plain(server.host());
    const std::string image = server.host() + "/shop/api";
    check_fault(loopback.look_into(image + ":1", digest_of(row.body)), row.expected, server.host(),
                image);
    CHECK(server.requests().size() <= 2);
  }
}

}  // namespace
}  // namespace tallyman::test
