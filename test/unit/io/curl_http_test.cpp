#include "tallyman/io/curl_http.hpp"

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/temp_folder.hpp"
#include "unit/io/curl_fixture.hpp"

namespace tallyman {

using test::Curl;
using test::RecordedRequest;
using test::ScriptedAnswer;
using test::ScriptedServer;
using test::TempFolder;
using test::Variable;
using std::chrono_literals::operator""ms;

namespace {

ScriptedServer::Script always(const ScriptedAnswer& answer) {
  return [answer](const RecordedRequest&) { return answer; };
}

ScriptedAnswer echo(const RecordedRequest& request) {
  return {.body = request.method + " " + request.target};
}

/// Lets nobody pass until so many are there, or ten seconds are over.
class Crowd {
 public:
  explicit Crowd(int wanted) : m_wanted(wanted) {}
  bool join() {
    ++m_there;
    for (int i = 0; i < 1000 && m_there < m_wanted; ++i) {
      std::this_thread::sleep_for(10ms);
    }
    return m_there >= m_wanted;
  }

 private:
  int m_wanted;
  std::atomic<int> m_there = 0;
};

}  // namespace

TEST_CASE("an answer of any status is a value, with its headers and its body") {
  const ScriptedServer server([](const RecordedRequest& request) {
    return ScriptedAnswer{.status = std::stoi(request.target.substr(1)),
                          .headers = {{"X-One", " a: b "}, {"x-ONE", "c"}, {"Empty", ""}},
                          .body = "body"};
  });
  Curl curl;
  for (const long status : {200, 201, 301, 307, 401, 404, 429, 500, 503}) {
    CAPTURE(status);
    const HttpResponse response = curl.get(server.url("/" + std::to_string(status)));
    CHECK(response.status == status);
    CHECK(response.body == "body");
    CHECK(response.header_values("x-one") == std::vector<std::string>{"a: b", "c"});
    CHECK(response.header("content-length") == "4");
    CHECK(response.headers.size() == 4);
  }
}

TEST_CASE("a redirect is not followed and a cookie is not kept") {
  const ScriptedServer server(always(
      {.status = 302, .headers = {{"Location", "/elsewhere"}, {"Set-Cookie", "a=b; Path=/"}}}));
  Curl curl;
  CHECK(curl.get(server.url("/")).header("location") == "/elsewhere");
  CHECK(curl.get(server.url("/")).status == 302);
  REQUIRE(server.requests().size() == 2);
  CHECK(server.requests()[1].target == "/");
  CHECK(server.requests()[1].header("cookie") == "");
}

TEST_CASE("each method is sent as what it is, with nothing that nobody asked for") {
  const ScriptedServer server(echo);
  Curl curl;
  using Names = std::vector<std::string>;
  struct Case {
    HttpRequest request;
    std::string body;
    Names names;
  };
  const std::vector<Case> cases{
      {{.method = "HEAD", .url = server.url("/h")}, "", {"host", "user-agent", "accept"}},
      {{.method = "GET", .url = server.url("/g?a=1")},
       "GET /g?a=1",
       {"host", "user-agent", "accept"}},
      {{.method = "DELETE", .url = server.url("/d")},
       "DELETE /d",
       {"host", "user-agent", "accept"}},
      {{.method = "POST", .url = server.url("/p")},
       "POST /p",
       {"host", "user-agent", "accept", "content-length"}}};
  for (const Case& c : cases) {
    CAPTURE(c.request.method);
    CHECK(curl.answer(c.request).body == c.body);
    const RecordedRequest recorded = server.requests().back();
    CHECK(recorded.method == c.request.method);
    CHECK(recorded.body == "");
    CHECK(recorded.header("user-agent") == "tallyman-test/1");
    Names names;
    for (const auto& [name, value] : recorded.headers) {
      names.push_back(name);
    }
    CHECK(names == c.names);
  }
}

TEST_CASE("headers and a body arrive as they are") {
  const ScriptedServer server(echo);
  Curl curl;
  const std::string body("{\"a\":\0\"b\"}", 10);
  curl.answer(
      {.method = "POST",
       .url = server.url("/"),
       .headers = {{"Accept", "a, b"}, {"Content-Type", "application/json"}, {"X-Empty", ""}},
       .body = body});
  const std::string large(2'000'000, 'x');
  curl.answer({.method = "POST", .url = server.url("/"), .body = large});
  const std::vector<RecordedRequest> requests = server.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].body == body);
  CHECK(requests[0].header("accept") == "a, b");
  CHECK(requests[0].header("content-type") == "application/json");
  CHECK(requests[0].header("x-empty") == "");
  CHECK(requests[0].headers.size() == 6);
  CHECK(requests[1].body.size() == large.size());
}

TEST_CASE("a handle that is used again keeps nothing of the request before") {
  const ScriptedServer server(echo);
  Curl curl;
  curl.answer({.method = "POST",
               .url = server.url("/1"),
               .headers = {{"Authorization", "Basic eDp5"}},
               .body = "secret"});
  CHECK(curl.answer({.method = "HEAD", .url = server.url("/2")}).body == "");
  CHECK(curl.get(server.url("/3")).body == "GET /3");
  for (const RecordedRequest& request : {server.requests()[1], server.requests()[2]}) {
    CHECK(request.header("authorization") == "");
    CHECK(request.body == "");
  }
  CHECK(server.connections() == 1);
}

