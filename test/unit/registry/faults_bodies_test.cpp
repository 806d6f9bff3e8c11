#include <string>

#include "unit/registry/faults.hpp"

namespace tallyman::test {
namespace {

ScriptedAnswer of_type(const std::string& type, const std::string& body) {
  return {200, {{"Content-Type", type}}, body};
}
ScriptedAnswer manifest(const std::string& body) {
  return of_type(k_manifest_type, body);
}
ScriptedAnswer raw(const std::string& headers, const std::string& body) {
  return ScriptedAnswer::bytes(
      {"HTTP/1.1 200 OK\r\nContent-Type: " + k_manifest_type + "\r\n" + headers + "\r\n" + body});
}
ScriptedAnswer chunked(const std::string& body) {
  return raw("Transfer-Encoding: chunked\r\n", body);
}

const std::string k_megabyte(std::size_t{1} << 20U, ' ');

std::string nested(char open, char close, std::size_t depth) {
  return std::string(depth, open) + std::string(depth, close);
}

std::string chunk(const std::string& body) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", body.size());
  return size + body + "\r\n";
}

std::string many(const std::string& item, int times) {
  std::string all = item;
  while (--times > 0) {
    all += "," + item;
  }
  return all;
}

const std::string k_layer = R"({"mediaType":"x","digest":")" + some_digest('d') + R"(","size":1})";

/// k_manifest with something else at its beginning.
std::string with(const std::string& members) {
  return "{" + members + k_manifest.substr(1);
}

TEST_CASE("faults: bodies that are no manifest") {
  const auto malformed = [](const std::string& why) {
    return Expected{ErrorKind::protocol, "the answer of HOST: the manifest is malformed: " + why};
  };
  const auto no_type = [](const std::string& type) {
    return Expected{ErrorKind::protocol, "the answer of HOST: \"" + type +
                                             "\" is not a media type of an image or index"};
  };
  const std::string page = "<!DOCTYPE html><html><body>Please log in</body></html>";
  const std::string layers_of = k_manifest.substr(0, k_manifest.find("\"layers\""));
  check_faults(
      {
          {"nothing", {200}, malformed("it is not JSON")},
          {"a captive portal", of_type("text/html; charset=utf-8", page),
           malformed("it is not JSON")},
          {"a captive portal that calls it a manifest", manifest(page),
           malformed("it is not JSON")},
          {"text", of_type("text/plain", "OK"), malformed("it is not JSON")},
          {"a list", manifest("[]"), malformed("it is no JSON object")},
          {"null", manifest("null"), malformed("it is no JSON object")},
          {"a number", manifest("2"), malformed("it is no JSON object")},
          {"half of it", manifest(k_manifest.substr(0, 100)), malformed("it is not JSON")},
          {"two of it", manifest(k_manifest + k_manifest), malformed("it is not JSON")},
          {"bytes", manifest(std::string("\0\xff\xfe\x80{}", 6)), malformed("it is not JSON")},
          {"UTF-16", manifest(std::string("\xff\xfe{\0}\0", 6)), malformed("it is not JSON")},
          {"text that is no UTF-8", manifest(with("\"x\":\"\xc3\x28\",")),
           malformed("it is not JSON")},
          {"an empty object", manifest("{}"), malformed("schemaVersion is no whole number")},
          {"an error as 200", of_type("application/json", R"({"errors":[{"code":"DENIED"}]})"),
           malformed("schemaVersion is no whole number")},
          {"schema 1",
           of_type("application/vnd.docker.distribution.manifest.v1+prettyjws",
                   R"({"schemaVersion":1,"name":"shop/api","tag":"1"})"),
           {ErrorKind::protocol, "the answer of HOST: the manifest has schema 1",
            "push the image again"}},
          {"schema 3", manifest(R"({"schemaVersion":3})"), malformed("schemaVersion is 3, not 2")},
          {"schema 10^400", manifest("{\"schemaVersion\":1" + std::string(400, '0') + "}"),
           malformed("")},
          {"the type of a page", of_type("text/html", k_manifest), malformed("its mediaType is")},
          {"no type at all", of_type("", R"({"schemaVersion":2,"layers":[]})"), no_type("")},
          {"a type of nothing that we know",
           of_type("application/vnd.oci.artifact.manifest.v1+json", R"({"schemaVersion":2})"),
           no_type("application/vnd.oci.artifact.manifest.v1+json")},
          {"a Helm chart's type", of_type("application/json", R"({"schemaVersion":2})"),
           no_type("application/json")},
          {"two types", of_type("application/vnd.oci.image.index.v1+json", k_manifest),
           malformed("its mediaType is")},
          {"an image and an index at once", manifest(with(R"("manifests":[],)")),
           malformed("it is an image, but has the manifests of an index")},
          {"an index and an image at once",
           of_type("application/vnd.oci.image.index.v1+json",
                   R"({"schemaVersion":2,"manifests":[],"layers":[]})"),
           malformed("it is an index, but has the config or layers of an image")},
          {"a negative size",
           manifest(layers_of + R"("layers":[{"mediaType":"x","digest":")" + k_digest_a +
                    R"(","size":-1}]})"),
           malformed("layers[0].size -1 is negative")},
          {"a size beyond 2^63",
           manifest(layers_of + R"("layers":[{"mediaType":"x","digest":")" + k_digest_a +
                    R"(","size":18446744073709551615}]})"),
           malformed("layers[0].size 18446744073709551615 is too big")},
          {"ten thousand layers",
           manifest(layers_of + "\"layers\":[" + many(k_layer, 10'000) + "]}"),
           malformed("layers has 10000 entries, more than 1000")},
          {"nested 100 levels", manifest(with("\"x\":" + nested('[', ']', 100) + ",")),
           malformed("it is nested deeper than 32 levels")},
          {"nested a million levels", manifest(nested('[', ']', 1'000'000)),
           malformed("it is nested deeper than 32 levels")},
          {"a million levels that never close", manifest(std::string(1'000'000, '[')),
           malformed("it is nested deeper than 32 levels")},
          {"objects, a hundred thousand deep", manifest([] {
             std::string text;
             for (int i = 0; i < 100'000; ++i) {
               text += "{\"a\":";
             }
             return text;
           }()),
           malformed("it is nested deeper than 32 levels")},
          {"three hundred thousand objects", manifest("[" + many("{}", 300'000) + "]"),
           malformed("it is no JSON object")},
          {"gzip",
           {200,
            {{"Content-Type", k_manifest_type}, {"Content-Encoding", "gzip"}},
            std::string("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10)},
           malformed("it is not JSON")},
      },
      true);
}

TEST_CASE("faults: bodies that are cut, too large, or framed by nonsense") {
  const Expected cut{ErrorKind::transient, "HOST ended the connection within its answer"};
  const Expected too_large{ErrorKind::protocol, "HOST answers with more than 4194304 bytes"};
  const Expected no_http{ErrorKind::protocol, "HOST does not speak HTTP as it should"};
  const Expected malformed{ErrorKind::protocol, "the manifest is malformed: it is not JSON"};
  check_faults(
      {
          {"shorter than announced", raw("Content-Length: 5000\r\n", k_manifest), cut},
          {"nothing of what was announced", raw("Content-Length: 5000\r\n", ""), cut},
          {"one byte missing",
           raw("Content-Length: " + std::to_string(k_manifest.size() + 1) + "\r\n", k_manifest),
           cut},
          {"longer than announced", raw("Content-Length: 100\r\n", k_manifest), malformed},
          {"announced as nothing", raw("Content-Length: 0\r\n", k_manifest), malformed},
          {"announced as 2^63 - 1",
           raw("Content-Length: 9223372036854775807\r\n", k_manifest),
           {ErrorKind::transient, "HOST"}},
          {"no last chunk", chunked(chunk(k_manifest)), cut},
          {"cut in a chunk", chunked("ffff\r\n" + k_manifest), cut},
          {"cut in the size of a chunk", chunked(chunk(k_manifest) + "1"), cut},
          {"a chunk of no size", chunked("banana\r\n" + k_manifest + "\r\n0\r\n\r\n"), no_http},
          {"a chunk of negative size", chunked("-1\r\n" + k_manifest + "\r\n0\r\n\r\n"), no_http},
          {"a chunk beyond 2^64",
           chunked("fffffffffffffffffffff\r\n" + k_manifest + "\r\n0\r\n\r\n"), no_http},
          {"a chunk that is longer than it says", chunked("5\r\n" + k_manifest + "\r\n0\r\n\r\n"),
           no_http},
          {"only the last chunk", chunked("0\r\n\r\n"), malformed},
          {"trailers without an end",
           ScriptedAnswer::flood("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
                                     chunk(k_manifest) + "0\r\n",
                                 "X: " + std::string(1000, 'x') + "\r\n", 100'000),
           {ErrorKind::protocol, "HOST answers with more than 64 KiB of headers"}},
          {"100 MB, announced",
           ScriptedAnswer::flood("HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n", k_megabyte,
                                 100),
           too_large},
          {"100 MB in one chunk",
           ScriptedAnswer::flood("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6400000\r\n",
                                 k_megabyte, 100),
           too_large},
          {"100 MB until the connection ends",
           ScriptedAnswer::flood("HTTP/1.1 200 OK\r\n\r\n", k_megabyte, 100), too_large},
          {"one byte over the limit",
           manifest(k_manifest + std::string(4'194'305 - k_manifest.size(), ' ')), too_large},
      },
      true);
}

TEST_CASE("faults: a manifest of 100 MB is not read to its end") {
  ScriptedServer server([](const RecordedRequest& request) -> ScriptedAnswer {
    if (request.method == "HEAD") {
      return {200};
    }
    return ScriptedAnswer::flood("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6400000\r\n",
                                 k_megabyte, 100);
  });
  Loopback loopback;
  loopback.plain(server.host());
  CHECK_FALSE(loopback.resolve(server.host() + "/shop/api:1").has_value());
  CHECK(server.sent() < std::size_t{30} << 20U);  // ours, and what the kernel's buffers hold
}

TEST_CASE("faults: bodies that are odd, and good enough") {
  const std::string digest = digest_of(k_manifest);
  const std::string padded = k_manifest + std::string(4'194'304 - k_manifest.size(), ' ');
  const std::string without_type =
      k_manifest.substr(0, 19) + k_manifest.substr(k_manifest.find("\"config\""));
  check_oddities({
      {"until the connection ends", {200}, raw("", k_manifest), digest},
      {"chunked", {200}, chunked(chunk(k_manifest) + "0\r\n\r\n"), digest},
      {"in chunks of one byte",
       {200},
       chunked([] {
         std::string chunks;
         for (const char c : k_manifest) {
           chunks += "1\r\n" + std::string(1, c) + "\r\n";
         }
         return chunks + "0\r\n\r\n";
       }()),
       digest},
      {"with extensions and a trailer",
       {200},
       chunked(chunk(k_manifest).insert(chunk(k_manifest).find('\r'), ";x=\"y\"") +
               "0\r\nX: y\r\n\r\n"),
       digest},
      {"its length twice",
       {200},
       raw("Content-Length: " + std::to_string(k_manifest.size()) +
               "\r\nContent-Length: " + std::to_string(k_manifest.size()) + "\r\n",
           k_manifest),
       digest},
      {"a type with parameters in upper case",
       {200},
       of_type("APPLICATION/VND.OCI.IMAGE.MANIFEST.V1+JSON; charset=utf-8", k_manifest),
       digest},
      {"no type outside", {200}, {200, {}, k_manifest}, digest},
      {"no type inside", {200}, manifest(without_type), digest_of(without_type)},
      {"just within the limit", {200}, manifest(padded), digest_of(padded)},
      {"members twice",
       {200},
       manifest(with("\"schemaVersion\":2,")),
       digest_of(with("\"schemaVersion\":2,"))},
      {"members that nobody knows",
       {200},
       manifest(with(R"("x":{"y":[1,2,{"z":null}]},)")),
       digest_of(with(R"("x":{"y":[1,2,{"z":null}]},)"))},
  });
}

}  // namespace
}  // namespace tallyman::test
