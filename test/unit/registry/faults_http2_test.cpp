#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/http2_server.hpp"
#include "support/tls_wire.hpp"
#include "unit/registry/faults.hpp"

namespace tallyman::test {
namespace {

using Said = Http2Server::Said;

std::string good(std::uint32_t stream) {
  return http2::answer(stream, 200, {{"docker-content-digest", k_digest_a}});
}

/// On the first connection that is asked anything `say` answers; the others are good.
Http2Server::Script on_first_connection(std::function<Said(std::uint32_t)> say) {
  return [say = std::move(say), first = std::make_shared<std::atomic<int>>(0)](std::uint32_t stream,
                                                                               int connection) {
    int none = 0;
    first->compare_exchange_strong(none, connection);
    return connection == *first ? say(stream) : Said{good(stream)};
  };
}

/// A registry over TLS and HTTP/2, which the engine lists as insecure.
struct OverHttp2 {
  explicit OverHttp2(Http2Server::Script script)
      : server(TlsWire::maker({&identity, "h2"}), std::move(script)) {
    loopback.world.insecure.hosts = {server.host()};
  }
  std::vector<Result<RemoteImage>> resolve(int count) {
    std::vector<ImageReference> references;
    references.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
      references.push_back(image_ref(server.host() + "/shop/api:" + std::to_string(i)));
    }
    return loopback.registry().resolve(references);
  }

  Certified identity = make_certificate();
  Http2Server server;
  Loopback loopback;
};

TEST_CASE("faults: HTTP/2, when nothing is wrong") {
  OverHttp2 http2([](std::uint32_t stream, int) { return Said{good(stream)}; });
  for (const auto& image : http2.resolve(20)) {
    REQUIRE_MESSAGE(image.has_value(), (image ? "" : image.error().message));
  }
  CHECK(http2.server.connections() == 2);  // the first looked at the certificate, and hung up
}

TEST_CASE("faults: HTTP/2 requests that were not processed are asked again") {
  struct Row {
    std::string name;
    Http2Server::Script script;
  };
  for (const Row& row : std::vector<Row>{
           {"GOAWAY before the first", on_first_connection([](std::uint32_t) {
              return Said{http2::goaway(0, http2::k_no_error), true};
            })},
           {"GOAWAY with the first, for the others", on_first_connection([](std::uint32_t stream) {
              return Said{good(stream) + http2::goaway(stream, http2::k_no_error), true};
            })},
           {"REFUSED_STREAM", on_first_connection([](std::uint32_t stream) {
              return Said{http2::reset(stream, http2::k_refused_stream)};
            })},
       }) {
    CAPTURE(row.name);
    OverHttp2 http2(row.script);
    for (const auto& image : http2.resolve(5)) {
      CHECK_MESSAGE(image.has_value(), (image ? "" : image.error().message));
    }
    CHECK(http2.server.connections() > 2);
  }
}

TEST_CASE("faults: HTTP/2 that ends badly") {
  const std::string ended = "HOST ended the connection";
  const std::string head = http2::fields(200, {{"docker-content-digest", k_digest_a}});
  const auto headers = [](std::uint32_t stream, const std::string& fields, std::uint8_t flags) {
    return http2::frame(http2::k_headers, flags, stream, fields);
  };
  constexpr std::uint8_t k_whole = http2::k_end_headers | http2::k_end_stream;
  struct Row {
    std::string name;
    std::function<Said(std::uint32_t)> script;
    std::string message = {};
    ErrorKind kind = ErrorKind::transient;
  };
  for (const Row& row : std::vector<Row>{
           {"GOAWAY for ever", [](auto) { return Said{http2::goaway(0, http2::k_no_error), true}; },
            ended},
           {"GOAWAY, be calm",
            [](auto stream) {
              return Said{http2::goaway(stream, http2::k_enhance_your_calm, "slow down"), true};
            },
            ended},
           {"REFUSED_STREAM for ever",
            [](auto stream) { return Said{http2::reset(stream, http2::k_refused_stream)}; },
            "HOST"},
           {"RST_STREAM",
            [](auto stream) { return Said{http2::reset(stream, http2::k_internal_error)}; }, ended},
           {"RST_STREAM of no error",
            [](auto stream) { return Said{http2::reset(stream, http2::k_no_error)}; }, ended},
           {"closed", [](auto) { return Said{"", true}; }, ended},
           {"closed within a frame",
            [&](auto stream) { return Said{headers(stream, head, k_whole).substr(0, 30), true}; },
            ended},
           {"a head without its end, then closed",
            [&](auto stream) { return Said{headers(stream, head, 0), true}; }, ended},
           {"a head of HEAD without the end of its stream, then closed",
            [&](auto stream) { return Said{headers(stream, head, http2::k_end_headers), true}; },
            ""},
           {"HTTP/1.1 after all",
            [](auto) { return Said{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true}; }, ended},
           {"a frame of 16 MB",
            [](auto) { return Said{std::string("\xff\xff\xff\0\0\0\0\0\x01", 9), true}; }, ended},
           {"headers that are no HPACK",
            [&](auto stream) {
              return Said{headers(stream, std::string(50, '\xff'), k_whole), true};
            },
            ended},
           {"no status",
            [&](auto stream) {
              return Said{headers(stream, http2::field("x", "y"), k_whole), true};
            },
            ended},
           {"DATA before any header",
            [](auto stream) {
              return Said{http2::frame(http2::k_data, http2::k_end_stream, stream, "x"), true};
            },
            ended},
           {"an answer to a stream that nobody opened", [](auto) { return Said{good(99), true}; },
            ended},
           {"60 headers of 2 KB",
            [](auto stream) {
              return Said{http2::answer(stream, 200, Headers(7, {"x", std::string(2000, 'x')})) +
                              http2::frame(http2::k_data, 0, stream, std::string(9000, 'x')),
                          true};
            },
            ""},
       }) {
    CAPTURE(row.name);
    OverHttp2 http2([&](std::uint32_t stream, int) { return row.script(stream); });
    http2.loopback.http.tune = [](HttpRequest& request) {
      request.timeout = std::chrono::seconds(3);
    };
    const std::string image = http2.server.host() + "/shop/api:0";
    const auto results = http2.resolve(1);
    if (row.message.empty()) {
      CHECK((results[0].has_value() || results[0].error().message.starts_with(image)));
    } else {
      check_fault(results[0], {row.kind, row.message}, http2.server.host(), image);
    }
    CHECK(http2.server.connections() <
          24);  // three tries, in each of which curl has some of its own
  }
}

TEST_CASE("faults: HTTP/2 statuses are those of HTTP/1.1") {
  OverHttp2 http2([](std::uint32_t stream, int) {
    return Said{http2::answer(stream, 429, {{"retry-after", "60"}})};
  });
  const std::string image = http2.server.host() + "/shop/api:0";
  check_fault(http2.resolve(1)[0], {ErrorKind::rate_limited, "HOST is rate limited until "},
              http2.server.host(), image);
}

}  // namespace
}  // namespace tallyman::test