TEST_CASE("only the headers of the final answer count") {
  const ScriptedServer server(always(ScriptedAnswer::bytes(
      {"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nEtag: y\r\n\r\nbody"})));
  Curl curl;
  const HttpResponse response = curl.get(server.url("/"));
  CHECK(response.status == 200);
  CHECK(response.body == "body");
  REQUIRE(response.headers.size() == 1);
  CHECK(response.header("etag") == "y");
}

TEST_CASE("a chunked body comes whole") {
  const ScriptedServer server(always(ScriptedAnswer::bytes(
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "2\r\nde\r\n0\r\n\r\n"},
      20ms)));
  Curl curl;
  CHECK(curl.get(server.url("/")).body == "abcde");
}

TEST_CASE("compressed bytes stay what they are") {
  const ScriptedServer server(
      always({.headers = {{"Content-Encoding", "gzip"}}, .body = "\x1f\x8b raw"}));
  Curl curl;
  CHECK(curl.get(server.url("/")).body == "\x1f\x8b raw");
  CHECK(server.requests()[0].header("accept-encoding") == "");
}

TEST_CASE("twenty transfers go side by side on six connections") {
  Crowd crowd(6);
  const ScriptedServer server([&crowd](const RecordedRequest& request) {
    return ScriptedAnswer{.status = crowd.join() ? 200 : 500, .body = request.target};
  });
  Curl curl;
  std::map<int, std::string> answers;
  for (int i = 0; i < 20; ++i) {
    curl.http.send({.url = server.url("/" + std::to_string(i))}, [&answers, i](HttpResult result) {
      answers[i] = result && result->status == 200 ? result->body : "failed";
    });
  }
  CHECK(answers.empty());
  curl.http.run();
  REQUIRE(answers.size() == 20);
  for (const auto& [i, body] : answers) {
    CHECK(body == "/" + std::to_string(i));
  }
  CHECK(server.connections() == 6);
}

TEST_CASE("more transfers than may be under way at once all end") {
  const ScriptedServer server(echo);
  Curl curl;
  int good = 0;
  for (int i = 0; i < 300; ++i) {
    curl.http.send({.url = server.url("/")},
                   [&good](HttpResult result) { good += result ? 1 : 0; });
  }
  curl.http.run();
  CHECK(good == 300);
  CHECK(server.connections() <= 6);
}

TEST_CASE("a dead host holds up nobody else") {
  const ScriptedServer dead(always(ScriptedAnswer::never()));
  const ScriptedServer good(echo);
  Curl curl;
  std::vector<std::string> order;
  curl.http.send({.url = dead.url("/"), .timeout = 1500ms},
                 [&](HttpResult result) { order.emplace_back(result ? "answer" : "dead"); });
  for (int i = 0; i < 3; ++i) {
    curl.http.send({.url = good.url("/")},
                   [&](HttpResult result) { order.emplace_back(result ? "good" : "failed"); });
  }
  curl.http.run();
  CHECK(order == std::vector<std::string>{"good", "good", "good", "dead"});
}

TEST_CASE("done may send more, and run() works on until nothing is left") {
  const ScriptedServer server(echo);
  Curl curl;
  int rounds = 0;
  std::function<void()> ask = [&] {
    curl.http.send({.url = server.url("/")}, [&](HttpResult result) {
      REQUIRE(result);
      if (++rounds < 5) {
        ask();
      }
    });
  };
  ask();
  curl.http.run();
  CHECK(rounds == 5);
  CHECK(server.connections() == 1);
  curl.http.run();
  CHECK(rounds == 5);
}

TEST_CASE("done may own what cannot be copied") {
  const ScriptedServer server(echo);
  Curl curl;
  std::string body;
  curl.http.send({.url = server.url("/")}, [&body, owned = std::make_unique<int>(1)](HttpResult r) {
    body = r ? r->body + std::to_string(*owned) : "";
  });
  curl.http.run();
  CHECK(body == "GET /1");
}

TEST_CASE("on_body gets the body of a good answer piece by piece, without a limit") {
  const ScriptedServer server(always(ScriptedAnswer::bytes(
      {"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n", "ab", "cd", "ef"}, 100ms)));
  Curl curl;
  std::vector<std::string> pieces;
  const HttpResponse response = curl.answer(
      {.url = server.url("/"), .max_body = 1, .on_body = [&pieces](std::string_view piece) {
         pieces.emplace_back(piece);
         return true;
       }});
  CHECK(pieces.size() > 1);
  CHECK(fmt::format("{}", fmt::join(pieces, "")) == "abcdef");
  CHECK(response.body == "");
  CHECK(response.status == 200);
}

TEST_CASE("on_body does not get the body of any other answer") {
  const ScriptedServer server(always({.status = 404, .body = "no such image"}));
  Curl curl;
  const HttpResponse response =
      curl.answer({.url = server.url("/"), .on_body = [](std::string_view) {
                     FAIL("called");
                     return true;
                   }});
  CHECK(response.body == "no such image");
}

TEST_CASE("on a unix socket the URL's host is only a name, and no proxy is asked") {
  const TempFolder folder;
  const Curl outer;  // only for its no_proxy to be restored
  const Variable proxied("no_proxy", "");
  const Variable proxy("http_proxy", "http://127.0.0.1:1");
  const std::string socket = folder / "engine.sock";
  const ScriptedServer server(socket, echo);
  Curl curl;
  const Variable proxied_again("no_proxy", "");
  const HttpResponse response =
      curl.answer({.url = "http://localhost/v1.41/info", .unix_socket = socket});
  CHECK(response.body == "GET /v1.41/info");
  CHECK(server.requests()[0].header("host") == "localhost");
}

}  // namespace tallyman
