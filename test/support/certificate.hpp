#pragma once

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

namespace tallyman::test {

template <auto free>
struct FreeBy {
  template <class T>
  void operator()(T* what) const {
    free(what);
  }
};
using Key = std::unique_ptr<EVP_PKEY, FreeBy<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, FreeBy<X509_free>>;

inline void demand(bool good, const char* what) {
  if (!good) {
    throw std::runtime_error(std::string("OpenSSL: ") + what);
  }
}

/// A certificate and its key; a server's, or a CA's.
struct Certified {
  Key key;
  Certificate certificate;

  void write_certificate(const std::string& path) const {
    const std::unique_ptr<std::FILE, FreeBy<std::fclose>> file(std::fopen(path.c_str(), "we"));
    demand(file != nullptr && PEM_write_X509(file.get(), certificate.get()) == 1, "write");
  }
};

struct CertificateWish {
  std::string name = "registry.test";
  std::string alt_names = "IP:127.0.0.1,DNS:localhost";  ///< "": none, it is a CA
  long from_seconds = -3600;                             ///< from now
  long until_seconds = 3600;
  const Certified* issuer = nullptr;  ///< nullptr: signed by itself
};

inline Certified make_certificate(const CertificateWish& wish = {}) {
  static std::atomic<long> serial = 1;
  Certified made{Key(EVP_EC_gen("P-256")), Certificate(X509_new())};
  X509* const x509 = made.certificate.get();
  demand(made.key != nullptr && x509 != nullptr, "key");
  X509_set_version(x509, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++);
  X509_gmtime_adj(X509_getm_notBefore(x509), wish.from_seconds);
  X509_gmtime_adj(X509_getm_notAfter(x509), wish.until_seconds);
  X509_set_pubkey(x509, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wish.name.c_str()), -1, -1, 0);
  const X509* const issuer = wish.issuer != nullptr ? wish.issuer->certificate.get() : x509;
  X509_set_issuer_name(x509, X509_get_subject_name(issuer));
  const auto extend = [&](int id, const std::string& value) {
    const std::unique_ptr<X509_EXTENSION, FreeBy<X509_EXTENSION_free>> extension(
        X509V3_EXT_conf_nid(nullptr, nullptr, id, value.c_str()));
    demand(extension != nullptr && X509_add_ext(x509, extension.get(), -1) == 1, "extension");
  };
  if (wish.alt_names.empty()) {
    extend(NID_basic_constraints, "critical,CA:TRUE");
  } else {
    extend(NID_subject_alt_name, wish.alt_names);
  }
  EVP_PKEY* const signer = wish.issuer != nullptr ? wish.issuer->key.get() : made.key.get();
  demand(X509_sign(x509, signer, EVP_sha256()) > 0, "sign");
  return made;
}

}  // namespace tallyman::test
