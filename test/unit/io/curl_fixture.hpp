#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <utility>

#include "support/scripted_server.hpp"
#include "tallyman/io/curl_http.hpp"
#include "tallyman/io/stop.hpp"

namespace tallyman::test {

/// An environment variable, for a while.
class Variable {
 public:
  Variable(const char* name, const char* value) : m_name(name) {
    if (const char* old = std::getenv(name)) {
      m_old = old;
      m_was_set = true;
    }
    ::setenv(name, value, 1);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() {
    if (m_was_set) {
      ::setenv(m_name, m_old.c_str(), 1);
    } else {
      ::unsetenv(m_name);
    }
  }

 private:
  const char* m_name;
  std::string m_old;
  bool m_was_set = false;
};

/// A CurlHttp that no proxy of this machine comes between.
struct Curl {
  Variable no_proxy{"no_proxy", "*"};
  CurlGlobal global;
  Stop stop;
  CurlHttp http{stop, "tallyman-test/1"};

  HttpResponse get(std::string url) { return answer({.url = std::move(url)}); }
  HttpResponse answer(HttpRequest request) {
    HttpResult result = http.fetch(std::move(request));
    REQUIRE_MESSAGE(result.has_value(), (result ? "" : result.error().error.message));
    return std::move(*result);
  }
  TransportError failure(HttpRequest request) {
    HttpResult result = http.fetch(std::move(request));
    REQUIRE_FALSE(result);
    return std::move(result.error());
  }
};

}  // namespace tallyman::test
