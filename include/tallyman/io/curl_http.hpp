#pragma once

#include "tallyman/io/http.hpp"
#include "tallyman/io/stop.hpp"

#include <memory>

namespace tallyman {

/// Once in main, before any thread and any CurlHttp (curl_global_init).
class CurlGlobal {
 public:
  CurlGlobal();
  ~CurlGlobal();
  CurlGlobal(const CurlGlobal&) = delete;
  CurlGlobal& operator=(const CurlGlobal&) = delete;
};

/// Http on one curl_multi: HTTP/2 over TLS on one connection per host, a handful of connections
/// over HTTP/1.1.
class CurlHttp final : public Http {
 public:
  /// A stop that is requested while run() works ends every transfer as cancelled.
  explicit CurlHttp(const Stop& stop, std::string user_agent);
  /// What was sent on `beside` goes on while this one works, but does not keep it working. `beside`
  /// outlives this.
  CurlHttp(const Stop& stop, std::string user_agent, CurlHttp& beside);
  ~CurlHttp() override;
  void send(HttpRequest request, Done done) override;
  void watch(int fd, std::move_only_function<void()> ready) override;
  void run() override;

 private:
  struct Impl;
  std::unique_ptr<Impl> m_impl;
};

}  // namespace tallyman
