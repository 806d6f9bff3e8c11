#include "fuzz/fuzz.hpp"
#include "registry/errors.hpp"
#include "tallyman/io/encoding.hpp"

namespace tallyman {

// Retry-After on the first line, Content-Type on the second, then the body.
FUZZ_TARGET(refusal) {
  const std::string password = "hunter2-hunter2";
  const Secret sent("Basic " + base64_encode("robot$shop:" + password));
  HttpResponse answer;
  answer.headers.emplace_back("retry-after", fuzz::take_line(input));
  answer.headers.emplace_back("content-type", fuzz::take_line(input));
  answer.body = input;
  for (const long status : {400L, 403L, 404L, 412L, 429L, 503L}) {
    answer.status = status;
    const Error error = bad_answer("registry.example", "manifest", answer, sent);
    HOLDS(fuzz::is_one_printable_line(error.message));
    HOLDS(error.message.size() < 2000);
    HOLDS(error.message.find(password) == std::string::npos);
    HOLDS(error.message.find(sent.reveal()) == std::string::npos);
    HOLDS((error.kind == ErrorKind::rate_limited) == (status == 429));
    HOLDS((error.kind == ErrorKind::transient) == (status == 503));
  }
}

}  // namespace tallyman
