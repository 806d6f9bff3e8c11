#include "io/curl_tls.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <string_view>

#include "tallyman/io/encoding.hpp"
#include "tallyman/io/log.hpp"
#include "tallyman/model/time.hpp"

namespace tallyman {

namespace {

constexpr std::size_t k_max_name = 120;
constexpr std::size_t k_max_names = 8;

/// No copy: the request holds the route.
curl_blob blob_of(const std::string& bytes) {
  return {const_cast<char*>(bytes.data()),  // NOLINT(cppcoreguidelines-pro-type-const-cast)
          bytes.size(), CURL_BLOB_NOCOPY};
}

/// As curl's own program and dockerd have it.
std::string system_roots(const char* variable, CURL* easy, CURLINFO built_in) {
  const char* path = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): nobody sets any
  if (path == nullptr || *path == '\0') {
    path = nullptr;
    curl_easy_getinfo(easy, built_in, &path);
  }
  return path == nullptr ? std::string() : path;
}

/// Would more roots mend it?
bool lacks_root(int error) {
  switch (error) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return true;
    default:
      return false;
  }
}

X509Ptr shared(X509* certificate) {
  if (certificate != nullptr) {
    X509_up_ref(certificate);
  }
  return X509Ptr(certificate);
}

/// "CN=harbor.lan,O=Acme"
std::string text_of(const X509_NAME* name) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  std::string words = printable({text, static_cast<std::size_t>(std::max(size, 0L))});
  words.resize(std::min(words.size(), k_max_name));
  return words.empty() ? "(no name)" : words;
}

std::string date_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) {
    return "(no date)";
  }
  return format_rfc3339(std::chrono::time_point_cast<Timestamp::duration>(
      std::chrono::system_clock::from_time_t(timegm(&parts))));
}

std::string address_of(const ASN1_OCTET_STRING* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = ASN1_STRING_length(bytes) == 4 ? AF_INET : AF_INET6;
  if (ASN1_STRING_length(bytes) != 4 && ASN1_STRING_length(bytes) != 16) {
    return "(no address)";
  }
  return inet_ntop(family, ASN1_STRING_get0_data(bytes), text.data(), text.size());
}

/// Whom a certificate is for: "harbor.lan, 10.0.0.5".
std::string names_of(X509* certificate) {
  const NamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string text;
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int i = 0; i < count && i < static_cast<int>(k_max_names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    int type = 0;
    const void* value = GENERAL_NAME_get0_value(name, &type);
    if (type == GEN_DNS) {
      const auto* bytes = static_cast<const ASN1_STRING*>(value);
      const std::string word(reinterpret_cast<const char*>(ASN1_STRING_get0_data(
                                 bytes)),  // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast)
                             static_cast<std::size_t>(ASN1_STRING_length(bytes)));
      text += (text.empty() ? "" : ", ") + std::string(cut_utf8(printable(word), k_max_name));
    } else if (type == GEN_IPADD) {
      text += (text.empty() ? "" : ", ") + address_of(static_cast<const ASN1_OCTET_STRING*>(value));
    }
  }
  return text.empty() ? text_of(X509_get_subject_name(certificate)) +
                            ", which names no host in its subjectAltName"
                      : text;
}

}  // namespace

int on_client_certificate_wanted(SSL* ssl, X509** /*certificate*/, EVP_PKEY** /*key*/) {
  static_cast<CurlTls*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)))->m_asked = true;
  return 0;  // there is none: called only then
}

CURLcode CurlTls::prepare(CURL* easy, const HttpRequest& request) {
  m_folder = system_roots("SSL_CERT_DIR", easy, CURLINFO_CAPATH);
  m_bundle = system_roots("SSL_CERT_FILE", easy, CURLINFO_CAINFO);
  CURLcode code = CURLE_OK;
  const auto set = [&code, easy](CURLoption option, auto value) {
    code = code == CURLE_OK ? curl_easy_setopt(easy, option, value) : code;
  };
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, request.verify_tls ? 1L : 0L);
  set(CURLOPT_SSL_VERIFYHOST, request.verify_tls ? 2L : 0L);
  set(CURLOPT_CAINFO, static_cast<char*>(nullptr));
  set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
  // A store that several connections share would hand the roots of one registry to another.
  set(CURLOPT_CA_CACHE_TIMEOUT, 0L);
  set(CURLOPT_SSL_CTX_FUNCTION, &CurlTls::on_context);
  set(CURLOPT_SSL_CTX_DATA, static_cast<void*>(this));
  if (request.verify_tls && request.route && !request.route->roots.empty()) {
    // Connections are shared by transfers of equal blobs only; what on_context() adds is not
    // compared, and the same for all.
    curl_blob roots = blob_of(request.route->roots);
    set(CURLOPT_CAINFO_BLOB, &roots);
  }
  if (request.verify_tls && request.route && !request.route->client_cert.empty()) {
    code = code == CURLE_OK ? set_client_certificate(easy, *request.route) : code;
  }
  return code;
}

