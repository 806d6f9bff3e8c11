#include <string>

#include "unit/registry/faults.hpp"

namespace tallyman::test {
namespace {

ScriptedAnswer raw(const std::string& text) {
  return ScriptedAnswer::bytes({text});
}

std::string repeated(std::string_view text, int times) {
  std::string all;
  while (times-- > 0) {
    all += text;
  }
  return all;
}

const std::string k_start = "HTTP/1.1 200 OK\r\n";
const std::string k_digest_line = "Docker-Content-Digest: " + k_digest_a + "\r\n";
const std::string k_no_body = "Content-Length: 0\r\n\r\n";

TEST_CASE("faults: heads that are malformed, too large or cut") {
  const Expected no_http{ErrorKind::protocol, "HOST does not speak HTTP"};
  const Expected too_large{ErrorKind::protocol, "HOST answers with more than 64 KiB of headers"};
  const Expected cut{ErrorKind::transient, "HOST ended the connection within its answer"};
  check_faults({
      {"SSH", raw("SSH-2.0-OpenSSH_9.2\r\n\r\n"), no_http},
      {"HTTP/0.9", raw("<html>welcome</html>"), no_http},
      {"HTTP/0.9 with a line that looks like a header", raw(k_digest_line + "\r\n"), no_http},
      {"a TLS alert", raw(std::string("\x15\x03\x03\x00\x02\x02\x28", 7)), no_http},
      {"a NUL only", raw(std::string(1, '\0')), no_http},
      {"no status", raw("HTTP/1.1 banana\r\n\r\n"), no_http},
      {"a status of two digits", raw("HTTP/1.1 99 OK\r\n" + k_digest_line + "\r\n"), no_http},
      {"a status of four digits", raw("HTTP/1.1 2000 OK\r\n" + k_digest_line + "\r\n"), no_http},
      {"a negative status", raw("HTTP/1.1 -200 OK\r\n" + k_digest_line + "\r\n"), no_http},
      {"HTTP/3 over TCP", raw("HTTP/3 200\r\n" + k_digest_line + "\r\n"), no_http},
      {"HTTP/7.5", raw("HTTP/7.5 200 OK\r\n" + k_digest_line + "\r\n"), no_http},
      {"a NUL in a header", raw(k_start + std::string("X: a\0b\r\n", 8) + k_digest_line + "\r\n"),
       no_http},
      {"a negative length", raw(k_start + "Content-Length: -5\r\n" + k_digest_line + "\r\n"),
       no_http},
      {"a length of letters", raw(k_start + "Content-Length: abc\r\n" + k_digest_line + "\r\n"),
       no_http},
      {"many headers",
       raw(k_start + repeated("X: " + std::string(1000, 'x') + "\r\n", 80) + "\r\n"), too_large},
      {"many small headers", raw(k_start + repeated("X:y\r\n", 20'000) + "\r\n"), too_large},
      {"a header of 200 KB",
       raw(k_start + "X: " + std::string(200'000, 'x') + "\r\n\r\n"),
       {ErrorKind::protocol, "HOST answers with headers that are too long"}},
      {"a status line of 200 KB",
       raw("HTTP/1.1 200 " + std::string(200'000, 'x') + "\r\n\r\n"),
       {ErrorKind::protocol, "HOST"}},
      {"headers without an end", ScriptedAnswer::flood(k_start, repeated("X: y\r\n", 1000), 5000),
       too_large},
      {"interim answers without an end",
       ScriptedAnswer::flood("", repeated("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", 500),
                             5000),
       too_large},
      {"100 Continue without an end",
       ScriptedAnswer::flood("", repeated("HTTP/1.1 100 Continue\r\n\r\n", 500), 5000), too_large},
      {"101 that nobody asked for",
       raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
       {ErrorKind::transient, "HOST"}},
      {"closed without a word",
       raw(""),
       {ErrorKind::transient, "HOST ended the connection without an answer"}},
      {"cut in the status line",
       raw("HTTP/1.1 20"),
       {ErrorKind::transient, "HOST ended the connection"}},
      {"cut after the status line", raw(k_start), cut},
      {"cut after the digest", raw(k_start + k_digest_line), cut},
      {"cut in the last line end", raw(k_start + k_digest_line + "\r"), cut},
      {"cut after an interim answer", raw("HTTP/1.1 100 Continue\r\n\r\n"), cut},
      {"cut in a 404", raw("HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n"), cut},
      {"cut in a 429", raw("HTTP/1.1 429 Too Many\r\nRetry-After: 1"), cut},
  });
}

TEST_CASE("faults: heads that are odd, and good enough") {
  check_oddities({
      {"HTTP/1.0", raw("HTTP/1.0 200 OK\r\n" + k_digest_line + "\r\n"), {}, k_digest_a},
      {"line feeds only",
       raw("HTTP/1.1 200 OK\nDocker-Content-Digest: " + k_digest_a + "\n\n"),
       {},
       k_digest_a},
      {"no reason", raw("HTTP/1.1 200\r\n" + k_digest_line + k_no_body), {}, k_digest_a},
      {"upper case and blanks",
       raw(k_start + "DOCKER-CONTENT-DIGEST:  \t " + k_digest_a + " \t \r\n" + k_no_body),
       {},
       k_digest_a},
      {"after interim answers",
       raw("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nDocker-Content-Digest: " +
           some_digest('b') + "\r\n\r\n" + k_start + k_digest_line + k_no_body),
       {},
       k_digest_a},
      {"60 KB of headers",
       raw(k_start + repeated("X: " + std::string(990, 'x') + "\r\n", 60) + k_digest_line +
           k_no_body),
       {},
       k_digest_a},
      {"cookies that nobody keeps",
       raw(k_start + repeated("Set-Cookie: a=b; Path=/\r\n", 200) + k_digest_line + k_no_body),
       {},
       k_digest_a},
      {"HEAD with a body",
       raw(k_start + k_digest_line + "Content-Length: 5\r\n\r\nhello"),
       {},
       k_digest_a},
      {"HEAD with a chunked body",
       raw(k_start + k_digest_line + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
       {},
       k_digest_a},
      {"HEAD with a length beyond 2^64",
       raw(k_start + k_digest_line + "Content-Length: 99999999999999999999999\r\n\r\n"),
       {},
       k_digest_a},
      {"HEAD with a huge length",
       raw(k_start + k_digest_line + "Content-Length: 999999999999\r\n\r\n"),
       {},
       k_digest_a},
  });
}

TEST_CASE("faults: a body after HEAD is not taken for the next answer") {
  ScriptedServer server([&](const RecordedRequest& request) -> ScriptedAnswer {
    if (request.target.ends_with("/1")) {
      return raw(k_start + k_digest_line + "Content-Length: 200\r\n\r\n" + k_start +
                 "Docker-Content-Digest: " + some_digest('b') + "\r\n" + k_no_body);
    }
    return {200, {{"Docker-Content-Digest", some_digest('d')}}};
  });
  Loopback loopback;
  loopback.plain(server.host());
  CHECK(loopback.resolve(server.host() + "/a:1")->digest.str() == k_digest_a);
  CHECK(loopback.resolve(server.host() + "/a:2")->digest.str() == some_digest('d'));
}

TEST_CASE("faults: a head without an end is not read to its end") {
  ScriptedServer server([&](const RecordedRequest&) {
    return ScriptedAnswer::flood(k_start, repeated("X: y\r\n", 1000), 10'000);
  });
  Loopback loopback;
  loopback.plain(server.host());
  CHECK_FALSE(loopback.resolve(server.host() + "/a:1").has_value());
  CHECK(server.sent() < 30'000'000);  // what the buffers of the kernel hold
}

}  // namespace
}  // namespace tallyman::test
