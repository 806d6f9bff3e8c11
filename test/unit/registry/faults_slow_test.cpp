#include <chrono>
#include <string>
#include <vector>

#include "unit/registry/faults.hpp"

namespace tallyman::test {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

const std::string k_head = "HTTP/1.1 200 OK\r\nDocker-Content-Digest: " + k_digest_a + "\r\n";

struct Row {
  std::string name;
  ScriptedAnswer answer;
  std::string message;
  bool at_get = false;
};

void check_rows(const std::vector<Row>& rows, const std::function<void(HttpRequest&)>& tune) {
  for (const Row& row : rows) {
    CAPTURE(row.name);
    ScriptedServer server([&](const RecordedRequest& request) -> ScriptedAnswer {
      if (request.target.ends_with("/good")) {
        return good_tag();
      }
      return row.at_get && request.method == "HEAD" ? ScriptedAnswer{200} : row.answer;
    });
    Loopback loopback;
    loopback.http.tune = tune;
    loopback.plain(server.host());
    const std::string image = server.host() + "/shop/api:";
    const auto images =
        loopback.registry().resolve({image_ref(image + "1"), image_ref(image + "good")});
    check_fault(images[0], {ErrorKind::transient, row.message}, server.host(), image + "1");
  }
}

TEST_CASE("faults: a registry that is too slow") {
  const std::string late = "HOST did not answer in time";
  const std::string endless = "the answer of HOST did not end in time";
  check_rows(
      {
          {"silent", ScriptedAnswer::never(), late},
          {"its status line in drips",
           ScriptedAnswer::bytes({"H", "T", "T", "P", "/", "1", ".", "1", " ", "2"}, 50ms),
           "in time"},
          {"its headers in drips",
           ScriptedAnswer::bytes(
               [] {
                 std::vector<std::string> pieces(100, "X: y\r\n");
                 pieces.front() = k_head;
                 return pieces;
               }(),
               20ms),
           endless},
          {"interim answers in drips",
           ScriptedAnswer::bytes(std::vector<std::string>(100, "HTTP/1.1 100 Continue\r\n\r\n"),
                                 20ms),
           "in time"},
          {"silent after its status line", ScriptedAnswer::bytes({k_head, "x"}, 400ms), "in time"},
          {"its body in drips",
           ScriptedAnswer::bytes(
               [] {
                 std::vector<std::string> pieces(100, " ");
                 pieces.front() = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n";
                 return pieces;
               }(),
               20ms),
           endless, true},
          {"chunks in drips",
           ScriptedAnswer::bytes(
               [] {
                 std::vector<std::string> pieces(100, "1\r\n \r\n");
                 pieces.front() = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
                 return pieces;
               }(),
               20ms),
           endless, true},
          {"silent at GET", ScriptedAnswer::never(), "HOST", true},
      },
      [](HttpRequest& request) { request.timeout = 300ms; });
}

TEST_CASE("faults: a registry that stalls") {
  check_rows({{"silent", ScriptedAnswer::never(), "HOST did not answer in time"}},
             [](HttpRequest& request) { request.stall_timeout = 1s; });
}

TEST_CASE("faults: a registry that is dead or slow costs the others nothing") {
  ScriptedServer slow([](const RecordedRequest&) { return ScriptedAnswer::never(); });
  ScriptedServer good([](const RecordedRequest&) { return good_tag(); });
  Loopback loopback;
  loopback.plain(slow.host());
  loopback.plain(good.host());
  int slow_ended = 0;
  loopback.http.tune = [&](HttpRequest& request) {
    request.timeout = contains(request.url, slow.host()) ? 300ms : 30s;
  };
  std::vector<ImageReference> references;
  for (int i = 0; i < 40; ++i) {
    references.push_back(image_ref((i % 2 == 0 ? slow : good).host() + "/a:" + std::to_string(i)));
  }
  const auto images = loopback.registry().resolve(references);
  for (std::size_t i = 0; i < images.size(); ++i) {
    CAPTURE(i);
    CHECK(images[i].has_value() == (i % 2 == 1));
    slow_ended += images[i].has_value() ? 0 : 1;
  }
  CHECK(slow_ended == 20);
  CHECK(slow.requests().size() <= 6);  // the rest did not wait for a time-out of their own
}

TEST_CASE("faults: no connection in time") {
  // A listener whose queue nobody empties takes a few connections and then none.
  ScriptedServer server([](const RecordedRequest&) { return good_tag(); });
  Loopback loopback;
  loopback.http.tune = [](HttpRequest& request) {
    request.connect_timeout = 200ms;
    request.timeout = 300ms;  // also of the look whether http answers
  };
  const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = static_cast<sockaddr*>(static_cast<void*>(&address));
  REQUIRE(::bind(listener.get(), generic, size) == 0);
  REQUIRE(::listen(listener.get(), 64) == 0);  // accepts, and says nothing to a TLS handshake
  REQUIRE(::getsockname(listener.get(), generic, &size) == 0);
  const std::string host = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  const std::string image = host + "/shop/api:1";
  check_fault(loopback.resolve(image), {ErrorKind::transient, "no connection to HOST in time"},
              host, image);
}

TEST_CASE("faults: connections that are reset, at every stage") {
  const std::string early = "HOST ended the connection without an answer";
  check_rows(
      {
          {"at the request", ScriptedAnswer::reset_after({}), early},
          {"in the status line", ScriptedAnswer::reset_after({"HTTP/1.1 2"}),
           "HOST ended the connection"},
          {"in the head", ScriptedAnswer::reset_after({k_head}), "HOST ended the connection"},
          {"before the end of the head", ScriptedAnswer::reset_after({k_head + "\r"}),
           "HOST ended the connection"},
          {"at GET", ScriptedAnswer::reset_after({}), early, true},
          {"before the body",
           ScriptedAnswer::reset_after({"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"}),
           "HOST ended the connection", true},
          {"in the body",
           ScriptedAnswer::reset_after({"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{\"sch"}),
           "HOST ended the connection", true},
          {"in a chunk",
           ScriptedAnswer::reset_after(
               {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{\"sch"}),
           "HOST ended the connection", true},
          {"in a body that ends with the connection",
           ScriptedAnswer::reset_after({"HTTP/1.1 200 OK\r\n\r\n" + k_manifest}),
           "HOST ended the connection", true},
      },
      [](HttpRequest&) {});
}

TEST_CASE("faults: reset as soon as it is accepted") {
  const LoopbackServer server(plain_wire, [](Wire& wire) { wire.end_by_reset(); });
  Loopback loopback;
  const std::string image = server.host() + "/shop/api:1";
  SUBCASE("over http") {
    loopback.plain(server.host());
    check_fault(loopback.resolve(image), {ErrorKind::transient, "HOST"}, server.host(), image);
  }
  SUBCASE("over https, in the handshake") {
    check_fault(loopback.resolve(image), {ErrorKind::transient, "HOST"}, server.host(),
                image);  // curl has two words for it
  }
}

TEST_CASE("faults: closed as soon as it is accepted") {
  const LoopbackServer server(plain_wire, [](Wire&) {});
  Loopback loopback;
  const std::string image = server.host() + "/shop/api:1";
  SUBCASE("over http") {
    loopback.plain(server.host());
    check_fault(loopback.resolve(image),
                {ErrorKind::transient, "HOST ended the connection without an answer"},
                server.host(), image);
  }
  SUBCASE("over https, in the handshake") {
    check_fault(loopback.resolve(image),
                {ErrorKind::transient, "the TLS handshake with HOST failed"}, server.host(), image);
  }
}

TEST_CASE("faults: a kept connection that the registry closes meanwhile is opened again") {
  int count = 0;
  ScriptedServer server([&](const RecordedRequest&) {
    ScriptedAnswer answer = good_tag();
    answer.close = true;
    ++count;
    return answer;
  });
  Loopback loopback;
  loopback.plain(server.host());
  for (int i = 0; i < 5; ++i) {
    CHECK(loopback.resolve(server.host() + "/a:" + std::to_string(i)).has_value());
  }
  CHECK(server.requests().size() == 5);
}

}  // namespace
}  // namespace tallyman::test
