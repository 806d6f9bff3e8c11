#pragma once

#include <curl/curl.h>

#include <optional>
#include <string>

#include "io/openssl_types.hpp"
#include "tallyman/io/http.hpp"

namespace tallyman {

/// The TLS of one transfer: whom it trusts, who we are, and what was seen of the other side. Stays
/// where it is: OpenSSL holds a pointer to it.
///
/// The roots are those of the route, and the system's: $SSL_CERT_DIR and $SSL_CERT_FILE, or what
/// libcurl was built with. Of the folder OpenSSL reads only the certificates it looks for; the
/// bundle, 25 ms of work for each connection, is read only where the folder was not enough.
class CurlTls {
 public:
  CurlTls() = default;
  CurlTls(const CurlTls&) = delete;
  CurlTls& operator=(const CurlTls&) = delete;

  /// `request` outlives the transfer.
  [[nodiscard]] CURLcode prepare(CURL* easy, const HttpRequest& request);

  /// Why the certificate of `target` ("harbor.lan:443") is not trusted, with the names, dates and
  /// issuer that are in it. No remedy: its issuer is not known here. Nothing: it was never seen.
  [[nodiscard]] std::optional<Error> distrust(const std::string& target) const;
  /// The other side asked for a client certificate, and there is none.
  [[nodiscard]] bool lacks_client_certificate() const { return m_asked; }

 private:
  [[nodiscard]] CURLcode set_client_certificate(CURL* easy, const HttpRoute& route);
  [[nodiscard]] bool is_good_with_bundle(X509_STORE_CTX* verification) const;
  void note(X509_STORE_CTX* verification);
  static CURLcode on_context(CURL*, void* context, void* self);
  static int on_verify(X509_STORE_CTX* verification, void* self);

  std::string m_folder;
  std::string m_bundle;
  bool m_asked = false;
  X509Ptr m_leaf;     ///< what the other side showed
  X509Ptr m_culprit;  ///< where the chain fails
  int m_error = 0;    ///< X509_V_…

  friend int on_client_certificate_wanted(ssl_st* ssl, X509** certificate, EVP_PKEY** key);
};

}  // namespace tallyman
