#pragma once

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "support/certificate.hpp"
#include "support/wire.hpp"

namespace tallyman::test {

struct TlsOptions {
  const Certified* identity = nullptr;
  std::string alpn = "http/1.1";  ///< what is chosen if the client offers it; "": nothing
  int lowest_version = TLS1_2_VERSION;
  int highest_version = TLS1_3_VERSION;
};

/// The server's side of TLS.
class TlsWire final : public Wire {
 public:
  using Context = std::shared_ptr<SSL_CTX>;

  TlsWire(Fd socket, int stop, Context context)
      : Wire(std::move(socket), stop), m_context(std::move(context)), m_ssl(SSL_new(&*m_context)) {
    ::fcntl(fd(), F_SETFL, O_NONBLOCK);
    SSL_set_fd(m_ssl.get(), fd());
    SSL_set_accept_state(m_ssl.get());
  }
  TlsWire(const TlsWire&) = delete;
  TlsWire& operator=(const TlsWire&) = delete;
  ~TlsWire() override = default;

  bool open() override {
    sigset_t pipe;  // SSL_write() raises it; this thread ends with the wire
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    return patiently([this] { return SSL_do_handshake(m_ssl.get()); }) == 1;
  }

  [[nodiscard]] static WireMaker maker(const TlsOptions& options) {
    return [context = context_for(options)](Fd socket, int stop) {
      return std::make_unique<TlsWire>(std::move(socket), stop, context);
    };
  }

 private:
  static Context context_for(const TlsOptions& options) {
    Context context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    SSL_CTX_set_security_level(context.get(), 0);  // TLS 1.1 is below the default
    SSL_CTX_set_min_proto_version(context.get(), options.lowest_version);
    SSL_CTX_set_max_proto_version(context.get(), options.highest_version);
    demand(SSL_CTX_use_certificate(context.get(), options.identity->certificate.get()) == 1 &&
               SSL_CTX_use_PrivateKey(context.get(), options.identity->key.get()) == 1,
           "certificate");
    // Its length before it, as in the handshake; the context owns the copy.
    auto* alpn = new std::string(static_cast<char>(options.alpn.size()) + options.alpn);
    SSL_CTX_set_ex_data(context.get(), slot(), alpn);
    SSL_CTX_set_alpn_select_cb(context.get(), choose, alpn);
    return context;
  }

  static int slot() {
    static const int index = SSL_CTX_get_ex_new_index(
        0, nullptr, nullptr, nullptr, [](void*, void* value, CRYPTO_EX_DATA*, int, long, void*) {
          delete static_cast<std::string*>(value);
        });
    return index;
  }

  static int choose(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned offered_size, void* wanted) {
    const std::string_view alpn = *static_cast<std::string*>(wanted);
    const auto end = offered + offered_size;
    const auto found = std::search(offered, end, alpn.begin(), alpn.end());
    if (alpn.size() < 2 || found == end) {
      return SSL_TLSEXT_ERR_NOACK;
    }
    *out = found + 1;
    *out_size = *found;
    return SSL_TLSEXT_ERR_OK;
  }

  /// The result of `step` once it no longer wants to wait.
  template <class Step>
  int patiently(Step step) {
    while (true) {
      ERR_clear_error();
      const int result = step();
      if (result > 0) {
        return result;
      }
      const int error = SSL_get_error(m_ssl.get(), result);
      const bool waits = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
      if (!waits || !wait_for(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT)) {
        return result;
      }
    }
  }

  void say_goodbye() override { SSL_shutdown(m_ssl.get()); }
  ssize_t receive(char* bytes, std::size_t size) override {
    return patiently([&] { return SSL_read(m_ssl.get(), bytes, static_cast<int>(size)); });
  }
  ssize_t send(std::string_view bytes) override {
    return patiently(
        [&] { return SSL_write(m_ssl.get(), bytes.data(), static_cast<int>(bytes.size())); });
  }

  Context m_context;
  std::unique_ptr<SSL, FreeBy<SSL_free>> m_ssl;
};

}  // namespace tallyman::test
