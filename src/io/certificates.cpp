#include "tallyman/io/certificates.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "io/openssl_types.hpp"

namespace tallyman {

namespace {

BioPtr reader_of(const std::string& pem) {
  return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

/// OpenSSL would ask on the terminal.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*for_writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

}  // namespace

Result<void> check_certificates(const std::string& pem) {
  const BioPtr bio = reader_of(pem);
  int count = 0;
  while (X509Ptr(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr))) {
    ++count;
  }
  const auto reason = ERR_GET_REASON(ERR_peek_last_error());
  ERR_clear_error();
  if (count == 0 && reason == PEM_R_NO_START_LINE) {
    return fail(ErrorKind::config, "no certificate in PEM form (\"-----BEGIN CERTIFICATE-----\")");
  }
  if (reason != PEM_R_NO_START_LINE) {
    return fail(ErrorKind::config, "certificate {} in it cannot be read", count + 1);
  }
  return {};
}

Result<void> check_client_key(const std::string& certificates, const std::string& key) {
  bool asked = false;
  const KeyPtr secret(
      PEM_read_bio_PrivateKey(reader_of(key).get(), nullptr, no_passphrase, &asked));
  const X509Ptr certificate(
      PEM_read_bio_X509(reader_of(certificates).get(), nullptr, nullptr, nullptr));
  const bool fits =
      secret && certificate && X509_check_private_key(certificate.get(), secret.get()) == 1;
  ERR_clear_error();
  if (asked) {
    return fail(ErrorKind::config, "the key has a passphrase, and nobody is there to say it");
  }
  if (!secret) {
    return fail(ErrorKind::config, "no private key in PEM form");
  }
  if (!fits) {
    return fail(ErrorKind::config, "not the key of the client certificate");
  }
  return {};
}

}  // namespace tallyman