CURLcode CurlTls::set_client_certificate(CURL* easy, const HttpRoute& route) {
  curl_blob certificate = blob_of(route.client_cert);
  curl_blob key = blob_of(route.client_key.reveal());
  const CURLcode code = curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, &certificate);
  return code == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, &key) : code;
}

CURLcode CurlTls::on_context(CURL* /*easy*/, void* context, void* self) {
  auto* tls = static_cast<CurlTls*>(self);
  auto* ctx = static_cast<SSL_CTX*>(context);
  if (!tls->m_folder.empty()) {  // one that is not there is found out when it is needed
    X509_STORE_load_path(SSL_CTX_get_cert_store(ctx), tls->m_folder.c_str());
  }
  SSL_CTX_set_app_data(ctx, self);
  SSL_CTX_set_client_cert_cb(ctx, &on_client_certificate_wanted);
  SSL_CTX_set_cert_verify_callback(ctx, &CurlTls::on_verify, self);
  // The connection may live longer than this transfer.
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
  ERR_clear_error();
  return CURLE_OK;
}

int CurlTls::on_verify(X509_STORE_CTX* verification, void* self) {
  auto* tls = static_cast<CurlTls*>(self);
  int good = X509_verify_cert(verification);
  if (good != 1 && lacks_root(X509_STORE_CTX_get_error(verification)) &&
      tls->is_good_with_bundle(verification)) {
    X509_STORE_CTX_set_error(verification, X509_V_OK);
    good = 1;
  }
  tls->note(verification);
  return good;
}

bool CurlTls::is_good_with_bundle(X509_STORE_CTX* verification) const {
  X509_STORE* store = X509_STORE_CTX_get0_store(verification);
  const VerificationPtr again(X509_STORE_CTX_new());
  const bool good = !m_bundle.empty() && X509_STORE_load_file(store, m_bundle.c_str()) == 1 &&
                    again &&
                    X509_STORE_CTX_init(again.get(), store, X509_STORE_CTX_get0_cert(verification),
                                        X509_STORE_CTX_get0_untrusted(verification)) == 1 &&
                    X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(again.get()),
                                           X509_STORE_CTX_get0_param(verification)) == 1 &&
                    X509_verify_cert(again.get()) == 1;
  ERR_clear_error();
  return good;
}

void CurlTls::note(X509_STORE_CTX* verification) {
  m_error = X509_STORE_CTX_get_error(verification);
  m_leaf = shared(X509_STORE_CTX_get0_cert(verification));
  m_culprit = shared(X509_STORE_CTX_get_current_cert(verification));
}

std::optional<Error> CurlTls::distrust(const std::string& target) const {
  if (!m_leaf) {
    return std::nullopt;
  }
  X509* culprit = m_culprit ? m_culprit.get() : m_leaf.get();
  const bool is_leaf = X509_cmp(culprit, m_leaf.get()) == 0;
  const std::string issuer = text_of(X509_get_issuer_name(m_leaf.get()));
  const std::string subject = text_of(X509_get_subject_name(m_leaf.get()));
  const std::string whose =
      is_leaf ? fmt::format("the certificate of {} ({}, issued by {})", target, subject, issuer)
              : fmt::format("the certificate of {}, which signed that of {},",
                            text_of(X509_get_subject_name(culprit)), target);
  switch (m_error) {
    case X509_V_OK:
      return Error{ErrorKind::tls,
                   fmt::format("the certificate of {} is for another host: {} (issued by {})",
                               target, names_of(m_leaf.get()), issuer),
                   fmt::format("call the registry by a name that its certificate is for, or have "
                               "one made for {}",
                               target.substr(0, target.rfind(':')))};
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return Error{ErrorKind::tls,
                   fmt::format("{} expired on {}", whose, date_of(X509_get0_notAfter(culprit))),
                   "renew it where the registry runs; and look at this host's clock: timedatectl"};
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return Error{
          ErrorKind::tls,
          fmt::format("{} is not valid before {}", whose, date_of(X509_get0_notBefore(culprit))),
          "look at this host's clock: timedatectl"};
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return Error{ErrorKind::tls, fmt::format("the certificate of {} is not trusted: it is a "
                                               "self-signed certificate ({})",
                                               target, subject)};
    default:
      if (lacks_root(m_error)) {
        return Error{ErrorKind::tls,
                     fmt::format("the certificate of {} is not trusted: this host does not know "
                                 "the issuer {} of {}",
                                 target, is_leaf ? issuer : text_of(X509_get_issuer_name(culprit)),
                                 text_of(X509_get_subject_name(culprit)))};
      }
      return Error{ErrorKind::tls, fmt::format("{} is not trusted: {}", whose,
                                               X509_verify_cert_error_string(m_error))};
  }
}

}  // namespace tallyman
