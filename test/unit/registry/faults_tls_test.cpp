#include <string>
#include <vector>

#include "support/tls_wire.hpp"
#include "unit/registry/faults.hpp"

namespace tallyman::test {
namespace {

ScriptedAnswer always_good(const RecordedRequest&) {
  return good_tag();
}

TEST_CASE("faults: certificates that are not trusted, and what the engine's list makes of them") {
  const Certified root = make_certificate({.name = "Unknown CA", .alt_names = ""});
  struct Row {
    std::string name;
    CertificateWish wish;
    std::string message;
  };
  for (const Row& row : std::vector<Row>{
           {"signed by itself", {}, "self-signed certificate"},
           {"of an unknown CA", {.issuer = &root}, "does not know the issuer"},
           {"expired", {.from_seconds = -7200, .until_seconds = -3600}, ""},
           {"not valid yet", {.from_seconds = 3600, .until_seconds = 7200}, ""},
           {"of another host", {.alt_names = "DNS:other.test"}, ""},
           {"a CA's own", {.alt_names = ""}, ""},
           {"with an escape sequence in its name", {.name = "\x1b[31mX\n<4>forged"}, ""},
       }) {
    CAPTURE(row.name);
    const Certified identity = make_certificate(row.wish);
    ScriptedServer server(TlsWire::maker({&identity}), always_good);
    const std::string image = server.host() + "/shop/api:1";
    {
      Loopback loopback;
      const auto result = loopback.resolve(image);
      check_fault(result, {ErrorKind::tls, "the certificate of HOST is "}, server.host(), image);
      CHECK_MESSAGE(contains(result.error().message, row.message), result.error().message);
      CHECK_FALSE(result.error().remedy.empty());
      CHECK(server.requests().empty());
    }
    Loopback listed;
    listed.world.insecure.hosts = {server.host()};
    CHECK(listed.resolve(image).has_value());
    CHECK(listed.registry().describe_access(image_ref(image)) ==
          "https without verification, anonymous");
  }
}

TEST_CASE("faults: TLS below 1.2 is refused, listed as insecure or not") {
  const Certified identity = make_certificate();
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    ScriptedServer server(TlsWire::maker({&identity, "http/1.1", version, version}), always_good);
    const std::string image = server.host() + "/shop/api:1";
    for (const bool listed : {false, true}) {
      CAPTURE(listed);
      Loopback loopback;
      if (listed) {
        loopback.world.insecure.hosts = {server.host()};
      }
      const auto result = loopback.resolve(image);
      CHECK_FALSE(result.has_value());
      CHECK(contains(result.error().message,
                     listed ? server.host() : "TLS handshake with " + server.host()));
    }
    CHECK(server.requests().empty());
  }
}

TEST_CASE("faults: what answers on the https port is no TLS") {
  struct Row {
    std::string name;
    std::string bytes;
  };
  for (const Row& row : std::vector<Row>{
           {"http", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"},
           {"SSH", "SSH-2.0-OpenSSH_9.2\r\n"},
           {"zeros", std::string(1000, '\0')},
           {"a fatal alert", std::string("\x15\x03\x03\x00\x02\x02\x28", 7)},
           {"half a record", std::string("\x16\x03\x03\x40\x00\x02", 6)},
           {"a record that is too long",
            std::string("\x16\x03\x03\xff\xff", 5) + std::string(70'000, 'x')},
       }) {
    CAPTURE(row.name);
    const LoopbackServer server(plain_wire, [&](Wire& wire) {
      std::string hello;
      if (wire.read_more(hello)) {
        wire.write(row.bytes);
      }
    });
    Loopback loopback;
    const std::string image = server.host() + "/shop/api:1";
    const auto result = loopback.resolve(image);
    CHECK_FALSE(result.has_value());
    const Error& error = result.error();
    CHECK_MESSAGE((error.kind == ErrorKind::tls || error.kind == ErrorKind::transient),
                  to_string(error.kind));
    CHECK(error.message.starts_with(image + ": "));
    CHECK_MESSAGE(contains(error.message, server.host()), error.message);
  }
}

TEST_CASE("faults: cut and reset within TLS") {
  const Certified identity = make_certificate();
  for (const bool reset : {false, true}) {
    CAPTURE(reset);
    ScriptedServer server(TlsWire::maker({&identity}), [&](const RecordedRequest&) {
      const std::string half = "HTTP/1.1 200 OK\r\nDocker-Content-Digest: " + k_digest_a + "\r\n";
      return reset ? ScriptedAnswer::reset_after({half}) : ScriptedAnswer::bytes({half});
    });
    Loopback loopback;
    loopback.world.insecure.hosts = {server.host()};
    const std::string image = server.host() + "/shop/api:1";
    check_fault(loopback.resolve(image), {ErrorKind::transient, "HOST ended the connection"},
                server.host(), image);
  }
}

TEST_CASE("faults: from https to http no redirect is followed") {
  const Certified identity = make_certificate();
  ScriptedServer plain(always_good);
  ScriptedServer server(TlsWire::maker({&identity}), [&](const RecordedRequest&) -> ScriptedAnswer {
    return {307, {{"Location", plain.url("/x")}}};
  });
  Loopback loopback;
  loopback.world.insecure.hosts = {server.host()};
  const std::string image = server.host() + "/shop/api:1";
  check_fault(loopback.resolve(image),
              {ErrorKind::protocol, "HOST redirects from https to http, to " + plain.host()},
              server.host(), image);
  CHECK(plain.connections() == 0);
}

}  // namespace
}  // namespace tallyman::test
