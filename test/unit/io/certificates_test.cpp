#include "tallyman/io/certificates.hpp"

#include <doctest/doctest.h>

#include <string>

#include "support/authority.hpp"

namespace tallyman {

using test::Authority;

namespace {

std::string words(const Result<void>& result) {
  return result ? "" : result.error().message;
}

}  // namespace

TEST_CASE("certificates are PEM, one or more, whatever stands between them") {
  Authority acme;
  acme.issue("alice");
  acme.issue("bob");
  const std::string alice = acme.pem("alice.pem");
  CHECK(check_certificates(alice));
  CHECK(check_certificates("subject=/CN=alice\n" + alice + "\n# the other one\n" +
                           acme.pem("bob.pem")));
  const std::string none = "no certificate in PEM form (\"-----BEGIN CERTIFICATE-----\")";
  CHECK(words(check_certificates("")) == none);
  CHECK(words(check_certificates(std::string("\0\x30\x82", 3))) == none);
  CHECK(words(check_certificates(acme.pem("alice.key"))) == none);
  std::string cut = acme.pem("bob.pem");
  cut.resize(cut.size() / 2);
  CHECK(words(check_certificates(alice + cut)) == "certificate 2 in it cannot be read");
  CHECK(words(check_certificates("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
            .starts_with("certificate 1"));

  CHECK(check_client_key(alice, acme.pem("alice.key")));
  CHECK(words(check_client_key(alice, acme.pem("bob.key"))) ==
        "not the key of the client certificate");
  CHECK(words(check_client_key(alice, alice)) == "no private key in PEM form");
}

TEST_CASE("a key with a passphrase is refused, and nobody is asked") {
  Authority acme;
  acme.issue("alice");
  const Result<Exit> made =
      PosixProcess().run({.argv = {"openssl", "pkey", "-in", "alice.key", "-aes128", "-passout",
                                   "pass:s3cr3t", "-out", "locked.key"},
                          .directory = acme.folder().path(),
                          .environment = {{"PATH", "/usr/bin:/bin"}}});
  REQUIRE((made && made->ok()));
  CHECK(words(check_client_key(acme.pem("alice.pem"), acme.pem("locked.key"))) ==
        "the key has a passphrase, and nobody is there to say it");
}

}  // namespace tallyman
