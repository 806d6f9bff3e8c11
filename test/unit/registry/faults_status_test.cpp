#include <atomic>
#include <string>

#include "unit/registry/faults.hpp"

namespace tallyman::test {
namespace {

ScriptedAnswer limited(const Headers& headers, const std::string& body = {}) {
  return {429, headers, body};
}
ScriptedAnswer error_of(int status, const std::string& code, const std::string& message) {
  return {status,
          {{"Content-Type", "application/json"}},
          R"({"errors":[{"code":")" + code + R"(","message":")" + message + "\"}]}"};
}

TEST_CASE("faults: 429 as the very first answer") {
  const auto after = [](const std::string& text) {
    return Expected{ErrorKind::rate_limited, "HOST limits the rate of requests (429)" + text};
  };
  const Expected until{ErrorKind::rate_limited, "HOST is rate limited until "};
  check_faults({
      {"without Retry-After", limited({}), after("")},
      {"in seconds", limited({{"Retry-After", "120"}}), until},
      {"at once", limited({{"Retry-After", "0"}}), after("")},
      {"at a time", limited({{"Retry-After", "Wed, 21 Oct 2099 07:28:00 GMT"}}), until},
      {"at a time of long ago", limited({{"Retry-After", "Thu, 01 Jan 1970 00:00:00 GMT"}}),
       after("")},
      {"empty", limited({{"Retry-After", ""}}), after("")},
      {"negative", limited({{"Retry-After", "-5"}}), after("")},
      {"a fraction", limited({{"Retry-After", "1.5"}}), after("")},
      {"beyond 2^64", limited({{"Retry-After", std::string(40, '9')}}), until},
      {"words", limited({{"Retry-After", "after lunch"}}), after("")},
      {"60 KB of words", limited({{"Retry-After", std::string(60'000, 'x')}}), after("")},
      {"with an escape sequence", limited({{"Retry-After", "\x1b[31m5"}}), after("")},
      {"twice", limited({{"Retry-After", "5"}, {"Retry-After", "600"}}), until},
      {"with a body",
       limited({}, "You have reached your pull rate limit"),
       {ErrorKind::rate_limited, "HOST limits the rate of requests (429"}},
      {"with a challenge", limited({{"WWW-Authenticate", "Basic realm=\"x\""}}), after("")},
  });
}

TEST_CASE("faults: what GET says about why is told, harmlessly") {
  ScriptedServer server([](const RecordedRequest& request) -> ScriptedAnswer {
    return request.method == "HEAD" ? ScriptedAnswer{403}
                                    : error_of(403, "DENIED", "\\u001b[31mnot\\n<4>forged\\u0000");
  });
  Loopback loopback;
  loopback.plain(server.host());
  const std::string image = server.host() + "/shop/api:1";
  const auto result = loopback.resolve(image);
  check_fault(result, {ErrorKind::denied, "HOST refuses the question (403: \""}, server.host(),
              image);
  for (const char c : result.error().message) {
    CHECK(static_cast<unsigned char>(c) >= ' ');
  }
}

TEST_CASE("faults: statuses of HEAD") {
  const auto answered = [](ErrorKind kind, const std::string& status) {
    return Expected{kind, "HOST answered " + status + " for such tag"};
  };
  const auto outage = [&](int status) {
    return Fault{
        std::to_string(status), {status}, answered(ErrorKind::transient, std::to_string(status))};
  };
  const auto odd = [&](int status) {
    return Fault{
        std::to_string(status), {status}, answered(ErrorKind::protocol, std::to_string(status))};
  };
  check_faults({
      outage(500),
      outage(502),
      outage(503),
      outage(504),
      outage(520),
      outage(599),
      outage(600),
      outage(999),
      outage(408),
      odd(201),
      odd(202),
      odd(204),
      odd(205),
      odd(206),
      odd(226),
      odd(299),
      odd(402),
      odd(410),
      odd(418),
      odd(421),
      odd(451),
      odd(499),
      {"404",
       {404},
       {ErrorKind::not_found, "HOST has no such tag (404), asked anonymously", "correct the name"}},
      {"404 as a page",
       {404, {{"Content-Type", "text/html"}}, "<html>\x1b[31m</html>"},
       {ErrorKind::not_found, "HOST has no such tag (404), asked anonymously"}},
      {"404 with words",
       error_of(404, "MANIFEST_UNKNOWN", "manifest unknown"),
       {ErrorKind::not_found, "HOST has no such tag (404: \"manifest unknown\")"}},
      {"404 with 100 KB of words",
       error_of(404, "X", std::string(100'000, 'x')),
       {ErrorKind::not_found, "xxx...\")"}},
      {"404 with deep JSON",
       {404, {}, std::string(100'000, '[')},
       {ErrorKind::not_found, "HOST has no such tag (404)"}},
      {"404 with errors of the wrong shape",
       {404, {}, R"({"errors":[[{"message":7}]]})"},
       {ErrorKind::not_found, "HOST has no such tag (404)"}},
      {"412",
       error_of(412, "PROJECTPOLICYVIOLATION", "image not signed"),
       {ErrorKind::denied,
        "HOST blocks such tag by a policy of its own (412: \"image not signed\")",
        "the project's policy"}},
      {"403", {403}, {ErrorKind::denied, "HOST refuses the question (403)"}},
      {"400", error_of(400, "NAME_INVALID", "invalid name"),
       answered(ErrorKind::protocol, "400: \"invalid name\"")},
      {"405 also for GET", {405}, answered(ErrorKind::protocol, "405")},
      {"501 also for GET", {501}, answered(ErrorKind::transient, "501")},
      {"407 of something in between", {407}, answered(ErrorKind::protocol, "407")},
  });
}

TEST_CASE("faults: HEAD that is refused, and GET that is not") {
  const std::string digest = digest_of(k_manifest);
  check_oddities({
      {"405", {405}, good_manifest(), digest},
      {"501", {501}, good_manifest(), digest},
      {"400", {400}, good_manifest(), digest},
      {"404", {404}, good_manifest(), digest},
      {"403", {403}, good_manifest(), digest},
  });
}

TEST_CASE("faults: statuses of GET that are no manifest, whatever their body is") {
  for (const int status : {201, 203, 204, 206, 304, 500, 503}) {
    CAPTURE(status);
    ScriptedServer server([&](const RecordedRequest& request) -> ScriptedAnswer {
      return request.method == "HEAD"
                 ? ScriptedAnswer{200}
                 : ScriptedAnswer{status, {{"Content-Type", k_manifest_type}}, k_manifest};
    });
    Loopback loopback;
    loopback.plain(server.host());
    const std::string image = server.host() + "/shop/api:1";
    const ErrorKind kind = status >= 500 ? ErrorKind::transient : ErrorKind::protocol;
    check_fault(loopback.resolve(image), {kind, "HOST answered " + std::to_string(status)},
                server.host(), image);
  }
}

TEST_CASE("faults: an outage is over at the next question") {
  for (const int status : {500, 502, 503, 504, 429}) {
    CAPTURE(status);
    std::atomic<bool> down = true;
    ScriptedServer server([&](const RecordedRequest&) -> ScriptedAnswer {
      return down ? ScriptedAnswer{status} : good_tag();
    });
    Loopback loopback;
    loopback.plain(server.host());
    CHECK_FALSE(loopback.resolve(server.host() + "/shop/api:1").has_value());
    down = false;
    // 429 may be remembered; only an outage must not be.
    if (status != 429) {
      CHECK(loopback.resolve(server.host() + "/shop/api:1").has_value());
    }
  }
}

TEST_CASE("faults: a fault of one tag is not one of its neighbours") {
  ScriptedServer server([](const RecordedRequest& request) -> ScriptedAnswer {
    const int number = request.target.back() - '0';
    switch (number) {
      case 1:
        return {503};
      case 2:
        return ScriptedAnswer::reset_after({});
      case 3:
        return ScriptedAnswer::bytes({"HTTP/1.1 banana\r\n\r\n"});
      case 4:
        return {404};
      case 5:
        return ScriptedAnswer::bytes({"HTTP/1.1 200 OK\r\nX: " + std::string(200'000, 'x')});
      default:
        return good_tag();
    }
  });
  Loopback loopback;
  loopback.plain(server.host());
  std::vector<ImageReference> references;
  for (int i = 0; i < 10; ++i) {
    references.push_back(image_ref(server.host() + "/shop/api:" + std::to_string(i)));
  }
  const auto images = loopback.registry().resolve(references);
  for (int i = 0; i < 10; ++i) {
    CAPTURE(i);
    CHECK(images[static_cast<std::size_t>(i)].has_value() == (i == 0 || i > 5));
  }
}

}  // namespace
}  // namespace tallyman::test
