#include "tallyman/io/http.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace tallyman {

namespace {

/// Forgets its callers.
class LostHttp final : public Http {
 public:
  void send(HttpRequest, Done) override {}
  void watch(int, std::move_only_function<void()>) override {}
  void run() override {}
};

}  // namespace

TEST_CASE("HttpResponse finds headers by name") {
  const HttpResponse response{
      .status = 200,
      .headers = {{"www-authenticate", "Basic"}, {"etag", "x"}, {"www-authenticate", "Bearer"}}};
  CHECK(response.header("www-authenticate") == "Basic");
  CHECK(response.header("etag") == "x");
  CHECK(response.header("none") == "");
  CHECK(response.header_values("www-authenticate") == std::vector<std::string>{"Basic", "Bearer"});
  CHECK(response.header_values("none").empty());
}

TEST_CASE("fetch reports an Http that forgot its request") {
  LostHttp http;
  const HttpResult result = http.fetch({});
  REQUIRE_FALSE(result);
  CHECK(result.error().failure == TransportFailure::other);
  CHECK(result.error().error.kind == ErrorKind::bug);
}

}  // namespace tallyman
